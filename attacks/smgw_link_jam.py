"""Jam the link of single meters to a smart meter gateway while the tariff zone changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.jam import silence_of
from attacks.parts.delivered_forgeries import SECURITY, altered_values
from attacks.parts.survey import Survey
from attacks.reach import Reach
from sim.core.clock import ns
from sim.truth.delivered_values import expected
from sim.truth.ground_truth import Truth
from sim.truth.periods_in_words import Key
from wmbus.link import Address

READINGS = "meter link jammed: readings missing at the gateway"
TARIFF = "meter link jammed over a change of zone: its consumption billed in a tariff"
NO_TARIFF = "no zone rules the whole gap"
_ERROR_REGISTER = ".63*"


@attack(
    id="smgw.link_jam",
    title="Jam a meter's link to its smart meter gateway while the zone changes",
    threats=["L26"],
    can=Can.HEAR | Can.SHAPE,
    ics=["T0814", "T0826"],
    weakness={"system.error_register": False, "portal.alarms": []},
    seen_as="alarm: gap or jam; consumption in the register 63",
    refused_as=(NO_TARIFF,),
)
@dataclass
class SmgwLinkJam:
    """From `within_s` and from `over_s` on, for `lasts_s` each, every frame of the loudest `meters` is destroyed behind
    its address; others are left alone. The first gap lies inside a tariff zone, whose register has its consumption
    afterwards. In the second one the zone changes, and what was counted then is of no known zone: it must stand in the
    register 63 and in no tariff, of these meters alone. Counted are meters that used something in it, by the ledger.
    Control: a gateway without that register, and no alarms."""

    within_s: float
    over_s: float
    lasts_s: float = 2_400.0
    meters: int = 12
    survey: Survey = field(default_factory=Survey)
    targets: list[str] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        reach.listen(self.survey.note)
        yield reach.wait_until(self.within_s)
        loudest = self.survey.loudest(SECURITY, least=2)[: self.meters]
        self.targets = [one.address for one in loudest]
        wires = {Address.from_wire(one.recordings[-1].telegram[2:10]).wire() for one in loudest}
        reach.note("jam", f"every frame of {', '.join(self.targets)}")
        reach.on_header(lambda header: self._now(reach.now_ns) and bytes(header[2:10]) in wires)

    def _now(self, now_ns: int) -> bool:
        return any(ns(from_s) <= now_ns < ns(from_s + self.lasts_s) for from_s in (self.within_s, self.over_s))

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        return [self._readings(truth), self._tariff(truth)]

    def _readings(self, truth: Truth) -> Outcome:
        from_ns, until_ns = ns(self.over_s), ns(self.over_s + self.lasts_s)
        found = {meter: silence_of(truth, meter, from_ns, until_ns) for meter in self.targets}
        lost = {meter: one.lost for meter, one in found.items() if one.lost}
        return Outcome(
            READINGS, SECURITY, sum(one.sent for one in found.values()), sum(lost.values()),
            watch=Watch(("gap", "jam"), tuple(lost), from_ns), attacked=frozenset(self.targets),
            why=f"readings of {len(lost)} meters are missing", evidence={"meters": len(found), "silenced": len(lost)},
        )  # fmt: skip

    def _tariff(self, truth: Truth) -> Outcome:
        unplaced = self.unplaced(truth)
        wrong = {one.meter for one in altered_values(truth)} & {key[0] for key in unplaced}
        units = sum(unplaced.values(), Decimal(0))
        return Outcome(
            TARIFF, SECURITY, len(unplaced), len(wrong),
            why=f"registers of {len(wrong)} meters are wrong" if wrong else NO_TARIFF,
            attacked=frozenset(self.targets),
            evidence={"meters that used something in the gap": len(unplaced), "units of no known zone": str(units),
                      "meters with wrong registers": len(wrong)},
        )  # fmt: skip

    def unplaced(self, truth: Truth) -> dict[Key, Decimal]:
        """What the jammed meters used in gaps with a change of zone, by the ledger: nothing of other gaps is in it."""
        return {key: amount for key, amount in error_registers(truth).items() if key[0] in self.targets}


def error_registers(truth: Truth) -> dict[Key, Decimal]:
    """Registers 63 that are not to be empty, by the ledger."""
    return {key: amount for key, amount in expected(truth).items() if _ERROR_REGISTER in key[2] and amount}
