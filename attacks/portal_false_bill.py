"""Run a portal, and bill tenants for more than their meters counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.reach import Reach
from sim.truth.ground_truth import Truth

ALONE = "a bill that is higher than what the portal shows"
BOTH = "a bill that is higher, and a portal that shows the same"


@attack(
    id="portal.false_bill",
    title="Run the portal, and bill tenants for more than their meters counted",
    threats=[],
    can=Can.BILLS,
    ics=["T0831", "T0832"],
    weakness={},
    seen_as="tenant: the bill is not what the portal shows, where the portal does not lie about both",
)
@dataclass
class PortalFalseBill:
    """Whoever runs the portal holds all keys and shows tenants what he wants. A tenant can compare a bill with the own
    view; a portal that adds the same to both is not found out, since no reading is vouched for by anybody else. Only
    the display of the meter itself would tell, which is no part of a world. There is no defence to switch off."""

    tenants: tuple[tuple[str, str], ...]
    at_s: float
    more: int = 7
    billed: dict[str, dict[str, int]] = field(default_factory=dict)
    true: dict[str, int] = field(default_factory=dict)
    sent_ns: dict[str, int] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        for variant, shown_more in ((ALONE, 0), (BOTH, self.more)):
            self.sent_ns[variant] = reach.now_ns + 1
            yield reach.wait(1.0)
            bills = self.billed.setdefault(variant, {})
            for tenant, flat in self.tenants:
                true = reach.units_of(tenant, flat)
                bill = {meter: units + self.more for meter, units in true.items()}
                reach.bill_tenant(tenant, flat, bill, shown_more=shown_more)
                self.true |= true
                bills |= bill
            reach.note("send bills", f"{variant}: {len(bills)} meters")
            yield reach.wait(60.0)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        modes = {one.name: one.security for one in truth.world.system.registry}
        out = []
        for variant, bill in self.billed.items():
            for security in sorted({modes[meter] for meter in bill}):
                own = tuple(meter for meter in sorted(bill) if modes[meter] == security)
                wrong = tuple(meter for meter in own if bill[meter] != self.true[meter])
                out.append(Outcome(
                    variant, security, len(own), len(wrong), watch=Watch(("bill",), wrong, self.sent_ns[variant]),
                    why=f"{len(wrong)} of {len(own)} meters are billed for {self.more} units more",
                    evidence={"meters billed": len(own)},
                ))  # fmt: skip
        return out
