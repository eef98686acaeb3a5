"""Habits from metadata: which flat heats when, guessed from what every telegram shows; and which meter reports
tampering."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, pstdev
from typing import NamedTuple

from numpy import unique

from attacks.attack import Can, Curve, Outcome, Steps, attack
from attacks.parts.roc_auc import beyond_chance, roc, separation, weighted
from attacks.parts.survey import units_read
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.clock import NS_PER_HOUR
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth, fingerprint
from wmbus.errors import BadTelegram
from wmbus.telegram import parse
from wmbus.transport import STS_PERMANENT_ERROR

HEATING = "heating guessed, hour by hour"
ELSEWHERE = "heating guessed, learned in other flats"
ALARM = "tamper bit read"


class Seen(NamedTuple):
    """What one telegram shows to any listener. `units` only where the contents are in clear."""

    time_ns: int
    rssi_dbm: float
    length: int
    status: int
    acc: int
    units: int | None
    mark: str


class Hour(NamedTuple):
    """One meter's hour: features by name, and whether it heated (the truth, for scoring)."""

    hour: int
    features: dict[str, float]
    heated: bool


@attack(
    id="radio.habits",
    title="Learn habits from metadata",
    threats=["L02"],
    can=Can.HEAR,
    ics=["T0887"],
    weakness={"fleet.security": "none"},
    seen_as="nothing: listening leaves no trace",
)
@dataclass
class Habits:
    """For each meter and hour: how many telegrams came, how regularly, how loud, how long, with which status and access
    numbers; in clear telegrams also how far the units moved. The listener even knows which flats heated in the first
    half of the time, weighs its features by that, and guesses the second half. Compared are meters in the same hour:
    that people heat in the morning is known without listening.

    "learned in other flats": half of the meters are the listener's own study, whose heating it knows at all times; the
    others' second half is guessed by what was learned there, and nobody ever told it anything of these.

    Succeeds when the area under the curve is above 0.55, and three standard errors above a guess. "tamper bit":
    telegrams that show the status of a tampered meter in clear.
    """

    seen: dict[tuple[str, str], list[Seen]] = field(default_factory=lambda: defaultdict(list))

    def run(self, reach: Reach) -> Steps:
        reach.note("hear", "watching")
        reach.listen(self.watch)
        yield reach.wait(0)

    def watch(self, heard: Heard) -> None:
        try:
            telegram = parse(heard.telegram)
        except BadTelegram:
            return
        sts = telegram.transport.sts if telegram.transport is not None else 0
        self.seen[telegram.security, str(telegram.address)].append(
            Seen(
                heard.received_ns,
                heard.rssi_dbm,
                len(heard.telegram),
                sts or 0,
                telegram.acc or 0,
                units_read(heard.telegram),
                fingerprint(heard.telegram),
            )
        )

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        heats = heated_hours(truth)
        return [outcome for security in SECURITIES for outcome in self._of(security, truth, heats)]

    def _of(self, security: str, truth: Truth, heats: Mapping[int, Mapping[int, bool]]) -> list[Outcome]:
        mine = {address: seen for (mode, address), seen in self.seen.items() if mode == security}
        if not mine:
            return []
        by_meter = [_hours(seen, truth, heats) for _, seen in sorted(mine.items())]
        every = [h.hour for hours in by_meter for h in hours]
        middle = (min(every) + max(every) + 1) // 2
        scaled = [on_own_scale(hours, middle) for hours in by_meter]
        heard = frozenset(one.mark for seen in mine.values() for one in seen)
        before = [[h for h in hours if h.hour < middle] for hours in scaled]
        later = [[h for h in hours if h.hour >= middle] for hours in scaled]
        return [
            guessed(HEATING, security, before, later, heard),
            guessed(ELSEWHERE, security, scaled[::2], later[1::2], heard),
            *self._alarms(security, mine, heard, truth),
        ]

    @staticmethod
    def _alarms(security: str, mine: dict[str, list[Seen]], heard: frozenset[str], truth: Truth) -> list[Outcome]:
        tampered = truth.tampered()
        shown = right = wrong = 0
        for address, seen in mine.items():
            since_ns = tampered.get(address)
            for one in seen:
                is_so = since_ns is not None and one.time_ns > since_ns
                says = bool(one.status & STS_PERMANENT_ERROR)
                shown += is_so
                right += is_so and says
                wrong += says and not is_so
        if not shown:
            return []
        return [
            Outcome(
                ALARM,
                security,
                reached=shown,
                achieved=right,
                why="the status byte is never encrypted",
                evidence={"telegrams of tampered meters": shown, "alarm bit read": right, "read where none was": wrong},
                heard=heard,
            )
        ]


