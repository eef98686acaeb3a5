"""Ask a smart meter gateway for values on demand again and again, as a supplier who has no contract for a profile."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.reach import Reach
from sim.core.clock import NS_PER_S
from sim.smgw.rule_set import DUE_MOST
from sim.truth.ground_truth import Truth

PROFILE = "a load profile by snapshots, differenced"


@attack(
    id="smgw.snapshots",
    title="Make a load profile of values on demand",
    threats=["P02"],
    can=Can.RELAY,
    ics=["T0811"],
    weakness={"system.limit_snapshots": False},
    seen_as="gateway: value on demand refused",
)
@dataclass
class SmgwSnapshots:
    """A supplier asks for the register (TAF 6) of every meter at each full hour and takes the difference of neighbours:
    where two snapshots are there, he knows what that flat used in that hour. Counted are hours beyond those that lie
    between the due dates that one rule set may name, since so many he gets by the rules; that he knows those is said
    beside it. Only differences that are what the meter counted are counted."""

    gateway: int = 0
    hours: int = 12
    asked: list[int] = field(default_factory=list)
    taken: int = 0

    def run(self, reach: Reach) -> Steps:
        for _ in range(self.hours):
            due_s = int(reach.today_utc().timestamp()) // 3_600 * 3_600 + 3_600
            self.asked.append(due_s)
            self.taken += reach.ask_snapshot(self.gateway, due_s)
            yield reach.wait(3_600.0)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        name = truth.world.gateways[self.gateway].id
        asked = set(self.asked)
        by_meter: dict[str, dict[int, int]] = defaultdict(dict)
        for one in truth.world.system.delivered():
            if one.taf == 6 and one.gateway == name and one.until_s in asked and one.amount is not None:
                by_meter[one.meter][one.until_s] = int(one.amount)
        shown = _shown(truth)
        hours = beyond = 0
        for meter, values in by_meter.items():
            right = [
                before == later - 3_600 and {values[before], values[later]} <= shown.get(meter, set())
                for before, later in pairwise(sorted(values))
            ]
            hours += sum(right)
            beyond += max(0, sum(right) - (DUE_MOST - 1))
        why = f"{self.taken} of {len(self.asked)} snapshots taken: {hours} hours of {len(by_meter)} flats known"
        evidence: dict[str, int | float | str] = {
            "snapshots asked for": len(self.asked), "taken": self.taken, "flats": len(by_meter), "hours known": hours,
            "of them beyond one rule set": beyond,
        }  # fmt: skip
        return [Outcome(PROFILE, SECURITY, len(self.asked), beyond, bounded=hours > 0, why=why, evidence=evidence)]


def _shown(truth: Truth) -> dict[str, set[int]]:
    """Meter -> every value that it ever said."""
    out: dict[str, set[int]] = defaultdict(set)
    for one in truth.sent(0, truth.world.now_ns + NS_PER_S):
        units = truth.units(one)
        if units is not None:
            out[truth.address(one)].add(units)
    return out
