"""Tap the lines of smart meter gateways, decrypt nothing, and tell from times and sizes what happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final, NamedTuple

from attacks.attack import Can, Curve, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.parts.discriminant import Row, learned, scores
from attacks.parts.records_seen import Records
from attacks.parts.roc_auc import beyond_chance, roc, separation
from attacks.reach import Reach
from sim.core.clock import NS_PER_S, ns
from sim.core.events import GatewayDisturbed, GatewayWoken, RuleSetTaken, SnapshotAsked
from sim.smart_metering.wan.world_line import Passing
from sim.systems._smgw_running import smgw
from sim.truth.ground_truth import Truth
from wmbus.tls_records import APPLICATION, HEADER_BYTES

OPENED = "housing opened, told from the line"
RULES = "rule set changed, told from the line"
DEMAND = "values on demand, told from the line"
WOKEN = "administrator's call, told from the line"
WHICH = "alarm or rule set: which of the two, told from the line"
_QUARTER_NS: Final = 900 * NS_PER_S
Place = tuple[str, int]
"""Gateway, quarter hour from the beginning."""


class Drop(NamedTuple):
    """What was seen at an instant: a record, or (`length` 0) a datagram."""

    time_ns: int
    outward: bool
    length: int


@attack(
    id="smgw.wire",
    title="Tell from the line of a smart meter gateway what happened",
    threats=["W13"],
    can=Can.TAP,
    ics=["T0887"],
    weakness={"system.padding_bytes": 0, "system.dummy_every_s": 0.0},
    seen_as="nothing: a tap leaves no trace",
)
@dataclass
class SmgwWire:
    """A tap on every gateway's line hears TLS records with time, direction and length, and datagrams, and opens none.
    Of each quarter hour it takes how many came each way, their sum, the longest, and how many of each common length, of
    this quarter and of the next. Half of the gateways are its own study: of these it knows what happened when. What
    weighs how much (a linear discriminant) and which lengths are common is learned there and nowhere else; told is what
    happened at the other half, gateways compared in the same quarter hour. Succeeds when the area under the curve is
    above 0.55, and three standard errors above a guess.

    "which of the two": of quarters in which a gateway told of its housing or fetched a rule set, which it was. Control:
    no padding, no dummies. `more_heating` asks of the quarter hours in which values leave whether that house heated
    more than in the median of its periods; a container's length hardly says so, so no verdict hangs on it."""

    seen: dict[str, list[Drop]] = field(default_factory=lambda: defaultdict(list))
    _streams: dict[tuple[str, bool], Records] = field(default_factory=lambda: defaultdict(Records))

    def run(self, reach: Reach) -> Steps:
        reach.note("tap", "the lines of all gateways")
        reach.tap_lines(self._watch)
        yield reach.wait(0)

    def _watch(self, passing: Passing) -> None:
        if passing.datagram:
            self.seen[passing.gateway].append(Drop(passing.time_ns, passing.outward, 0))
            return
        for record in self._streams[passing.gateway, passing.outward].feed(passing.data):
            if record.kind == APPLICATION:
                self.seen[passing.gateway].append(Drop(passing.time_ns, passing.outward, HEADER_BYTES + record.length))

    # --- what came of it ----------------------------------------------------------------------------------------

    def more_heating(self, truth: Truth) -> Outcome:
        """See above. Its area is a figure, and `achieved` whether it is more than a guess."""
        gateways, features = self._features(truth)
        return self._told("more heating", gateways, _used(truth, gateways), features)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        gateways, features = self._features(truth)
        quarters = truth.world.now_ns // _QUARTER_NS
        history = truth.world.history
        opened = _places(history.of(GatewayDisturbed))
        rules = _places(one for one in history.of(RuleSetTaken) if one.taf != _ON_DEMAND)
        demand = _places(history.of(SnapshotAsked))
        woken = _places(history.of(GatewayWoken))
        every = [(gateway, quarter) for gateway in gateways for quarter in range(quarters)]
        asked: dict[str, dict[Place, bool]] = {
            OPENED: {place: place in opened for place in every},
            RULES: {place: place in rules for place in every},
            DEMAND: {place: place in demand for place in every},
            WOKEN: {place: place in woken for place in every},
            WHICH: {place: place in opened for place in every if (place in opened) != (place in rules)},
        }
        return [self._told(variant, gateways, labels, features) for variant, labels in asked.items() if
                any(labels.values())]  # fmt: skip

    def _features(self, truth: Truth) -> tuple[list[str], dict[Place, dict[str, float]]]:
        """Gateways, and what each of their quarter hours showed."""
        gateways = [gateway.id for gateway in truth.world.gateways]
        quarters = truth.world.now_ns // _QUARTER_NS
        drops: dict[Place, list[Drop]] = defaultdict(list)
        for gateway in gateways:
            for one in self.seen[gateway]:
                drops[gateway, _quarter(one.time_ns)].append(one)
        studied = Counter(_size(one) for gateway in gateways[::2] for one in self.seen[gateway] if one.length)
        common = [size for size, _ in studied.most_common(_COMMON)]
        own = {
            (gateway, quarter): _of(drops[gateway, quarter], common)
            for gateway in gateways for quarter in range(quarters + 1)
        }  # fmt: skip
        return gateways, {
            place: own[place] | {f"next {name}": x for name, x in own[place[0], place[1] + 1].items()}
            for place in own if place[1] < quarters
        }  # fmt: skip

    @staticmethod
    def _told(
        variant: str, gateways: list[str], labels: Mapping[Place, bool], features: Mapping[Place, dict[str, float]]
    ) -> Outcome:
        # Which of two is asked of few quarters: there are no two of the same one to compare.
        together = variant == WHICH

        def rows(some: list[str]) -> list[Row]:
            chosen = set(some)
            return [(0 if together else place[1], features[place], wanted) for place, wanted in sorted(labels.items())
                    if place[0] in chosen]  # fmt: skip

        judged = rows(gateways[1::2])
        scored = scores(judged, learned(rows(gateways[::2])))
        area = separation(scored)
        so = sum(wanted for _, _, wanted in judged)
        least = beyond_chance(so, len(judged) - so)
        return Outcome(
            variant, SECURITY, reached=len(judged), achieved=int(area > least),
            why=f"area under the curve {area:.3f}; 0.5 is a coin, {least:.3f} a guess at most",
            evidence={
                "gateways learned from": len(gateways[::2]), "gateways judged": len(gateways[1::2]),
                "quarter hours judged": len(judged), "of them so": so,
                "area under the curve": round(area, 3),
            },
            curve=Curve("share of the others taken for it", "share of them found", roc(scored)),
        )  # fmt: skip


