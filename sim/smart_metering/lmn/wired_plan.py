"""Which wired meters a world's gateways have: houses, keys and certificates, all from the world's seed.

Gateway g has meters g * n to g * n + n - 1. With pairing "certificates" maker and administrator exchanged both
certificates before; with "meter key" the gateway makes each meter's first key and sends it under the maker's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sim.core.seeds import Seeds
from sim.meters.physics.household_power import Household
from sim.pki.link_certificates import made
from sim.smart_metering.lmn.pairing import Pairing
from sim.smart_metering.lmn.wired_bus import BusSetup, Paired, Tell, WiredBus
from sim.smart_metering.lmn.wired_meter import MeterKeys, WiredMeter, name_of, server_of
from sim.smart_metering.lmn.wired_store import MemoryProfile, WiredStore
from sim.smart_metering.lmn.world_wire import WorldWire
from sim.smgw.module.in_world import draws

FIRST_NUMBER: Final = 60_000_001


@dataclass(frozen=True, slots=True)
class WiredSpec:
    """`count`: meters on each gateway's bus. `tls`: sessions are TLS."""

    count: int
    tls: bool = True
    pairing: Pairing = "certificates"


def house_of(seeds: Seeds, number: int) -> Household:
    """Of the wired meter of this number in a world, from 0."""
    return Household(seeds.child("wired houses"), number)


def meter_name(number: int) -> str:
    """What stands on it."""
    return name_of(server_of(FIRST_NUMBER + number))


def numbers_of(gateway: int, count: int) -> range:
    """The meters of a gateway."""
    return range(gateway * count, gateway * count + count)


@dataclass
class Plan:
    """One gateway's bus: `open` makes its side of it, again after a power cut."""

    wire: WorldWire
    paired: list[Paired]
    setup: BusSetup
    path: Path

    def open(self) -> tuple[WiredBus, WiredStore]:
        store = WiredStore(self.path, durable=False)
        return WiredBus(self.wire, store, self.setup, self.paired), store


def plan(
    spec: WiredSpec, seeds: Seeds, gateway: int, id_: str, folder: Path, *, since: datetime,
    now_s: Callable[[], int], tell: Tell,
) -> Plan:  # fmt: skip
    """`folder`: the gateway's disk; keys of its meters lie beside it, each in the meter's own folder."""
    own = made(f"{id_}.LMN", draws(seeds, id_, "key of the meter bus"), since)
    paired, meters = [], []
    for number in numbers_of(gateway, spec.count):
        server = server_of(FIRST_NUMBER + number)
        place = folder.parent / "wired-meters" / name_of(server)
        one, keys = Paired(server), MeterKeys(place)
        if spec.pairing == "certificates":
            end = made(name_of(server), draws(seeds, f"wired {number}", "key"), since)
            keys.end, keys.gateway, one.certificate = end, own.certificate, end.certificate
        else:
            keys.makers = one.makers = seeds.one_bytes16("wired meter's maker's key", number)
        paired.append(one)
        slots = _drawing(seeds, number)
        meters.append(WiredMeter(server, house_of(seeds, number), keys, MemoryProfile(), slots, plain=not spec.tls))
        meters[-1].measure(now_s())
    setup = BusSetup(
        own.write(folder, "lmn"), own.certificate, draws(seeds, id_, "first keys of meters"), since, tell,
        plain=not spec.tls,
    )  # fmt: skip
    return Plan(WorldWire(meters, now_s), paired, setup, folder / "wired.sqlite")


def _drawing(seeds: Seeds, number: int) -> Callable[[int], int]:
    drawn = 0

    def draw(below: int) -> int:
        nonlocal drawn
        drawn += 1
        return seeds.one_below("wired slot", below, number, drawn)

    return draw
