"""How much of an attack stays below each alarm, and what it then costs: one attacker with a pace, searched.

A `Quiet` says what an attacker does at a pace, a whole number; nothing in it knows a threshold. The portal's own alarms
are shown what it would see over some days, once with that alarm alone and once with all of them, and the largest pace
that raises none is searched by halving. What is not monotone would be found out: the pace found raises nothing, the
next one does, and both are run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from sim.core.bundle import Birth
from sim.core.clock import NS_PER_S, ns
from sim.portal.alarm import Accepted, alarm_ids
from sim.portal.episodes import Alarms
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal_spec import PortalSpec
from sim.portal.store_port import Reading, Store, open_store
from wmbus.link import Address

INTERVAL_S: Final = 900.0
A_DAY: Final = 96
GATEWAY: Final = "gw-0001"
SET_DAY: Final = 20_453
UNITS: Final = 145
LITRES_A_DAY: Final = 100.0


class Shown(NamedTuple):
    """What the attacker may do to a portal: its alarms, the time, and which interval it is."""

    alarms: Alarms
    now_ns: int
    k: int


@dataclass(frozen=True)
class Quiet:
    """`alarm`: the one to stay below. `pace`: what is counted; `most`: the largest tried. `lost(pace, meter, k)`: is a
    meter's telegram k kept from the portal? `leak_l_h(pace, k)`: what runs through its pipe; `set_date`: units
    more that it tells of the set date; `acts`: what else happens in an interval. `frames(pace)`: frames or logins a
    day; `gain(pace)`: what it gets, in words."""

    alarm: str
    pace: str
    most: int
    frames: Callable[[int], float]
    gain: Callable[[int], str]
    meters: int = 8
    days: int = 3
    lost: Callable[[int, int, int], bool] = lambda pace, meter, k: False
    leak_l_h: Callable[[int, int], float] = lambda pace, k: 0.0
    set_date: Callable[[int, int], int] = lambda pace, k: 0
    acts: Callable[[int, Shown], None] = lambda pace, shown: None


class Found(NamedTuple):
    """The largest paces that raise nothing (0: any is noticed; the largest tried: none is), with that alarm alone and
    with all; frames or logins a day at the latter, what they get."""

    alarm: str
    pace: str
    alone: int
    with_all: int
    frames_a_day: float
    gain: str


def _third_of_three(pace: int, meter: int, k: int) -> bool:
    return meter == 0 and k >= A_DAY and k % (pace + 1) != 0


def _spread(pace: int, meter: int, k: int) -> bool:
    """So many of a day's telegrams, evenly."""
    return meter == 0 and k >= A_DAY and (k % A_DAY * pace) // A_DAY != ((k % A_DAY + 1) * pace) // A_DAY


def _logins(pace: int, shown: Shown) -> None:
    """So many times in a quarter of an hour the owner must take its session back."""
    for login in range(pace if shown.k == A_DAY else 0):
        at_ns = shown.now_ns + round(login * INTERVAL_S * NS_PER_S / (pace + 1))
        shown.alarms.born(Birth(GATEWAY, "gw-0001.1", 2 + login), at_ns)


def _far(pace: int, shown: Shown) -> None:
    if shown.k >= 1:
        shown.alarms.bundled(GATEWAY, shown.k + (pace if shown.k == A_DAY else 0), shown.now_ns)


def _replays(pace: int, shown: Shown) -> None:
    for _ in range(pace if shown.k == A_DAY else 0):
        shown.alarms.refused(_name(0), GATEWAY, shown.now_ns, "replayed access number")


def _clock(pace: int, shown: Shown) -> None:
    """As intake tells of it."""
    shown.alarms.clock(GATEWAY, ns(pace if shown.k >= A_DAY else 0), shown.now_ns)


