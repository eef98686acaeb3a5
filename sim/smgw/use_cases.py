"""What leaves the gateway under each tariff use case that is modelled, and nothing else.

1         one register a quantity, over whole months
2         a register a zone and the error register
6         readings at due dates
7, 14     readings, period by period
9         feed-in: register and power, by period or event; what is consumed never leaves under it
10        grid values, by period or event
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Final

import numpy as np

from sim.core.quoting import named
from sim.smgw.german_time import local, text
from sim.smgw.metrology import Reading, Series
from sim.smgw.obis_codes import ERROR_TARIFF, Obis
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import EXACT, RuleSet, Stage
from sim.smgw.tariff_engine import integers, totals
from sim.smgw.tariff_zones import Zones, stages_of, zones_of

MONTHS: Final = (1, 2, 3, 6, 12)
"""That a period of TAF 1 may have (TRuDI's tests)."""
VALUES_MOST: Final = 1_000_000
"""Ours: more than that is no delivery."""
_EXPORT, _POWER = 2, 16


@dataclass(frozen=True, slots=True)
class Register:
    """A value that leaves. `at_s`, `meter`: of a reading, not of a sum. `amount` None: there is none that may be used,
    and `ptb` says the status of the one there was."""

    obis: Obis
    amount: Decimal | None
    tariff: int
    at_s: int | None = None
    meter: str | None = None
    ptb: int = 0
    event: bool = False


def evaluate(rule: RuleSet, lists: Sequence[Series]) -> list[Register]:
    """What leaves under this rule. Raises RuleError, and then nothing leaves."""
    with localcontext(EXACT):
        return _RULES[rule.switched_on().taf](rule, lists)


# --- sums ----------------------------------------------------------------------------------------------------------


def _zones(rule: RuleSet, lists: Sequence[Series]) -> list[Register]:
    counted: dict[Obis, Register] = {}
    errors: list[Register] = []
    for quantity, stages, own in _counted(rule, lists):
        # What no meter counts stays at nought: a contract may name export, and the house have none.
        sums = _sums(zones_of(rule, stages), rule, own) if own else [Decimal(0)] * (len(stages) + 1)
        for stage, amount in zip(stages, sums, strict=False):
            counted[stage.obis] = Register(stage.obis, amount, stage.number)
        errors.append(Register(quantity.tariff(ERROR_TARIFF), sums[-1], ERROR_TARIFF))
    order = dict.fromkeys([*(stage.obis for stage in rule.stages), *counted])
    return [counted[obis] for obis in order if obis in counted] + errors


def _months(rule: RuleSet, lists: Sequence[Series]) -> list[Register]:
    begin, end = local(rule.start_s), local(rule.end_s)
    months = (end.year - begin.year) * 12 + end.month - begin.month
    for at in (begin, end):
        if (at.day, at.hour, at.minute, at.second) != (1, 0, 0, 0):
            raise RuleError("period", f"TAF 1 counts whole months; {at.isoformat()} is no month's first midnight")
    if months not in MONTHS:
        raise RuleError("period", f"TAF 1 counts {', '.join(map(str, MONTHS))} months, not {months}")
    out = []
    for quantity, stages, own in _counted(rule, lists):
        if len(stages) > 1:
            raise RuleError("stages", f"TAF 1 has one stage a quantity; {quantity} has {len(stages)}")
        if not own:
            raise RuleError("no-readings", f"stage {stages[0].number} ({stages[0].obis}) has no list of readings")
        amount, _ = _sums(Zones(stages, (rule.start_s,), (0,)), rule, _ends(rule, own))
        out.append(Register(stages[0].obis, amount, stages[0].number))
    return out


def _counted(rule: RuleSet, lists: Sequence[Series]) -> Iterator[tuple[Obis, tuple[Stage, ...], list[Series]]]:
    """Each quantity that stages count, with its lists of readings (it may have none), in the order of the stages."""
    read = list(dict.fromkeys(one.obis.tariff(0) for one in lists if one.obis.is_register))
    named_ = dict.fromkeys(stage.obis.tariff(0) for stage in rule.stages if stage.obis.e != ERROR_TARIFF)
    if not read:
        raise RuleError("no-readings", "no list of readings is of a register")
    # Where stages and lists have nothing in common, the rule set was written for the contract (stages_of).
    for quantity in named_ if set(read) & set(named_) else read:
        own = [one for one in lists if one.obis.tariff(0) == quantity]
        yield quantity, stages_of(rule, quantity, read), own


def _sums(zones: Zones, rule: RuleSet, lists: Sequence[Series]) -> list[Decimal]:
    """The registers of `zones.stages` and the error register, of all meters of one quantity: a usage point may have
    several, and one that was exchanged counts until it goes. In units of the first list's scaler."""
    valid = [one.summed(rule.start_s, rule.end_s) for one in lists]
    if not any(len(readings) > 1 for readings in valid):
        raise RuleError("no-readings", f"{lists[0].obis} has no two readings in the period that may be billed")
    values = [
        reading.value.scaleb(one.scaler - lists[0].scaler)
        for one, readings in zip(lists, valid, strict=True)
        for reading in readings
    ]
    power = min((int(value.as_tuple().exponent) for value in values), default=0)
    exact = integers([int(value.scaleb(-power)) for value in values])
    series = np.repeat(np.arange(len(lists)), [len(readings) for readings in valid])
    at_s = np.array([reading.target_s for readings in valid for reading in readings], dtype=np.int64)
    counted, backwards = totals(zones, series, at_s, exact, len(lists))
    if backwards.any():
        one = lists[int(backwards.argmax())]
        raise RuleError(
            "backwards", f"{one.obis} of meter {named(one.meter)} runs backwards; an exchanged meter has another number"
        )
    return [Decimal(int(amount)).scaleb(power) for amount in counted.sum(axis=0)]


def _ends(rule: RuleSet, lists: Sequence[Series]) -> list[Series]:
    """The first and the last reading of each meter, which are at the period's ends, or where it took over or gave way.
    What is between them does not matter. Raises RuleError (no-value)."""
    spans = [one.summed(rule.start_s, rule.end_s) for one in lists]
    begins, ends = ({span[side].target_s for span in spans if len(span) > 1} for side in (0, -1))
    for one, span in zip(lists, spans, strict=True):
        for side, wanted_s, others in ((0, rule.start_s, ends), (-1, rule.end_s, begins)):
            if len(span) < 2 or span[side].target_s not in (wanted_s, *others):
                missing = f"no value of {one.obis} at {text(wanted_s)} that may be billed"
                raise RuleError("no-value", f"meter {named(one.meter)} has {missing}")
    return [replace(one, readings=(span[0], span[-1])) for one, span in zip(lists, spans, strict=True)]


# --- readings ------------------------------------------------------------------------------------------------------


def _due(rule: RuleSet, lists: Sequence[Series]) -> list[Register]:
    out = []
    for due_s in sorted(rule.due_s) or [rule.start_s]:
        missing = dict.fromkeys(one.obis for one in _chosen(rule, lists))
        for one in _chosen(rule, lists):
            for reading in one.within(due_s, due_s):
                out.append(_value(one, reading))
                missing.pop(one.obis, None)
        if missing:
            raise RuleError("no-value", f"no value of {next(iter(missing))} at {text(due_s)} that may be billed")
    return out


def _profile(rule: RuleSet, lists: Sequence[Series]) -> list[Register]:
    chosen = _chosen(rule, lists)
    if rule.taf != 14:
        chosen = [one for one in chosen if one.obis.is_register]
    return [value for one in chosen for value in _by_period(rule, one)]


def _feed_in(rule: RuleSet, lists: Sequence[Series]) -> list[Register]:
    own = [one for one in _chosen(rule, lists) if one.obis.c == _EXPORT]
    return _nameless(rule, [*own, *(_given_back(one) for one in _chosen(rule, lists) if one.obis.c == _POWER)])


def _grid(rule: RuleSet, lists: Sequence[Series]) -> list[Register]:
    return _nameless(rule, [one for one in _chosen(rule, lists) if not one.obis.is_register])


def _nameless(rule: RuleSet, lists: Sequence[Series]) -> list[Register]:
    """By period and by event, without the meter's number."""
    if not lists:
        raise RuleError("no-readings", f"TAF {rule.taf} has no list of readings that may leave under it")
    out = []
    for one in lists:
        regular = list(_by_period(rule, one)) if rule.cyclic else []
        sent = {value.at_s for value in regular}
        crossed = [value for value in _crossings(rule, one) if value.at_s not in sent]
        out += sorted(regular + crossed, key=lambda value: value.at_s or 0)
    return [Register(one.obis, one.amount, one.tariff, one.at_s, None, one.ptb, one.event) for one in out]


def _by_period(rule: RuleSet, one: Series) -> Iterator[Register]:
    """A row each period, from the period's start to its end, whether there is a reading or not."""
    if (rule.end_s - rule.start_s) // rule.capture_s >= VALUES_MOST:
        raise RuleError("period", f"more than {VALUES_MOST} values; send them in shorter periods")
    found = {reading.target_s: reading for reading in one.readings}
    for at_s in range(rule.start_s, rule.end_s + 1, rule.capture_s):
        reading = found.get(at_s)
        yield _value(one, reading) if reading else Register(one.obis, None, 0, at_s, one.meter)


def _crossings(rule: RuleSet, one: Series) -> Iterator[Register]:
    for event in rule.events:
        if event.obis not in (one.obis, _source(one.obis)):
            continue
        was = False
        for reading in one.within(rule.start_s, rule.end_s):
            now = event.beyond(reading.value)
            if now and not was:
                yield Register(one.obis, reading.value, 0, reading.target_s, one.meter, reading.ptb, event=True)
            was = now


def _given_back(one: Series) -> Series:
    """Power that is fed in, of signed power (16.7.0, consumption positive): as 2.7.0, and 0 while power is consumed."""
    readings = [replace(reading, value=max(-reading.value, Decimal(0))) for reading in one.readings]
    obis = Obis(one.obis.a, one.obis.b, _EXPORT, one.obis.d, one.obis.e, one.obis.f)
    return Series(one.meter, obis, one.scaler, tuple(readings))


def _source(obis: Obis) -> Obis:
    return Obis(obis.a, obis.b, _POWER, obis.d, obis.e, obis.f)


def _value(one: Series, reading: Reading) -> Register:
    amount = reading.value if reading.billed else None
    return Register(one.obis, amount, 0, reading.target_s, one.meter, reading.ptb)


def _chosen(rule: RuleSet, lists: Sequence[Series]) -> list[Series]:
    """Those of the quantities that the rule set names; all where it names none."""
    wanted = {stage.obis.tariff(0) for stage in rule.stages}
    chosen = [one for one in lists if not wanted or one.obis.tariff(0) in wanted]
    if not chosen:
        raise RuleError("no-readings", "no list of readings is of a quantity that the rule set names")
    return chosen


_RULES: Final[dict[int, Callable[[RuleSet, Sequence[Series]], list[Register]]]] = {
    1: _months, 2: _zones, 6: _due, 7: _profile, 9: _feed_in, 10: _grid, 14: _profile,
}  # fmt: skip
