"""Freshness poisoning: use up the numbers and minutes that a meter is about to use."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.parts import forgery
from attacks.parts.survey import Known, Survey
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.clock import ns
from sim.core.settings import without
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth

TIMED = "genuine telegrams refused"
TIMELESS = "no time inside: genuine telegrams refused"
ALL_TAKEN = "every genuine telegram was taken"


@attack(
    id="radio.poison",
    title="Make genuine telegrams look old",
    threats=["L23"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0814", "T0856"],
    weakness={"portal.checks": without("bind", "mcr", "ts", "age")},
    seen_as="refused: replayed; an alarm for each meter whose genuine telegrams are refused",
    refused_as=(ALL_TAKEN,),
)
@dataclass
class Poison:
    """After each telegram of a meter send it again under access numbers that come next and far ahead; a clear one also
    under the minutes that come next. What the portal takes it marks as seen, and then the meter's own telegram of that
    number or minute looks like the replay.

    Counted are genuine telegrams that a gateway received and the portal refused.
    """

    learn_s: float = 600.0
    until_s: float = 3_000.0
    targets_each: int = 2
    makers: tuple[str, ...] = ("QDS",)
    timeless: tuple[str, ...] = ("TCH",)
    ahead: tuple[int, ...] = (1, 2, 3, 16, 32, 48, 64, 80, 96, 112)
    minutes: tuple[int, ...] = (1, 2, 3, 4)
    survey: Survey = field(default_factory=Survey)
    targets: dict[str, tuple[str, str]] = field(default_factory=dict)  # address -> variant, security
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _own: set[bytes] = field(default_factory=set)

    def run(self, reach: Reach) -> Steps:
        reach.listen(lambda heard: self._heard(reach, heard))
        yield reach.wait_until(self.learn_s)
        for security in SECURITIES:
            for variant, makers in ((TIMED, self.makers), (TIMELESS, self.timeless)):
                for known in self.survey.loudest(security, makers=makers, least=2)[: self.targets_each]:
                    self.targets[known.address] = variant, security
                    reach.note("speak", f"poisoning {known.address}")

    def _heard(self, reach: Reach, heard: Heard) -> None:
        if heard.telegram in self._own:
            return
        known = self.survey.note(heard)
        if known is not None and known.address in self.targets and reach.now_ns < ns(self.until_s):
            reach.go(self._poison(reach, known, heard.telegram))

    def _poison(self, reach: Reach, known: Known, telegram: bytes) -> Steps:
        acc = forgery.access_number(telegram)
        forged = [forgery.with_access_number(telegram, (acc + step) % 256) for step in self.ahead]
        if known.security == "none":
            forged = [
                forgery.with_clock_of(frame, telegram, later_minutes=later)
                for frame, later in zip(forged, self.minutes, strict=False)
            ]
        for frame in forged:
            yield reach.wait(0.4)
            self._own.add(frame)
            self.sent[known.address] += 1
            reach.speak(frame)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        start_ns, end_ns = ns(self.learn_s), ns(self.until_s)
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        for address, place in self.targets.items():
            groups[place].append(address)
        found = []
        for (variant, security), addresses in groups.items():
            came = [judged(truth, address, start_ns, end_ns) for address in addresses]
            received, refused = (sum(counts) for counts in zip(*came, strict=True))
            found.append(
                Outcome(
                    variant,
                    security,
                    reached=received,
                    achieved=refused,
                    watch=Watch(("freshness",), tuple(addresses), start_ns),
                    attacked=frozenset(addresses),
                    why=f"{refused} of {received} genuine telegrams refused as replays" if refused else ALL_TAKEN,
                    evidence={
                        "forged telegrams sent": sum(self.sent[address] for address in addresses),
                        "genuine received": received,
                        "genuine refused": refused,
                    },
                )
            )
        return found


def judged(truth: Truth, address: str, start_ns: int, end_ns: int) -> tuple[int, int]:
    """(genuine telegrams of a meter sent in [start, end) that a gateway received, those of them that are no reading and
    that the portal refused)."""
    came = list(truth.sent(start_ns, end_ns, meter=truth.world.fleet.find(address)))
    return len(came), sum(sent.reading is None and bool(truth.refused_as(sent.mark)) for sent in came)
