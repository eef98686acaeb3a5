"""Answer a smart meter gateway's question for the time with a false one."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import NO_VALUE, SECURITY, altered_values, meters_of
from attacks.reach import Reach
from sim.truth.delivered_values import wrong_values
from sim.truth.ground_truth import Truth

FORGED = "an hour's false time from a forged service: values billed wrongly"
DRIFT = "a clock that is 28 s ahead: values billed wrongly"
NO_WRONG_VALUE = "no value is wrong"


class _Clock:
    """What both have in common: which values were stored that the meter did not count so."""

    variant: str
    gateway: int

    def outcomes(self, truth: Truth) -> list[Outcome]:
        name = truth.world.gateways[self.gateway].id
        own = set(meters_of(truth, name))
        wrong = [one for one in altered_values(truth) if one.meter in own]
        missing = [one for one in wrong_values(truth) if one.meter in own and one.has in NO_VALUE]
        why = f"{len(wrong)} values are wrong" if wrong else NO_WRONG_VALUE
        if missing:
            why += f"; {len(missing)} were withheld as not billable"
        return [Outcome(self.variant, SECURITY, len(own), len(wrong), why=why, attacked=frozenset((name, *own)),
                        evidence={"meters": len(own), "wrong": len(wrong), "withheld": len(missing)})]  # fmt: skip


@attack(
    id="smgw.false_time",
    title="Answer a smart meter gateway with a false time",
    threats=[],
    can=Can.CLOCK,
    ics=["T0836"],
    weakness={"system.time_over_tls": False},
    seen_as="gateway: the answer is not its administrator's",
    refused_as=(NO_WRONG_VALUE,),
)
@dataclass
class SmgwFalseTime(_Clock):
    """From `at_s` on somebody answers in the time service's place, an hour ahead. Over the administrator's TLS the
    answer is not believed. Control: a gateway that asks without TLS, and counts an hour's consumption in another
    hour."""

    gateway: int = 0
    at_s: float = 5_400.0
    offset_s: float = 3_600.0
    variant: str = FORGED

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        reach.answer_time(self.gateway, self.offset_s)


@attack(
    id="smgw.slow_clock",
    title="Let a smart meter gateway's clock go wrong",
    threats=[],
    can=Can.CLOCK,
    ics=["T0836"],
    weakness={"system.flag_clock": False},
    seen_as="gateway: time invalid, values are not billable",
    refused_as=(NO_WRONG_VALUE,),
)
@dataclass
class SmgwSlowClock(_Clock):
    """The clock itself goes 28 s ahead, one second more than its tolerance. The administrator's time tells the gateway,
    which marks values as not billable. Control: the mark is ignored."""

    gateway: int = 0
    at_s: float = 900.0
    offset_s: float = 28.0
    variant: str = DRIFT

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        reach.set_clock(self.gateway, self.offset_s)
