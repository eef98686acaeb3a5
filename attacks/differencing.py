"""A landlord who computes one flat from sums."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.at_the_broker import in_each_mode
from attacks.reach import Reach
from sim.core.clock import ns
from sim.portal.roles import OVERLAPS, TOO_FEW, HouseSum
from sim.truth.ground_truth import Truth

DIFFERENCE, SHORT = "two sums that differ by one flat", "a period in which one flat reported"
SOLVED = "all sums that are answered, solved for one step"
Answers = dict[int, HouseSum | str]  # end of the period (ns) -> what was answered


@attack(
    id="portal.differencing",
    title="Compute one flat from sums of the house, as a landlord",
    threats=["P04"],
    can=Can.VIEW,
    ics=["T0811"],
    weakness={"portal.view_rules": []},
    seen_as="the portal's answer: denied",
    refused_as=(OVERLAPS, TOO_FEW),
)
@dataclass
class Differencing:
    """Ask for the sum of a house over every period from the beginning to a step of time, and over every single step.
    Two neighbours of the first kind differ by what was counted in one step; where one flat alone reported in it, that
    is this flat's, and nothing counted is an answer too: nobody heats there. Counted are steps in which one flat alone
    reported, not for the first time, and the landlord's figure is its consumption. "solved": every period between two
    ends is asked for, and what is answered is taken together: a sum is the difference of what was counted by its two
    ends, so a step is known where any chain of answers leads from one of its ends to the other."""

    landlord: str
    house: str
    at_s: float
    from_s: float = 900.0  # by then each meter was read once
    step_s: float = 30.0
    sums: Answers = field(default_factory=dict)
    steps: Answers = field(default_factory=dict)
    periods: dict[tuple[int, int], HouseSum | str] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        step_ns = ns(self.step_s)
        ends = range(ns(self.from_s), reach.now_ns, step_ns)
        self.sums = {end: reach.ask_as_landlord(self.landlord, self.house, 0, end) for end in ends}
        self.steps = {end: reach.ask_as_landlord(self.landlord, self.house, end - step_ns, end) for end in ends}
        marks = range(ns(self.from_s), reach.now_ns, step_ns)
        for begin, end in combinations(marks, 2):
            self.periods[begin, end] = reach.ask_as_landlord(self.landlord, self.house, begin, end)
        denied = sum(isinstance(one, str) for one in (*self.sums.values(), *self.steps.values()))
        reach.note("ask", f"{2 * len(ends) + len(self.periods)} sums, {denied} of the first {2 * len(ends)} denied")

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
        solved = self._solved()
        last = {end: self.periods.get((end - step_ns, end), "overlaps: not asked") for end in alone}
        variants = ((DIFFERENCE, differences, self.sums), (SHORT, single, self.steps), (SOLVED, solved, last))
        for variant, told, answers in variants:
            right = [end for end, units in alone.items() if told.get(end) == units]
            denials = sorted({answers[end].partition(": ")[2] for end in alone if isinstance(answers[end], str)})  # type: ignore[union-attr]
            why = f"{len(right)} times one flat's consumption" if right else " | ".join(denials)
            evidence: dict[str, int | float | str] = {"steps of one flat": len(alone), "told": len(right)}
            evidence["of these not zero"] = sum(alone[end] > 0 for end in right)
            found += in_each_mode(truth, variant, reached=len(alone), achieved=len(right), why=why, evidence=evidence)
        return found

    def _solved(self) -> dict[int, int]:
        """End of a step (ns) -> units, of all steps that the answers determine together."""
        step_ns = ns(self.step_s)
        asked = {**self.periods, **{(0, end): one for end, one in self.sums.items()},
                 **{(end - step_ns, end): one for end, one in self.steps.items()}}  # fmt: skip
        edges: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for (begin, end), one in asked.items():
            if isinstance(one, HouseSum):
                edges[begin].append((end, one.units))
                edges[end].append((begin, -one.units))
        counted: dict[int, tuple[int, int]] = {}  # instant -> (which chain, units since its beginning)
        for first in edges:
            if first in counted:
                continue
            counted[first], waiting = (first, 0), [first]
            while waiting:
                at = waiting.pop()
                for to, units in edges[at]:
                    if to not in counted:
                        counted[to] = first, counted[at][1] + units
                        waiting.append(to)
        return {
            end: units - counted[end - step_ns][1]
            for end, (chain, units) in counted.items()
            if counted.get(end - step_ns, (None, 0))[0] == chain
        }

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