QUIET: Final = (
    Quiet("gap", "telegrams of a meter in a row", 12, lambda pace: A_DAY * pace / (pace + 1),
          lambda pace: f"{pace} of {pace + 1} telegrams lost", lost=_third_of_three),
    Quiet("completeness", "of a day's 96 telegrams, spread evenly", A_DAY, float,
          lambda pace: f"{pace} of {A_DAY} telegrams lost", lost=_spread),
    Quiet("jam", "of a gateway's 60 meters silent together", 60, lambda pace: pace * A_DAY,
          lambda pace: f"{pace} of 60 meters unread", meters=60,
          lost=lambda pace, meter, k: meter < pace and k >= A_DAY),
    Quiet("freshness", "telegrams replayed or forged that are refused", 5, float,
          lambda pace: "nothing: what is refused changes no reading", acts=_replays),
    Quiet("twin", "logins in a quarter of an hour", 20, lambda pace: pace * A_DAY,
          lambda pace: f"the owner displaced {pace * A_DAY} times a day", acts=_logins),
    Quiet("twin", "bundle numbers away from the owner's", 5_000, lambda pace: 1.0,
          lambda pace: "a bundle in the gateway's name", acts=_far),
    Quiet("clock", "seconds that a gateway's clock is off", 2_000, lambda pace: 1.0,
          lambda pace: f"receive times {pace} s off", acts=_clock),
    Quiet("set date", "units more at the set date", 5, lambda pace: 1.0, lambda pace: f"a bill {pace} units higher",
          set_date=lambda pace, k: pace if k >= A_DAY else 0),
    Quiet("leak", "l/h from one moment on", 60, lambda pace: 0.0, lambda pace: f"{pace * 24} l a day",
          days=12, meters=1, leak_l_h=lambda pace, k: pace if k >= 9 * A_DAY + 12 else 0.0),
    Quiet("leak", "l/h more on each day", 60, lambda pace: 0.0,
          lambda pace: f"{pace * 30} l/h after a month", days=20, meters=1,
          leak_l_h=lambda pace, k: float(pace * max(0, k // A_DAY - 8))),
)  # fmt: skip


def _name(meter: int) -> str:
    return str(_address(meter))


def _address(meter: int) -> Address:
    return Address("QDS", f"{10_000_000 + meter}", 0x17, 0x07)


def raises(quiet: Quiet, pace: int, alarms_on: Sequence[str]) -> bool:
    """Whether any of these alarms is raised by an attacker of this pace; what happens without one raises none."""
    spec = PortalSpec(alarms=tuple(alarms_on))
    entries = [MeterEntry(_address(meter), "none", INTERVAL_S, frozenset({GATEWAY})) for meter in range(quiet.meters)]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("sqlite", Path(folder))
        try:
            alarms = Alarms(spec, store, Registry(entries))
            with store.transaction():  # one for all days: nobody cuts the power here
                return _raised(store, alarms, quiet, pace)
        finally:
            store.close()


def _raised(store: Store, alarms: Alarms, quiet: Quiet, pace: int) -> bool:
    alarms.born(Birth(GATEWAY, "gw-0001.1", 1), 0)
    leaked_l = 0.0
    for k in range(quiet.days * A_DAY):
        now_ns = round(k * INTERVAL_S * NS_PER_S)
        leaked_l += quiet.leak_l_h(pace, k) * INTERVAL_S / 3_600
        _take(store, alarms, quiet, pace, k, LITRES_A_DAY * (k // A_DAY) + leaked_l)
        quiet.acts(pace, Shown(alarms, now_ns, k))
        alarms.watch(now_ns)
        if alarms.raised():
            return True
    return False


def _take(store: Store, alarms: Alarms, quiet: Quiet, pace: int, k: int, litres: float) -> None:
    """One interval's telegrams of all meters, as a portal takes them. `litres`: on their displays."""
    now_ns = round(k * INTERVAL_S * NS_PER_S)
    there = [meter for meter in range(quiet.meters) if not quiet.lost(pace, meter, k)]
    names = [_name(meter) for meter in there]
    said = now_ns, SET_DAY, UNITS + quiet.set_date(pace, k)
    times, days, units = (np.full(len(there), one, np.int64) for one in said)
    volumes = np.full(len(there), int(litres) / 1_000)
    alarms.took(Accepted(names, (), str, times, days, units, volumes), now_ns)
    nothing = (None,) * 6
    store.add_readings(
        [Reading(name, GATEWAY, now_ns, now_ns, *nothing, "none", name, -60.0, 0, 0, None, None) for name in names]
    )


def most_unnoticed(quiet: Quiet, alarms_on: Sequence[str]) -> int:
    """The largest pace at which none of these alarms is raised; `quiet.most` where none ever is."""
    if not raises(quiet, quiet.most, alarms_on):
        return quiet.most
    low, high = 0, quiet.most  # `low` raises nothing, `high` does
    if raises(quiet, 0, alarms_on):
        raise RuntimeError(f"{quiet.alarm}: an alarm without an attack")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if raises(quiet, middle, alarms_on) else (middle, high)
    return low


def below(quiet: Quiet) -> Found:
    """One attacker, searched."""
    alone, with_all = most_unnoticed(quiet, [quiet.alarm]), most_unnoticed(quiet, alarm_ids())
    effort = quiet.frames(with_all) if with_all else 0.0
    gain = quiet.gain(with_all) if with_all else "nothing: any pace is noticed"
    return Found(quiet.alarm, quiet.pace, alone, with_all, effort, gain)


