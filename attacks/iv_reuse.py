"""Repeated IVs: what equal ciphertext says about a meter without any key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.truth.ground_truth import Truth, fingerprint
from wmbus.errors import BadTelegram
from wmbus.telegram import parse


@attack(
    id="radio.repeats",
    title="Compare first blocks under the same access number",
    threats=["L04"],
    can=Can.HEAR,
    ics=["T0887"],
    weakness={"fleet.security": "mode5"},
    seen_as="nothing: listening leaves no trace",
)
@dataclass
class Repeats:
    """In mode 5 the IV is the address and eight times the 8-bit access number, so it comes again after 256 telegrams.
    Equal first blocks under one IV are equal plaintexts: where the units stand in the first block and no time does,
    "no heating in between" is read off the ciphertext. In mode 7 a counter of 32 bits makes every key new.

    Each pair of telegrams of one meter under one access number, the nearest in time, is one guess.
    """

    pairs: list[tuple[str, bytes, bytes, bool]] = field(default_factory=list)
    _last: dict[tuple[str, int], tuple[bytes, bytes]] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        reach.note("hear", "comparing first blocks")
        reach.listen(self._compare)
        yield reach.wait(0)

    def _compare(self, heard: Heard) -> None:
        try:
            telegram = parse(heard.telegram)
        except BadTelegram:
            return
        if telegram.acc is None or not telegram.encrypted_blocks:
            return
        place, block = (str(telegram.address), telegram.acc), telegram.payload[:16]
        before = self._last.get(place)
        if before is not None:
            self.pairs.append((telegram.security, before[0], heard.telegram, before[1] == block))
        self._last[place] = (heard.telegram, block)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        counts: dict[str, Counter[tuple[bool, bool]]] = {}
        heard: dict[str, set[str]] = {}
        for security, first, second, equal in self.pairs:
            marks = [fingerprint(telegram) for telegram in (first, second)]
            heard.setdefault(security, set()).update(marks)
            one, other = map(truth.units_in, marks)
            counts.setdefault(security, Counter())[equal, one == other] += 1
        found = []
        for security, count in counts.items():
            right, said = count[True, True], count[True, True] + count[True, False]
            idle = right + count[False, True]
            found.append(
                Outcome(
                    '"no consumption" recognised',
                    security,
                    reached=count.total(),
                    achieved=right,
                    why=f"{right} of {idle} idle spans recognised, {said - right} wrongly"
                    if said
                    else "no two first blocks were equal",
                    evidence={
                        "pairs under one access number": count.total(),
                        "of them without consumption": idle,
                        "recognised": right,
                        "recall": round(right / idle, 3) if idle else "none idle",
                        "precision": round(right / said, 3) if said else "nothing said",
                    },
                    heard=frozenset(heard[security]),
                )
            )
        return found
