"""Rule sets: what the administrator sends a gateway, one tariff use case (TAF) of one contract.

Read strictly: what contradicts itself is refused here, with the clause of this model, before anything is measured
under it. Fields as in the vectors, which hold what the public bill checker TRuDI reads from AR 2418-6: taf, start,
duration_s, stages {n, obis}, default_tariff, day_profiles {id: [[HH:MM, stage]]}, days [[date, profile]]. Of ours:
capture_s, due (TAF 6), events and pseudonym (TAF 9 and 10). TAF 3 to 5, 8 and 11 to 13 load, and are refused when
they are switched on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Any, Final

from sim.core.quoting import quoted
from sim.smgw.german_time import DAY_S
from sim.smgw.obis_codes import ERROR_TARIFF, Obis, known
from sim.smgw.refusals import RuleError

USE_CASES: Final = {
    1: "data-saving", 2: "time of use", 3: "load stages", 4: "consumption stages", 5: "event", 6: "on demand",
    7: "load profile", 8: "extremes", 9: "feed-in", 10: "grid state", 11: "control", 12: "prepaid", 13: "display",
    14: "high-frequency",
}  # fmt: skip
MODELLED: Final = frozenset((1, 2, 6, 7, 9, 10, 14))
CAPTURE_S: Final = 900
TAF14_MOST_S: Final = 60
LONGEST_S: Final = 5 * 366 * DAY_S
"""Ours: no contract is counted longer in one piece."""
DUE_MOST: Final = 6
"""Ours: so many values on demand in one rule set. More of them are a load profile, which is TAF 7 and needs consent."""
EXACT: Final = Context(prec=200)
"""Enough digits that no sum of numbers that are let in is rounded."""
PROFILE_MOST: Final = 288
"""Ours: a zone every five minutes of a day."""
_MOST: Final = 10_000
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Stage:
    """A zone: its number, and the register that counts it."""

    number: int
    obis: Obis


@dataclass(frozen=True, slots=True)
class Event:
    """Beyond this, a value of this quantity is sent; again only after it was back. The limit is in the unit that the
    list of readings has."""

    obis: Obis
    above: Decimal | None
    below: Decimal | None

    def beyond(self, value: Decimal) -> bool:
        """The limit is crossed."""
        return (self.above is not None and value > self.above) or (self.below is not None and value < self.below)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One contract's rule. Times are seconds since 1970, UTC. `days`: date -> its profiles."""

    taf: int
    start_s: int
    end_s: int
    stages: tuple[Stage, ...] = ()
    default: int | None = None
    profiles: Mapping[str, tuple[tuple[int, int], ...]] | None = None
    """Name -> (seconds after midnight, stage), in order."""
    days: Mapping[date, tuple[str, ...]] | None = None
    capture_s: int = CAPTURE_S
    due_s: tuple[int, ...] = ()
    events: tuple[Event, ...] = ()
    cyclic: bool = True
    """Sends every `capture_s`; else on events only."""
    pseudonym: str | None = None

    @property
    def modelled(self) -> bool:
        """It can be switched on."""
        return self.taf in MODELLED

    def switched_on(self) -> RuleSet:
        """Itself. Raises RuleError (not-modelled)."""
        if not self.modelled:
            name = f"TAF {self.taf} ({USE_CASES[self.taf]})"
            raise RuleError(
                "not-modelled", f"{name} is kept as data and cannot be switched on; 1, 2, 6, 7, 9, 10, 14 can"
            )
        return self


def load(given: object) -> RuleSet:
    """A rule set of its object. Raises RuleError."""
    if given is None:
        raise RuleError("rule", "the rule set is missing: an object with taf, start, duration_s, stages")
    if not isinstance(given, Mapping):
        raise RuleError("rule", f"a rule set is an object, not {type(given).__name__}")
    taf = whole(given, "taf", 1, 14)
    start_s = seconds(given.get("start"), "start")
    end_s = start_s + whole(given, "duration_s", 0 if taf == 6 else 1, LONGEST_S, default=0 if taf == 6 else None)
    stages = tuple(_stages(_listed(given, "stages")))
    numbers = {stage.number for stage in stages}
    default = whole(given, "default_tariff", 0, 255) if given.get("default_tariff") is not None else None
    if default is not None and stages and default not in numbers:
        raise RuleError("default", f"default_tariff {default} is no stage; there are {_names(numbers)}")
    profiles = _profiles(given.get("day_profiles") or {}, numbers)
    pseudonym = given.get("pseudonym")
    if pseudonym is not None and not (isinstance(pseudonym, str) and 0 < len(pseudonym) <= 64):
        raise RuleError("pseudonym", "a pseudonym is a text of 1 to 64 letters")
    most_s = TAF14_MOST_S if taf == 14 else DAY_S
    rule = RuleSet(
        taf, start_s, end_s, stages, default, profiles, _days(_listed(given, "days"), profiles),
        whole(given, "capture_s", 1, most_s, default=min(CAPTURE_S, most_s)),
        tuple(seconds(one, "due") for one in _listed(given, "due")),
        tuple(_event(one) for one in _listed(given, "events")),
        given.get("capture_s") is not None or not given.get("events"), pseudonym,
    )  # fmt: skip
    _check(rule)
    return rule


