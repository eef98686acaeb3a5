"""Noise over a burst pipe: a leak is found where readings come, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.parts.silenced import silenced
from attacks.reach import Reach
from sim.core.clock import NS_PER_HOUR, ns
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth

FOUND = "continuous over a burst pipe: the leak found in time"
INTERVALS = 8


@attack(
    id="radio.leak_jam",
    title="Jam the air over a burst pipe",
    threats=["L25"],
    can=Can.SHAPE,
    ics=["T0814", "T0815", "T0878"],
    weakness={"portal.alarms": []},
    seen_as="alarm: gap or jam; none about the leak",
)
@dataclass
class LeakJam:
    """Noise from `from_s` on for so many hours. Whoever wants the damage needs no more of it than a burst pipe lasts;
    nothing is forged. Counted are pipes that burst while it lasts and about which no alarm `leak` came within eight of
    the meter's intervals. `bursts_ns`: meter -> when its pipe burst, which the referee knows and this attacker does
    not use."""

    from_s: float
    hours: float
    bursts_ns: dict[str, int] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.from_s)
        reach.note("jam", f"continuous noise for {self.hours:g} h")
        reach.jam(self.hours * 3_600)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        fleet, begin_ns = truth.world.fleet, ns(self.from_s)
        end_ns = begin_ns + round(self.hours * NS_PER_HOUR)
        alarms = truth.alarms(("leak",))
        everybody = frozenset(str(fleet.address(meter)) for meter in range(fleet.n))
        found = []
        for security in SECURITIES:
            of_mode = [meter for meter in range(fleet.n) if fleet.security(meter) == security]
            hit = {str(fleet.address(meter)): meter for meter in of_mode}
            bursts = {one: at for one, at in self.bursts_ns.items() if one in hit and begin_ns <= at < end_ns}
            if not bursts:
                continue
            quiet = silenced(truth, of_mode, begin_ns)
            in_time = 0
            for name, at_ns in bursts.items():
                until_ns = at_ns + INTERVALS * int(fleet.population.period_ns[hit[name]])
                in_time += any(one.subject == name and at_ns <= one.time_ns <= until_ns for one in alarms)
            found.append(Outcome(
                FOUND, security, reached=len(bursts), achieved=len(bursts) - in_time,
                watch=Watch(("gap",), quiet, begin_ns), attacked=everybody,
                why=f"of {len(bursts)} burst pipes {in_time} are found within {INTERVALS} intervals",
                evidence={"burst pipes": len(bursts), "found in time": in_time,
                          "heard through the noise": len(hit) - len(quiet),
                          "share of burst pipes found in time": round(in_time / len(bursts), 4)},
            ))  # fmt: skip
        return found
