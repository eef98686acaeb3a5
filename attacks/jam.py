"""Jamming: transmit over others, all the time or just when one meter speaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from attacks.attack import Can, Curve, Outcome, Steps, Watch, attack
from attacks.parts.survey import Survey
from attacks.reach import Reach
from sim.core.clock import ns
from sim.core.vocabulary import SECURITIES
from sim.meters.sending_times import first_at
from sim.meters.sent_values import Truth as Sent
from sim.truth.ground_truth import Truth
from wmbus.link import Address

SILENCE = "continuous: readings"
BILLING = "continuous: billing at the set date"
REACTIVE = "reactive on one meter: readings"


@attack(
    id="radio.jam",
    title="Jam the air",
    threats=["L25", "L26"],
    can=Can.HEAR | Can.SHAPE,
    ics=["T0814", "T0815", "T0826"],
    weakness={"portal.alarms": [], "portal.billing": "last reading"},
    seen_as="alarm: gap or jam; readings missing",
)
@dataclass
class Jam:
    """First react to single meters (the loudest of each security mode) from `from_s` to `until_s`: wait for the header,
    which carries the address in clear, and destroy the rest of the frame. Then jam the channel without a pause from
    `noise_from_s` to `noise_until_s`.

    Whoever can transmit can silence a radio; encryption changes nothing. What a design can do is notice it and lose no
    billing by it, so the outcomes are: readings missing (noticed or not), the value at the set date right or wrong
    after the noise. A bill is at stake where a silenced meter went on counting until the set date. What a jammer of one
    meter does to the others stands beside it: their share delivered before and meanwhile.
    """

    from_s: float = 3_600.0
    until_s: float = 10_800.0
    noise_from_s: float = 14_400.0
    noise_until_s: float = 25_200.0
    survey: Survey = field(default_factory=Survey)
    targets: dict[str, str] = field(default_factory=dict)  # security -> address

    def run(self, reach: Reach) -> Steps:
        reach.listen(self.survey.note)
        yield reach.wait_until(self.from_s)
        wires = set()
        for security in SECURITIES:
            loudest = self.survey.loudest(security, least=2)
            if loudest:
                self.targets[security] = loudest[0].address
                reach.note("jam", f"from now on every frame of {loudest[0].address} ({security})")
                wires.add(_wire_of(loudest[0].recordings[-1].telegram))
        reach.on_header(lambda header: self._now(reach) and bytes(header[2:10]) in wires)
        yield reach.wait_until(self.noise_from_s)
        reach.note("jam", f"continuous noise until {self.noise_until_s:g} s")
        reach.jam(self.noise_until_s - self.noise_from_s)

    def _now(self, reach: Reach) -> bool:
        return bool(ns(self.from_s) <= reach.now_ns < ns(self.until_s))

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        return [*self._reactive(truth), *self._continuous(truth)]

    def _reactive(self, truth: Truth) -> list[Outcome]:
        start_ns, end_ns = ns(self.from_s), ns(self.until_s)
        found = []
        for security, address in self.targets.items():
            silence = silence_of(truth, address, start_ns, end_ns)
            others = list(self.targets.values())
            before = truth.delivery(2 * start_ns - end_ns, start_ns, security, but=others)
            meanwhile = truth.delivery(start_ns, end_ns, security, but=others)
            found.append(
                Outcome(
                    REACTIVE,
                    security,
                    reached=silence.sent,
                    achieved=silence.lost,
                    watch=Watch(("gap", "jam"), (address,), start_ns),
                    attacked=frozenset((address,)),
                    why=_missing(silence.lost),
                    evidence={
                        "telegrams sent": silence.sent,
                        "lost": silence.lost,
                        "meter": address,
                        "of others delivered before": _share(before),
                        "of others delivered meanwhile": _share(meanwhile),
                    },
                )
            )
        return found

    def _continuous(self, truth: Truth) -> list[Outcome]:
        start_ns, end_ns = ns(self.noise_from_s), ns(self.noise_until_s)
        fleet = truth.world.fleet
        everybody = frozenset(str(fleet.address(meter)) for meter in range(fleet.n))  # noise asks for no address
        found = []
        for security in SECURITIES:
            meters, silenced = silenced_in(truth, start_ns, end_ns, security)
            sent = sum(s.sent for s in silenced.values())
            back = recovered_after(truth, silenced, end_ns)
            found.append(
                Outcome(
                    SILENCE,
                    security,
                    reached=meters,
                    achieved=len(silenced),
                    watch=Watch(("gap", "jam"), tuple(silenced), start_ns, share=0.99),
                    attacked=everybody,
                    why=_missing(len(silenced)),
                    evidence={
                        "meters sending": meters,
                        "meters silenced": len(silenced),
                        "telegrams lost": sent,
                        "recovery, intervals": _of_99_percent(back),
                    },
                    curve=loss_by_level(truth, start_ns, end_ns, security),
                )
            )
            wrong = [a for a in silenced if billing_error(truth, a) != 0]
            # A last telegram that was lost before the noise puts a bill at stake as well; then it only shows as wrong.
            at_stake = {a for a in silenced if moved_before_set_date(truth, a, start_ns)} | set(wrong)
            found.append(
                Outcome(
                    BILLING,
                    security,
                    reached=len(at_stake),
                    achieved=len(wrong),
                    bounded=True,
                    why="billing used a value other than the one at the set date"
                    if wrong
                    else "the next telegram after the noise carries the value at the set date",
                    evidence={
                        "meters silenced": len(silenced),
                        "of them counting until the set date": len(at_stake),
                        "billing wrong": len(wrong),
                    },
                )
            )
        return found


def _missing(lost: int) -> str:
    return "readings are missing" if lost else "nothing was lost"


def _of_99_percent(intervals: list[float]) -> float | str:
    """What 99 % of them, in ascending order, are not above."""
    if not intervals:
        return "nobody was silenced"
    worst = intervals[-(-99 * len(intervals) // 100) - 1]
    return "some never came back" if worst == float("inf") else round(worst, 2)


def _share(counts: tuple[int, int]) -> float:
    sent, heard = counts
    return round(heard / sent, 4) if sent else 0.0


def _wire_of(frame: bytes) -> bytes:
    """The link address as it stands in the first block."""
    return Address.from_wire(frame[2:10]).wire()


# --- what the truth says of it --------------------------------------------------------------------------------------


class Silence(NamedTuple):
    """Telegrams of one meter in a span of time: sent, and not stored."""

    sent: int
    lost: int


def silence_of(truth: Truth, address: str, start_ns: int, end_ns: int) -> Silence:
    """What one meter sent in [start, end), and how much of it is no reading."""
    fleet = truth.world.fleet
    meter = fleet.find(address)
    schedule = fleet.window(start_ns, end_ns)
    sent = int((schedule.meter == meter).sum())
    return Silence(sent, sent - sum(one.reading is not None for one in truth.sent(start_ns, end_ns, meter=meter)))


def silenced_in(truth: Truth, start_ns: int, end_ns: int, security: str) -> tuple[int, dict[str, Silence]]:
    """How many meters of one security mode sent in [start, end), and those of them that no gateway heard then but
    one had heard before: a meter that was never heard was not silenced."""
    fleet = truth.world.fleet
    sent = Counter(fleet.window(start_ns, end_ns).meter.tolist())
    heard = {one.meter for one in truth.sent(start_ns, end_ns)}
    before = {one.meter for one in truth.sent(0, start_ns)}
    ours = [(meter, count) for meter, count in sorted(sent.items()) if fleet.security(meter) == security]
    return len(ours), {
        str(fleet.address(meter)): Silence(count, count) for meter, count in ours if meter in before - heard
    }


LEVEL_STEP_DB = 5


def loss_by_level(truth: Truth, start_ns: int, end_ns: int, security: str) -> Curve | None:
    """The share of telegrams begun in [start, end) that no gateway received, over the mean level at the gateway that
    hears the meter best, in steps of LEVEL_STEP_DB; None where nothing was sent."""
    fleet, links = truth.world.fleet, truth.world.air.links
    sent = Counter(fleet.window(start_ns, end_ns).meter.tolist())
    came = Counter(one.meter for one in truth.sent(start_ns, end_ns))
    of_step: dict[int, list[int]] = {}
    for meter, count in sent.items():
        levels = links.level_cdbm[links.offset[meter] : links.offset[meter + 1]]
        if fleet.security(meter) != security or not len(levels):
            continue
        step = of_step.setdefault(int(levels.max()) // (100 * LEVEL_STEP_DB), [0, 0])
        step[0] += count
        step[1] += count - came[meter]
    points = tuple(
        ((step + 0.5) * LEVEL_STEP_DB, round(lost / count, 4)) for step, (count, lost) in sorted(of_step.items())
    )
    return Curve("level at the loudest gateway, dBm", "share of telegrams lost", points) if points else None


def recovered_after(truth: Truth, addresses: Iterable[str], end_ns: int) -> list[float]:
    """For each meter, how many of its intervals after the noise the first telegram began that became a reading, in
    ascending order; infinite where none did."""
    fleet = truth.world.fleet
    found = []
    for address in addresses:
        meter = fleet.find(address)
        first = next((one for one in truth.sent(end_ns, meter=meter) if one.reading is not None), None)
        interval_ns = int(fleet.population.period_ns[meter])
        found.append(float("inf") if first is None else (first.start_ns - end_ns) / interval_ns)
    return sorted(found)


def _last_before(truth: Truth, meter: int, time_ns: int) -> Sent:
    """What the last telegram that a meter has begun before an instant says."""
    fleet = truth.world.fleet
    meters, one = fleet.population, slice(meter, meter + 1)
    following = int(first_at(meters.t0_ns[one], meters.period_ns[one], meters.acc0[one], time_ns)[0])
    return fleet.truth(meter, following - 1)


def moved_before_set_date(truth: Truth, address: str, since_ns: int) -> bool:
    """Whether the units at the last set date differ from those in the last telegram that began before a time."""
    meter = truth.world.fleet.find(address)
    before = _last_before(truth, meter, since_ns)
    return before.units != _last_before(truth, meter, truth.world.now_ns).set_date_units


def billing_error(truth: Truth, address: str) -> float:
    """Units that a bill at the last set date is off by; infinite when nothing can be billed."""
    world = truth.world
    # The set date is the meter's own; the last telegram that is due by now knows it.
    last = _last_before(truth, world.fleet.find(address), world.now_ns)
    billed = world.stored.billed_units(address, last.set_date)
    return float("inf") if billed is None or last.set_date_units is None else billed - last.set_date_units