def _check(rule: RuleSet) -> None:
    if rule.taf in (1, 2) and not [stage for stage in rule.stages if stage.obis.e != ERROR_TARIFF]:
        raise RuleError("stages", f"TAF {rule.taf} needs a stage")
    if rule.pseudonym is not None and rule.taf not in (9, 10):
        raise RuleError("pseudonym", f"TAF {rule.taf} is billed, and names its meter; TAF 9 and 10 have pseudonyms")
    if rule.events and rule.taf not in (9, 10):
        raise RuleError("events", f"TAF {rule.taf} sends nothing on events; TAF 9 and 10 do")
    if rule.due_s and rule.taf != 6:
        raise RuleError("due", f"TAF {rule.taf} has no due dates; TAF 6 has")
    if len(rule.due_s) > DUE_MOST:
        raise RuleError("due", f"{len(rule.due_s)} due dates are a load profile; {DUE_MOST} are the most")
    if len(set(rule.due_s)) < len(rule.due_s):
        raise RuleError("due", "a due date is named twice")


def _stages(given: list[Any]) -> Iterable[Stage]:
    numbers, codes = set(), set()
    for one in given:
        if not isinstance(one, Mapping):
            raise RuleError("stages", "a stage is an object with n and obis")
        stage = Stage(whole(one, "n", 0, 255), known(one.get("obis")))
        if not stage.obis.is_register or stage.obis.e == 0:
            raise RuleError("stages", f"{stage.obis} counts no zone: a stage has a register with a tariff (E > 0)")
        if stage.number in numbers or stage.obis in codes:
            raise RuleError("stages", f"stage {stage.number} ({stage.obis}) is there twice")
        numbers.add(stage.number)
        codes.add(stage.obis)
        yield stage


def _profiles(given: object, numbers: set[int]) -> dict[str, tuple[tuple[int, int], ...]]:
    if not isinstance(given, Mapping) or len(given) > _MOST:
        raise RuleError("day-profiles", "day_profiles is an object: name -> [[HH:MM, stage], ...]")
    made = {}
    for name, rows in given.items():
        where = f"day profile {quoted(name)}"
        if not isinstance(rows, list) or not 0 < len(rows) <= PROFILE_MOST:
            raise RuleError("day-profiles", f"{where} is no list of 1 to {PROFILE_MOST} [HH:MM, stage]")
        entries: list[tuple[int, int]] = []
        for row in rows:
            match row:
                case [str(clock), int(stage)] if (found := _CLOCK.fullmatch(clock)) and not isinstance(stage, bool):
                    at_s = int(found[1]) * 3_600 + int(found[2]) * 60
                case _:
                    raise RuleError("day-profiles", f"{where}: {quoted(row)} is no [HH:MM, stage]")
            if stage not in numbers:
                raise RuleError("day-profiles", f"{where} names stage {stage}; there are {_names(numbers)}")
            if entries and at_s <= entries[-1][0]:
                raise RuleError("day-profiles", f"{where}: {clock} does not come after the time before it")
            entries.append((at_s, stage))
        made[str(name)] = tuple(entries)
    return made


def _days(given: list[Any], profiles: Mapping[str, object]) -> dict[date, tuple[str, ...]]:
    made: dict[date, tuple[str, ...]] = {}
    for row in given:
        match row:
            case [str(day), str() | int() as name]:
                key = _date(day)
            case _:
                raise RuleError("days", f"{quoted(row)} is no [date, profile]")
        if str(name) not in profiles:
            raise RuleError("days", f"{day} has the profile {quoted(name)}, which is not there")
        if str(name) in made.get(key, ()):
            raise RuleError("days", f"{day} has the profile {quoted(name)} twice")
        made[key] = (*made.get(key, ()), str(name))
    return made


def _event(given: object) -> Event:
    if not isinstance(given, Mapping) or not {"above", "below"} & given.keys():
        raise RuleError("events", "an event is an object with obis and above, or below, or both")
    limits = [given.get(side) for side in ("above", "below")]
    above, below = (None if limit is None else number(limit, "events") for limit in limits)
    return Event(known(given.get("obis")), above, below)


# --- values of objects -------------------------------------------------------------------------------------------


def seconds(given: object, clause: str) -> int:
    """An ISO 8601 time with its offset, of whole seconds. Raises RuleError."""
    try:
        if isinstance(given, str) and len(given) <= 40:
            at = datetime.fromisoformat(given)
            if at.tzinfo is not None and not at.microsecond and 1970 <= at.astimezone(UTC).year < 2200:
                return int(at.timestamp())
    except (ValueError, OverflowError):
        pass
    raise RuleError(clause, f"{quoted(given)} is no time: write 2026-01-31T00:00:00+01:00, between 1970 and 2200")


def whole(given: Mapping[str, Any], name: str, least: int, most: int, *, default: int | None = None) -> int:
    """A whole number of an object. Raises RuleError."""
    value = given.get(name, default)
    if value is None:
        raise RuleError(name, f"{name} is missing: a whole number from {least} to {most}")
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RuleError(name, f"{name} is {quoted(value)}, not a whole number from {least} to {most}")
    return value


def number(given: object, clause: str) -> Decimal:
    """A number as it was written; no digit is lost. Raises RuleError."""
    if isinstance(given, int | Decimal) and not isinstance(given, bool) and Decimal(given).is_finite():
        value = Decimal(given)
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -18 and abs(value) < 10**30:
            return value
    raise RuleError(clause, f"{quoted(given)} is no number of this model")


def _listed(given: Mapping[str, Any], name: str) -> list[Any]:
    value = given.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MOST:
        raise RuleError(name, f"{name} is a list of at most {_MOST}")
    return value


def _date(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise RuleError("days", f"{quoted(text)} is no date: write 2026-01-31")


def _names(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers))) or "none"
