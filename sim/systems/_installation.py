"""What the installer of any system writes down: each meter, its profile, its flat, and which gateways can hear it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.core.clock import NS_PER_S
from sim.gateway.port import GatewayPort, unheard_most_ns
from sim.portal.meter_registry import MeterEntry
from sim.site_plan import can_ever_hear, planned_silence_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.systems.port import Ground


def links_of(ground: Ground, gateways: int) -> list[list[tuple[int, int]]]:
    """Of each meter the (index, mean level in 1/100 dBm) of each gateway that can hear it at all."""
    links, receivers = ground.air.links, ground.air.receiver_arrays
    within = can_ever_hear(ground.spec.site, links.level_cdbm, receivers.sensitivity_cdbm[links.receiver])
    out: list[list[tuple[int, int]]] = [[] for _ in range(ground.fleet.n)]
    row, link = links.expand(np.arange(ground.fleet.n, dtype=np.int64))
    for meter, pair in zip(row.tolist(), link.tolist(), strict=True):
        receiver = int(links.receiver[pair])
        if within[pair] and receiver < gateways:
            out[meter].append((receiver, int(links.level_cdbm[pair])))
    return out


def entry_of(ground: Ground, meter: int, heard_by: frozenset[str], gateways: Sequence[GatewayPort]) -> MeterEntry:
    """The registry's entry of one meter."""
    fleet, site = ground.fleet, ground.site
    spec = ground.spec.fleet[int(fleet.population.group[meter])]
    unheard_ns = max(unheard_most_ns(gateway) for gateway in gateways)
    return MeterEntry(
        fleet.address(meter),
        security=spec.security,
        interval_s=spec.interval_s,
        gateways=heard_by,
        flat=f"flat {int(site.flat[meter]) + 1}",
        house=f"house {int(site.house[meter]) + 1}",
        planned_silence_s=max(planned_silence_ns(spec), unheard_ns) / NS_PER_S,
        under_way_s=max(group.bundle_age_s for group in ground.spec.gateway) + ground.spec.window_s,
    )


def strongest(links: list[list[tuple[int, int]]]) -> NDArray[np.int64]:
    """Of each meter the gateway that hears it best, the first of equals; -1 where none can."""
    best = [max(found, key=lambda one: (one[1], -one[0]))[0] if found else -1 for found in links]
    return np.array(best, dtype=np.int64)
