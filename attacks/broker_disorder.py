"""A broker that delivers twice, late, and in another order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.mitm import security_of
from attacks.parts.at_the_broker import in_each_mode
from attacks.reach import Reach
from sim.core.bundle import BadBundle, Bundle
from sim.core.clock import ns
from sim.endpoint.port import Message
from sim.truth.ground_truth import Truth

TWICE, ALARMED = "a reading is stored twice", "an honest gateway is called a twin"
CAME_BEFORE, EQUAL = "it came before", "equal bytes are one bundle"
EACH = 5


@attack(
    id="wan.broker_disorder",
    title="Deliver bundles twice, late, and in another order",
    threats=["W12"],
    can=Can.BROKER,
    ics=["T0856"],
    weakness={"portal.drop_duplicates": False, "portal.checks": []},
    seen_as="nothing: a bundle that came before is dropped",
    refused_as=(CAME_BEFORE, EQUAL),
)
@dataclass
class BrokerDisorder:
    """A broker promises each message at least once and no order. This one delivers every message twice, the last first,
    again with the next delivery, and until `until_s` each fifth bundle a window late, which its gateway has sent again
    by then. Counted are readings beyond one a telegram, and alarms that call a gateway two."""

    from_s: float = 300.0
    until_s: float = 1_500.0
    copies: Counter[str] = field(default_factory=Counter)
    began_ns: int = 0
    _seen: set[bytes] = field(default_factory=set)
    _held: list[tuple[int, Message]] = field(default_factory=list)
    _before: list[Message] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.from_s)
        self.began_ns = reach.now_ns
        reach.deliver_by(lambda messages: self._disorder(reach, messages))

    def _disorder(self, reach: Reach, messages: Sequence[Message]) -> list[Message]:
        now_ns = reach.now_ns
        late = [message for at_ns, message in self._held if at_ns < now_ns]
        self._held = [(at_ns, message) for at_ns, message in self._held if at_ns >= now_ns]
        fresh = []
        for message in messages:
            is_new = message.payload not in self._seen
            self._seen.add(message.payload)
            if is_new and len(self._seen) % EACH == 0 and now_ns < ns(self.until_s):
                self._held.append((now_ns, message))
            else:
                fresh.append(message)
        for message in (*fresh, *self._before):
            self._note(reach, message)
        out = [*reversed(fresh), *late, *reversed(fresh), *self._before]
        self._before = fresh
        return out

    def _note(self, reach: Reach, message: Message) -> None:
        try:
            telegrams = [one.telegram for one in Bundle.decode(message.payload).heard]
        except BadBundle:
            return  # a birth
        self.copies.update(map(security_of, telegrams))
        reach.note_sent(telegrams)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        doubled = Counter(one.row.security for one in truth.altered() if one.how == "doubled")
        named = len(truth.alarms(["twin"], since_ns=self.began_ns))
        total = self.copies.total()
        found = [
            Outcome(TWICE, security, reached=self.copies[security], achieved=doubled[security],
                    why="stored again" if doubled[security] else f"dropped: {CAME_BEFORE}",
                    evidence={"telegrams delivered again": self.copies[security], "doubled": doubled[security]})
            for security in sorted(truth.securities)
        ]  # fmt: skip
        return found + in_each_mode(
            truth, ALARMED, reached=total, achieved=named,
            why="two devices were seen under its name" if named else EQUAL,
            evidence={"telegrams delivered again": total, "alarms": named},
        )  # fmt: skip