_ON_DEMAND: Final = 6
_COMMON: Final = 16
_SIZE_STEP: Final = 16


def _size(one: Drop) -> tuple[bool, int]:
    """Direction and length, roughly: signatures in DER differ by a byte or two."""
    return one.outward, one.length // _SIZE_STEP


def _quarter(time_ns: int) -> int:
    """What passes at the end of one is of it."""
    return max(0, time_ns - 1) // _QUARTER_NS


def _places(events: Iterable[GatewayDisturbed | GatewayWoken | RuleSetTaken | SnapshotAsked]) -> set[Place]:
    return {(one.gateway, _quarter(one.time_ns)) for one in events}


def _of(drops: list[Drop], common: list[tuple[bool, int]]) -> dict[str, float]:
    """What a quarter hour showed."""
    sizes = Counter(_size(one) for one in drops if one.length)
    out: dict[str, float] = {"datagrams": float(sum(one.length == 0 for one in drops))}
    for name, outward in (("out", True), ("in", False)):
        lengths = [one.length for one in drops if one.outward == outward and one.length]
        out |= {f"{name} count": float(len(lengths)), f"{name} bytes": float(sum(lengths)),
                f"{name} longest": float(max(lengths, default=0))}  # fmt: skip
    out |= {f"{'out' if outward else 'in'} of {step}": float(sizes[outward, step]) for outward, step in common}
    return out


def _used(truth: Truth, gateways: list[str]) -> dict[Place, bool]:
    """The last quarter of each whole period -> did that house heat more in it than in the median of its periods."""
    world = truth.world
    attached, period_ns = world.system.attached, ns(smgw(world.system).settings.delivery_s)
    assert attached is not None, "each meter is one gateway's"
    by_period: dict[str, dict[int, int]] = {gateway: defaultdict(int) for gateway in gateways}
    for meter in range(world.fleet.n):
        if attached[meter] < 0:
            continue
        for period in range(world.now_ns // period_ns):
            begin, end = (truth.units_at(meter, at * period_ns) for at in (period, period + 1))
            if begin is not None and end is not None:
                by_period[gateways[attached[meter]]][period] += end - begin
    out: dict[Place, bool] = {}
    for gateway, periods in by_period.items():
        usual = median(periods.values()) if periods else 0
        for period, units in periods.items():
            out[gateway, (period + 1) * period_ns // _QUARTER_NS - 1] = units > usual
    return out
