"""Which zone rules when: local wall time, by the date's profile, turned into borders of UTC seconds.

The zone of an instant is a function of what the wall clock shows. A day of 25 hours has its hour twice, and both
times the zone of that hour; in one of 23 hours a zone that lies in the missing hour does not come. Before a profile's
first time, and on dates without one, the default stage rules; where that is none of the quantity's, none does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sim.core.quoting import named
from sim.smgw import german_time
from sim.smgw.obis_codes import ERROR_TARIFF, Obis
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import RuleSet, Stage

NOBODY: Final = -1
"""No stage rules."""


@dataclass(frozen=True, slots=True)
class Zones:
    """From borders_s[i] on, up to the next border, the stage at index zone[i] of `stages` rules; NOBODY: none."""

    stages: tuple[Stage, ...]
    borders_s: tuple[int, ...]
    zone: tuple[int, ...]


def stages_of(rule: RuleSet, quantity: Obis, others: Sequence[Obis]) -> tuple[Stage, ...]:
    """The stages that count this quantity. A rule set whose stages fit none of the lists of readings (`others`) was
    written for the contract, not for a direction: then they count each of them, under their own tariff."""
    zones = [stage for stage in rule.stages if stage.obis.e != ERROR_TARIFF]
    own = tuple(stage for stage in zones if stage.obis.tariff(0) == quantity.tariff(0))
    if own or any(stage.obis.tariff(0) == other.tariff(0) for stage in zones for other in others):
        return own
    made: dict[int, Stage] = {}
    for stage in zones:
        if stage.obis.e in made:
            raise RuleError("stages", f"none of the stages counts {quantity}, and tariff {stage.obis.e} is there twice")
        made[stage.obis.e] = Stage(stage.number, quantity.tariff(stage.obis.e))
    return tuple(made.values())


def zones_of(rule: RuleSet, stages: tuple[Stage, ...]) -> Zones:
    """The borders within the rule's period. Raises RuleError (days) for a date with two profiles of these stages."""
    index = {stage.number: at for at, stage in enumerate(stages)}
    default = index.get(rule.default, NOBODY) if rule.default is not None else NOBODY
    day = german_time.local(rule.start_s).date()
    last = german_time.local(rule.end_s).date()
    plans: dict[date, tuple[list[int], list[int]]] = {}
    instants = {rule.start_s, *(change for year in (day.year, last.year) for change in german_time.changes(year))}
    instants.update(change for year in range(day.year, last.year) for change in german_time.changes(year))
    while day <= last:
        plans[day] = times, _ = _plan(rule, day, index, default)
        local_s = german_time.seconds_of(day)
        for ahead_s in (german_time.WINTER_S, german_time.SUMMER_S):
            instants.update(local_s + at_s - ahead_s for at_s in times)
        day += timedelta(days=1)
    borders: list[int] = []
    zone: list[int] = []
    for at_s in sorted(instant for instant in instants if rule.start_s <= instant < rule.end_s):
        wall_s = at_s + german_time.offset_s(at_s)
        times, ruling = plans[datetime.fromtimestamp(wall_s, UTC).date()]
        now = ruling[bisect_right(times, wall_s % german_time.DAY_S) - 1]
        if not zone or zone[-1] != now:
            borders.append(at_s)
            zone.append(now)
    return Zones(stages, tuple(borders), tuple(zone))


def _plan(rule: RuleSet, day: date, index: dict[int, int], default: int) -> tuple[list[int], list[int]]:
    """Seconds after midnight, from 0 on, and the zone from there."""
    profiles = rule.profiles or {}
    own = [name for name in (rule.days or {}).get(day, ()) if any(stage in index for _, stage in profiles[name])]
    if len(own) > 1:
        raise RuleError("days", f"{day} has two profiles for one quantity: {named(own[0])} and {named(own[1])}")
    times, zone = [0], [default]
    for at_s, stage in profiles[own[0]] if own else ():
        if stage not in index:
            continue
        if at_s == 0:
            zone[0] = index[stage]
        else:
            times.append(at_s)
            zone.append(index[stage])
    return times, zone
