"""Habits from what a party lawfully gets: the receiver of values, and whoever hands messages on."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.habits import HEATING, Habits, Hour, guessed, heated_hours, on_own_scale
from attacks.reach import Reach
from sim.core.bundle import BadBundle, Bundle, Heard
from sim.core.clock import NS_PER_HOUR
from sim.smart_metering.contract import DAY_ZONE
from sim.smgw.delivered_content import decode
from sim.smgw.german_time import local
from sim.smgw.obis_codes import ERROR_TARIFF
from sim.smgw.refusals import RuleError
from sim.systems.port import Delivered, Passed
from sim.truth.ground_truth import Truth

RECEIVED = "heating guessed from the values that a receiver gets"
RELAYED = "heating guessed from messages that are handed on"
_HOUR_S, _QUARTER_S = 3_600, 900
Values = tuple[list[tuple[int, float]], list[Delivered]]
"""Of one meter: readings (instant, amount) by time; sums of periods."""
NOTHING: Values = ([], [])


@attack(
    id="lawful.habits",
    title="Learn habits from what one lawfully gets",
    threats=["P02"],
    can=Can.LAWFUL,
    ics=["T0887"],
    weakness={},
    weakness_of={
        "smgw": {
            "system.taf": 7,
            "system.delivery_s": 86_400.0,
            "system.seal_content": False,
            "system.verify_content": False,
        }
    },
    seen_as="nothing: everything was meant for them",
)
@dataclass
class LawfulHabits:
    """Nobody breaks anything. The receiver of values (the portal's operator, or a supplier) takes what he has of each
    meter and hour: what was counted between two readings, or where he has sums alone an hour's share of the sum of its
    period and zone. Whoever hands messages on (the broker's operator, or the administrator) takes how many came in an
    hour, how long they are, and what stands in them in clear. Both even know which flats heated in the first half of
    the time, weigh what they have by that, and guess the second half, by the same classifier as the listener by radio
    (radio.habits): meters are compared in the same hour, each on its own scale. Control of smgw: contracts under TAF 7
    whose values are not sealed, so that both have readings."""

    passed: list[Passed] = field(default_factory=list)
    _reach: Reach | None = None

    def run(self, reach: Reach) -> Steps:
        reach.note("receive", "what is meant for one")
        self._reach = reach
        reach.watch_passed(self.passed.append)
        yield reach.wait(0)

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        assert self._reach is not None, "it was run"
        values = _by_meter(self._reach.values_received())
        heats = heated_hours(truth)
        return [
            outcome
            for security in sorted(truth.world.spec.system.securities)
            if (hours := _attached(heats, security, truth))
            for outcome in self._of(security, hours, values, truth)
        ]

    def _of(
        self, security: str, hours: dict[str, dict[int, bool]], values: Mapping[str, Values], truth: Truth
    ) -> list[Outcome]:
        epoch_s = int(truth.world.calendar.start.timestamp())
        received = [
            [Hour(hour, _received(values.get(meter, NOTHING), epoch_s + hour * _HOUR_S), heated) for hour, heated in
             own.items()]
            for meter, own in sorted(hours.items())
        ]  # fmt: skip
        out = [_outcome(RECEIVED, security, received)]
        relayed = self._from_telegrams(security, truth) if _telegrams(self.passed) else None
        return [*out, relayed or _outcome(RELAYED, security, self._by_gateway(hours, truth))]

    def _by_gateway(self, hours: dict[str, dict[int, bool]], truth: Truth) -> list[list[Hour]]:
        """Sealed messages name a gateway and no meter; what stands in clear is read."""
        readable = _by_meter(_in_clear(self.passed))
        epoch_s = int(truth.world.calendar.start.timestamp())
        seen: dict[tuple[str, int], list[int]] = defaultdict(list)
        for one in self.passed:
            seen[one.gateway, one.time_ns // NS_PER_HOUR].append(len(one.payload))
        of = {entry.name: next(iter(entry.gateways), "") for entry in truth.world.system.registry}
        return [
            [
                Hour(
                    hour,
                    {
                        "messages": float(len(got)),
                        "bytes": float(sum(got)),
                        **_received(readable.get(meter, NOTHING), epoch_s + hour * _HOUR_S),
                    },
                    heated,
                )
                for hour, heated in own.items()
                for got in (seen.get((of.get(meter, ""), hour), []),)
            ]
            for meter, own in sorted(hours.items())
        ]

    def _from_telegrams(self, security: str, truth: Truth) -> Outcome | None:
        """Bundles hold telegrams as meters sent them: what a listener by radio has."""
        listener = Habits()
        for heard in _telegrams(self.passed):
            listener.watch(heard)
        found = [one for one in listener.outcomes(truth) if (one.variant, one.security) == (HEATING, security)]
        return Outcome(
            RELAYED, security, found[0].reached, found[0].achieved, why=found[0].why, evidence=found[0].evidence,
            curve=found[0].curve,
        ) if found else None  # fmt: skip


def _outcome(variant: str, security: str, hours: list[list[Hour]]) -> Outcome:
    every = [one.hour for own in hours for one in own]
    middle = (min(every) + max(every) + 1) // 2
    scaled = [on_own_scale(own, middle) for own in hours]
    before = [[one for one in own if one.hour < middle] for own in scaled]
    later = [[one for one in own if one.hour >= middle] for own in scaled]
    return guessed(variant, security, before, later, frozenset())


def _telegrams(passed: Iterable[Passed]) -> list[Heard]:
    out: list[Heard] = []
    for one in passed:
        try:
            out += Bundle.decode(one.payload).heard
        except BadBundle:
            continue
    return out


def _in_clear(passed: Iterable[Passed]) -> list[Delivered]:
    """Values of deliveries that are not sealed."""
    out: list[Delivered] = []
    for one in passed:
        try:
            read = decode(one.payload)
        except RuleError:
            continue
        out += [Delivered(read.receiver, read.gateway, value.meter, value.taf, *value[2:7]) for value in read.values]
    return out


def _by_meter(values: Iterable[Delivered]) -> dict[str, Values]:
    out: dict[str, Values] = defaultdict(lambda: ([], []))
    for one in values:
        if one.amount is None or one.taf == 6:
            continue
        if one.from_s is None:
            out[one.meter][0].append((one.until_s, float(one.amount)))
        else:
            out[one.meter][1].append(one)
    for readings, _ in out.values():
        readings.sort()
    return out


def _received(values: Values, from_s: int) -> dict[str, float]:
    """What is known of an hour: the difference of readings around it, and its share of sums."""
    readings, sums = values
    share = 0.0
    for one in sums:
        if not (one.from_s or 0) <= from_s < one.until_s:
            continue
        if _rules(one.tariff, from_s):
            share += float(one.amount or 0) / ((one.until_s - (one.from_s or 0)) / _HOUR_S)
    # A gateway's value of an instant may be some telegrams old, so an hour is looked at from each quarter of it.
    moved = {f"moved from {shift_s} s": _moved(readings, from_s + shift_s) for shift_s in range(0, _HOUR_S, _QUARTER_S)}
    return {**moved, "share": share}


def _rules(tariff: int, from_s: int) -> bool:
    """Zone 2 rules by day; the one zone of TAF 1, always."""
    by_day = local(from_s).hour in range(*DAY_ZONE)
    return tariff != ERROR_TARIFF and (tariff == 2) == by_day


def _moved(readings: list[tuple[int, float]], from_s: int) -> float:
    """Between the first reading in an hour and the first behind it."""
    at = bisect_left(readings, (from_s, float("-inf")))
    end = bisect_left(readings, (from_s + _HOUR_S, float("-inf")))
    return readings[end][1] - readings[at][1] if at < end < len(readings) else 0.0


def _attached(heats: Mapping[int, dict[int, bool]], security: str, truth: Truth) -> dict[str, dict[int, bool]]:
    """By address, those of this mode whose values somebody gets."""
    attached, fleet = truth.world.system.attached, truth.world.fleet
    return {
        str(fleet.address(meter)): own for meter, own in heats.items()
        if fleet.security(meter) == security and (attached is None or attached[meter] >= 0)
    }  # fmt: skip
