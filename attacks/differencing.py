"""A landlord who computes one flat from sums."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.at_the_broker import in_each_mode
from attacks.reach import Reach
from sim.core.clock import ns
from sim.portal.roles import HouseSum
from sim.truth.ground_truth import Truth

DIFFERENCE, SHORT = "two sums that differ by one flat", "a period in which one flat reported"
Answers = dict[int, HouseSum | str]  # end of the period (ns) -> what was answered


@attack(
    id="portal.differencing",
    title="Compute one flat from sums of the house, as a landlord",
    threats=["P04"],
    can=Can.VIEW,
    ics=["T0811"],
    weakness={"portal.view_rules": []},
    seen_as="the portal's answer: denied",
)
@dataclass
class Differencing:
    """Ask for the sum of a house over every period from the beginning to a step of time, and over every single step.
    Two neighbours of the first kind differ by what was counted in one step; where one flat alone reported in it, that
    is this flat's, and nothing counted is an answer too: nobody heats there. Counted are steps in which one flat alone
    reported, not for the first time, and the landlord's figure is its consumption."""

    landlord: str
    house: str
    at_s: float
    from_s: float = 900.0  # by then each meter was read once
    step_s: float = 30.0
    sums: Answers = field(default_factory=dict)
    steps: Answers = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        step_ns = ns(self.step_s)
        ends = range(ns(self.from_s), reach.now_ns, step_ns)
        self.sums = {end: reach.ask_as_landlord(self.landlord, self.house, 0, end) for end in ends}
        self.steps = {end: reach.ask_as_landlord(self.landlord, self.house, end - step_ns, end) for end in ends}
        denied = sum(isinstance(one, str) for one in (*self.sums.values(), *self.steps.values()))
        reach.note("ask", f"{2 * len(ends)} sums, {denied} denied")

    def outcomes(self, truth: Truth) -> list[Outcome]:
        if not self.sums:
            return []
        alone = self._alone(truth)
        step_ns = ns(self.step_s)
        differences = {
            end: (now.units - before.units)
            for end, now in self.sums.items()
            if isinstance(now, HouseSum) and isinstance(before := self.sums.get(end - step_ns), HouseSum)
        }
        single = {end: one.units for end, one in self.steps.items() if isinstance(one, HouseSum)}
        found = []
        for variant, told, answers in ((DIFFERENCE, differences, self.sums), (SHORT, single, self.steps)):
            right = [end for end, units in alone.items() if told.get(end) == units]
            denials = sorted({answers[end].partition(": ")[2] for end in alone if isinstance(answers[end], str)})  # type: ignore[union-attr]
            why = f"{len(right)} times one flat's consumption" if right else " | ".join(denials)
            evidence: dict[str, int | float | str] = {"steps of one flat": len(alone), "told": len(right)}
            evidence["of these not zero"] = sum(alone[end] > 0 for end in right)
            found += in_each_mode(truth, variant, reached=len(alone), achieved=len(right), why=why, evidence=evidence)
        return found

    def _alone(self, truth: Truth) -> dict[int, int]:
        """End of a step (ns) -> units counted in it, where all its readings are of one flat. By the stored readings."""
        flats = {one.name: one.flat for one in truth.world.system.registry if one.house == self.house}
        step_ns = ns(self.step_s)
        last: dict[str, int] = {}
        counted: dict[int, int] = defaultdict(int)
        who: dict[int, set[str | None]] = defaultdict(set)
        for row in truth.readings:
            if row.units is None or row.meter not in flats:
                continue
            end = (row.stored_ns // step_ns + 1) * step_ns
            before = last.get(row.meter)
            last[row.meter] = row.units
            who[end].add(flats[row.meter])
            if before is not None:
                counted[end] += row.units - before if row.units >= before else row.units
        return {end: units for end, units in counted.items() if len(who[end]) == 1 and end in self.sums}