def guessed(
    variant: str, security: str, known: list[list[Hour]], asked: list[list[Hour]], heard: frozenset[str]
) -> Outcome:
    """Hours of meters whose habits are known, and hours that are guessed by them; a list a meter."""
    weights = weighted([(h.hour, h.features, h.heated) for hours in known for h in hours])
    judged = [h for hours in asked for h in hours]
    scored = [(h.hour, sum(weights[n] * x for n, x in h.features.items()), h.heated) for h in judged]
    auc = separation(scored)
    heated = sum(h.heated for h in judged)
    least = beyond_chance(heated, len(judged) - heated)
    return Outcome(
        variant,
        security,
        reached=len(judged),
        achieved=int(auc > least),
        why=f"area under the curve {auc:.3f}; 0.5 is a coin, {least:.3f} a guess at most",
        evidence={
            "meters learned from": len(known),
            "meters judged": len(asked),
            "hours of meters judged": len(judged),
            "of them heating": heated,
            "area under the curve": round(auc, 3),
        },
        heard=heard,
        curve=Curve("share of idle hours taken for heated", "share of heated hours found", roc(scored)),
    )


def heated_hours(truth: Truth) -> dict[int, dict[int, bool]]:
    """Meter -> hour of the world -> did its units move in the 3 600 s from its first telegram in it, received or not.
    Telegrams that were received would not do: the time between two of them, which everybody hears, says how likely it
    is that units moved between them."""
    out: dict[int, dict[int, bool]] = defaultdict(dict)
    for hour in range(truth.world.now_ns // NS_PER_HOUR - 1):
        sent = truth.world.fleet.window(hour * NS_PER_HOUR, (hour + 1) * NS_PER_HOUR)
        for meter, place in zip(*unique(sent.meter, return_index=True), strict=True):
            begin_ns = int(sent.start_ns[place])
            begin, end = (truth.units_at(int(meter), at_ns) for at_ns in (begin_ns, begin_ns + NS_PER_HOUR))
            if begin is not None:
                out[int(meter)][hour] = begin != end
    return out


def _hours(seen: list[Seen], truth: Truth, heats: Mapping[int, Mapping[int, bool]]) -> list[Hour]:
    """The whole hours of one meter."""
    known = truth.every_known(one.mark for one in seen)
    by_hour: dict[int, list[Seen]] = defaultdict(list)
    for one in seen:
        by_hour[one.time_ns // NS_PER_HOUR].append(one)
    rows = []
    for hour, those in sorted(by_hour.items()):
        after = by_hour.get(hour + 1)
        if after is None or len(those) < 2:
            continue
        first, last = those[0], after[0]
        # What nobody's meter sent says nothing of anybody's heating, and is heard like the rest.
        sent = next((known[one.mark] for one in those if one.mark in known), None)
        heated = None if sent is None else heats.get(sent.meter, {}).get(hour)
        if heated is None:
            continue
        moved = (last.units - first.units) if last.units is not None and first.units is not None else 0
        gaps = [b.time_ns - a.time_ns for a, b in pairwise(those)]
        features = {
            "count": float(len(those)),
            "gap": fmean(gaps),
            "level": fmean(one.rssi_dbm for one in those),
            "spread": pstdev(one.rssi_dbm for one in those),
            "length": fmean(one.length for one in those),
            "status": fmean(one.status for one in those),
            "numbers": float((last.acc - first.acc) % 256),
            "units": float(moved),
        }
        rows.append(Hour(hour, features, heated=heated))
    return rows


def on_own_scale(hours: list[Hour], middle: int) -> list[Hour]:
    """Features as distances from the meter's own habit in the first half, in deviations. The second half has no say in
    it: a mean over both would separate them."""
    first = [h.features for h in hours if h.hour < middle]
    if not first:
        return []
    scale = {n: (fmean(f[n] for f in first), pstdev(f[n] for f in first) or 1.0) for n in first[0]}
    return [h._replace(features={n: (x - scale[n][0]) / scale[n][1] for n, x in h.features.items()}) for h in hours]
