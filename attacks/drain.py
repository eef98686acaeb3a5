"""Energy depletion: make a bidirectional meter answer until its cell is empty years too soon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from attacks.attack import Can, Curve, Outcome, Steps, attack
from attacks.clock_command import OURS
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.vocabulary import SECURITIES
from sim.meters.two_way import request
from sim.truth.ground_truth import Truth
from wmbus.errors import BadTelegram
from wmbus.link import SND_NR
from wmbus.telegram import parse

DRAINED: Final = "asked again after each answer"


@attack(
    id="radio.drain",
    title="Ask a meter for its telegram until its battery is empty",
    threats=["L30"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0814"],
    weakness={},
    seen_as="the meter: answers of this hour used up",
)
@dataclass
class Drain:
    """A request has no contents, so no mode secures it: whoever speaks while a meter listens is answered, and after the
    answer the meter listens again. Each answer is asked for the next, `chain` times for each telegram of the meter's
    own. Counted are meters whose cell lasts less than half as long at the rate of the attack as at their own; a meter
    that answers a limited number of times an hour loses a bounded share.
    """

    meters: tuple[str, ...] = ()
    after_s: float = 300.0
    chain: int = 12
    reaction_s: float = 0.005
    begun_ns: int = 0
    asked: int = 0
    _acc: int = 0
    _chain: dict[str, int] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        reach.listen(lambda heard: self._heard(reach, heard))
        yield reach.wait_until(self.after_s)
        self.begun_ns = reach.now_ns
        reach.note("ask", f"from now on, of {len(self.meters)} meters")

    def _heard(self, reach: Reach, heard: Heard) -> None:
        try:
            telegram = parse(heard.telegram)
        except BadTelegram:
            return
        address = str(telegram.address)
        if not self.begun_ns or address not in self.meters:
            return
        self._chain[address] = 0 if heard.telegram[1] == SND_NR else self._chain[address] + 1
        if self._chain[address] < self.chain:
            self._acc = (self._acc + 1) % 256
            reach.go(self._ask(reach, request(telegram.address, OURS, self._acc)))

    def _ask(self, reach: Reach, frame: bytes) -> Steps:
        yield reach.wait(self.reaction_s)
        self.asked += 1
        reach.speak(frame)

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        now_s, begun_s = truth.world.now_ns / 1e9, self.begun_ns / 1e9
        found = []
        for security in SECURITIES:
            mine = [
                one.meter
                for one in truth.world.two_way
                if one.name in self.meters and one.meter.spec.security == security
            ]
            if not mine:
                continue
            used_mah = [one.used_mah(now_s) - one.used_mah(begun_s) for one in mine]
            lives = [
                (one.own_life_years(), one.life_years(used, now_s - begun_s))
                for one, used in zip(mine, used_mah, strict=True)
            ]
            short = sum(under < own / 2 for own, under in lives)
            answered = sum(one.said["answered"] for one in mine)
            own, under = lives[0]
            found.append(
                Outcome(
                    DRAINED,
                    security,
                    reached=sum(sum(one.said.values()) for one in mine),
                    achieved=short,
                    bounded=answered > 0 and not short,
                    why=f"a cell lasts {under:.1f} years instead of {own:.1f}",
                    evidence={
                        "requests sent to all": self.asked,
                        "answers": answered,
                        "refused": sum(n for one in mine for word, n in one.said.items() if word.startswith("refused")),
                        "years of a cell, without": round(own, 2),
                        "years of a cell, at this rate": round(under, 2),
                    },
                    attacked=frozenset(str(one.spec.address) for one in mine),
                    curve=Curve("hours", "mAh used by one meter", mine[0].use(now_s)),
                )
            )
        return found
