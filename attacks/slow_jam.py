"""Two of three telegrams of each meter, and never three in a row: a jammer that no gap alarm sees."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.parts.survey import Survey
from attacks.reach import Reach
from sim.core.settings import without
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth
from wmbus.errors import BadTelegram
from wmbus.link import Address

SLOW = "two of three telegrams"


@attack(
    id="radio.slow_jam",
    title="Jam two of three telegrams",
    threats=["L26", "G06"],
    can=Can.HEAR | Can.SHAPE,
    ics=["T0814", "T0815"],
    weakness={"portal.alarms": without("completeness")},
    seen_as="alarm: completeness",
)
@dataclass
class SlowJam:
    """Beside the gateway, wait for the headers of some meters of each mode, which carry their addresses in clear, and
    destroy the rest of two frames in three. No meter is silent for long enough that a gap would tell, and month end,
    leak alarms and load profiles miss most of what they need. Counted are the meters' telegrams that no gateway
    received; where a gap alarm tells of one of them, it was not this attack."""

    learn_s: float = 2_700.0
    meters: int = 3
    survey: Survey = field(default_factory=Survey)
    targets: dict[str, str] = field(default_factory=dict)  # address -> security mode
    started_ns: int = 0
    _seen: Counter[bytes] = field(default_factory=Counter)

    def run(self, reach: Reach) -> Steps:
        reach.listen(self.survey.note)
        yield reach.wait_until(self.learn_s)
        for security in SECURITIES:
            for known in self.survey.loudest(security, least=2)[: self.meters]:
                self.targets[known.address] = security
        self.started_ns = reach.now_ns
        reach.note("jam", f"two of three frames of {len(self.targets)} meters")
        reach.on_header(self._strikes)

    def _strikes(self, header: bytes) -> bool:
        try:
            address = str(Address.from_wire(header[2:10]))
        except (BadTelegram, ValueError):
            return False
        if address not in self.targets:
            return False
        self._seen[header[2:10]] += 1
        return self._seen[header[2:10]] % 3 != 0

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        of: dict[str, list[str]] = defaultdict(list)
        for address, security in self.targets.items():
            of[security].append(address)
        fleet, end_ns = truth.world.fleet, truth.world.now_ns
        numbers = {address: fleet.find(address) for address in self.targets}
        sent = Counter(fleet.window(self.started_ns, end_ns).meter.tolist())
        found = []
        for security, meters in of.items():
            all_ = sum(sent[numbers[one]] for one in meters)
            came = sum(1 for one in meters for _ in truth.sent(self.started_ns, end_ns, meter=numbers[one]))
            silent = [alarm for alarm in truth.alarms(["gap"], since_ns=self.started_ns) if alarm.subject in meters]
            found.append(Outcome(
                SLOW, security, reached=0 if silent else all_, achieved=all_ - came,
                watch=Watch(("completeness",), tuple(meters), self.started_ns, share=0.5),
                why=f"{came} of {all_} telegrams of {len(meters)} meters were received",
                evidence={"sent": all_, "received": came, "gap alarms": len(silent)},
                attacked=frozenset(self.targets),
            ))  # fmt: skip
        return found
