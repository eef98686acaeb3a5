"""Bill a consumer of a smart meter gateway for more than was delivered."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.reach import Reach
from sim.smgw.delivered_content import Value
from sim.truth.delivered_values import expected
from sim.truth.ground_truth import Truth

BILLED = "registers billed higher than they were delivered"


@attack(
    id="smgw.false_bill",
    title="Bill a consumer of a smart meter gateway for more than was delivered",
    threats=[],
    can=Can.BILLS,
    ics=["T0831", "T0832"],
    weakness={"system.consumers_look_s": 0.0},
    seen_as="consumer: the bill is not what the readings give",
)
@dataclass
class SmgwFalseBill:
    """A dishonest supplier has true registers and bills higher ones: of every second meter, seven units more. A
    consumer takes the signed readings from the gateway, applies the same rules to them, and sees which registers do not
    agree; who never looks pays. Bills of the other meters are honest, and must not be questioned."""

    at_s: float = 9_000.0
    more: Decimal = Decimal(7)
    sent_ns: int = 0
    false: list[Value] = field(default_factory=list)
    honest: list[Value] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        self.sent_ns = reach.now_ns
        for owner, values in sorted(reach.delivered_by_consumer().items()):
            meters = sorted({one.meter for one in values})
            bill = [self._billed(one, meters.index(one.meter) % 2 == 0) for one in values]
            reach.send_bill(owner, bill)
            reach.note("send a bill", f"{owner}: {len(bill)} registers")

    def _billed(self, value: Value, higher: bool) -> Value:
        if not higher or value.amount is None:
            self.honest.append(value)
            return value
        value = value._replace(amount=value.amount + self.more)
        self.false.append(value)
        return value

    def outcomes(self, truth: Truth) -> list[Outcome]:
        must = expected(truth)
        wrong = [
            one for one in self.false if must.get((one.meter, one.taf, one.obis, one.from_s, one.until_s)) != one.amount
        ]
        meters = tuple(sorted({one.meter for one in wrong}))
        questioned = {alarm.subject for alarm in truth.alarms(("bill",), since_ns=self.sent_ns)}
        honest = {one.meter for one in self.honest}
        return [
            Outcome(
                BILLED, SECURITY, len({one.meter for one in self.false}), len(meters),
                watch=Watch(("bill",), meters, self.sent_ns),
                why=f"{len(wrong)} registers of {len(meters)} meters were billed higher",
                evidence={"honest meters": len(honest), "honest meters questioned": len(honest & questioned)},
            )
        ]  # fmt: skip
