"""What follows from a world's spec alone, before anything runs: names of gateways, what radios send and hear with,
which gateways may hear a meter, how long a meter may be silent and a telegram under way.

One function each, for the world, for a city's shards and for the ground truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.core.clock import NS_PER_HOUR, ns
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.links import Radios, Receivers
from sim.radio.propagation import centimetres
from sim.radio.receiver_profile import ReceiverProfile, profile
from sim.radio.site import Places, Site
from sim.radio.site_file import GivenSite
from sim.radio.site_spec import SiteSpec
from sim.world_spec import WorldSpec

I64 = NDArray[np.int64]
BOOL = NDArray[np.bool_]

BIND_SIGMAS: Final = 5
"""A gain by fading that no frame of a run exceeds: one in 3.5 million does."""
PLANNED_SILENCE_NS: Final = 64 * NS_PER_HOUR
"""A meter that sends on workdays from 8 to 18: a weekend and two nights."""
TRANSPORT_S: Final = 60.0
"""What a message may take from an outbox to the portal's commit, in world time."""


# --- the map ------------------------------------------------------------------------------------------------------


def site_of(spec: WorldSpec, only: I64 | None = None, gateways: int | None = None) -> Places:
    """Where a world's meters (`only` these) and gateways (all, or so many) are. Raises SpecError."""
    count = spec.gateways if gateways is None else gateways
    if spec.site.file is None:
        return Site(spec.site, [group.count for group in spec.fleet], count, only)
    groups = [(group.name, group.type, group.count) for group in spec.fleet]
    return GivenSite(Path(spec.site.file), groups, count, only)


# --- gateways ---------------------------------------------------------------------------------------------------


def gateway_groups(spec: WorldSpec) -> list[GatewaySpec]:
    """The group of each gateway, in the order in which a world numbers its receivers."""
    return [group for group in spec.gateway for _ in range(group.count)]


def gateway_ids(spec: WorldSpec) -> list[str]:
    """The id of each gateway, in the same order."""
    return [f"{group.name}-{number + 1:04d}" for group in spec.gateway for number in range(group.count)]


def receiver_of(group: GatewaySpec) -> tuple[int, tuple[Mode, ...], ReceiverProfile]:
    """(the level in 1/100 dBm from which it can receive at all, modes it can read, what receiver it has)."""
    return group.easiest_cdbm, tuple(Mode[link] for link in group.links), profile(group.receiver)


def gateway_receivers(spec: WorldSpec) -> Receivers:
    """What all gateways of the world hear with."""
    place_cm = centimetres(site_of(spec, only=np.zeros(1, np.int64)).gateways)
    group = np.repeat(np.arange(len(spec.gateway)), [g.count for g in spec.gateway])
    sensitivity, modes, profiles = zip(*map(receiver_of, spec.gateway), strict=True)
    nowhere = [np.zeros(3, dtype=np.int64)] * len(modes)
    of_group = Receivers.of(nowhere, sensitivity, [frozenset(own) for own in modes], profiles)
    return replace(of_group.only(group), position_cm=place_cm)


# --- meters -----------------------------------------------------------------------------------------------------


def transmitters(groups: Sequence[FleetSpec]) -> tuple[I64, I64]:
    """(mode, power in 1/100 dBm) of each group."""
    mode = np.array([int(Mode[group.link]) for group in groups], dtype=np.int64)
    return mode, np.array([round(group.power_dbm * 100) for group in groups], dtype=np.int64)


def fleet_radios(groups: Sequence[FleetSpec], group: NDArray[np.integer], length_bytes: NDArray[np.integer]) -> Radios:
    """What a fleet sends with. `group[m]`: the group of each meter; all of one group send one length of telegram."""
    _, first = np.unique(group, return_index=True)
    mode, power = (column[group] for column in transmitters(groups))
    length = length_bytes.astype(np.int64)
    air_ns = np.zeros((len(Mode) + 1, 256), dtype=np.int64)
    for one in first.tolist():
        air_ns[mode[one], length[one]] = air_time_ns(Mode(int(mode[one])), int(length[one]))
    return Radios(mode, length, power, air_ns[mode, length])


def planned_silence_ns(group: FleetSpec) -> int:
    """How long a meter of this group is silent by plan; 0 when it never is."""
    return 0 if group.mask == "always" else PLANNED_SILENCE_NS


# --- between them -----------------------------------------------------------------------------------------------


def can_ever_hear(site: SiteSpec, level_cdbm: NDArray[np.integer], sensitivity_cdbm: I64) -> BOOL:
    """For links of this mean level (1/100 dBm): can the receiver hear the meter at all, with a gain of BIND_SIGMAS?
    The check `bind` allows those gateways."""
    margin_cdb = round(BIND_SIGMAS * 100 * site.fading_db)
    heard: BOOL = level_cdbm + margin_cdb >= sensitivity_cdbm
    return heard


def under_way_most_ns(spec: WorldSpec, outage_s: float = 0.0) -> int:
    """How long a genuine telegram may be under way to its reading: the longest bundle age, two windows, the transport,
    and an outage that begins while it waits and another after it."""
    age_s = max(group.bundle_age_s for group in spec.gateway)
    return ns(age_s + 2 * spec.window_s + TRANSPORT_S + 2 * outage_s)
