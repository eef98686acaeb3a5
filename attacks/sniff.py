"""Sniffing: read heat units, and which meter is which, out of the air."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.survey import Survey, units_read
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth, fingerprint
from wmbus.telegram import parse


@attack(
    id="radio.sniff",
    title="Read telegrams out of the air",
    threats=["L01", "L02"],
    can=Can.HEAR,
    ics=["T0887"],
    weakness={"fleet.security": "none"},
    weakness_of={"smgw": {"system.attach": [*SECURITIES]}},
    seen_as="nothing: listening leaves no trace",
)
@dataclass
class Sniff:
    """Listen in range and decode whatever can be decoded without a key.

    "values": heat units recovered, counted only when they equal what the meter really sent. "who and when": the
    address, access number and status byte that every telegram carries in clear, whatever its security mode.
    """

    survey: Survey = field(default_factory=Survey)
    guesses: list[tuple[bytes, int | None]] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        reach.note("hear", "listening")
        reach.listen(self._decode)
        yield reach.wait(0)

    def _decode(self, heard: Heard) -> None:
        if self.survey.note(heard) is None:
            return
        self.guesses.append((heard.telegram, units_read(heard.telegram)))

    def outcomes(self, truth: Truth) -> list[Outcome]:
        heard: Counter[str] = Counter()
        recovered: Counter[str] = Counter()
        identified: Counter[str] = Counter()
        marks: dict[str, set[str]] = defaultdict(set)
        known = truth.every_known(fingerprint(telegram) for telegram, _ in self.guesses)
        for telegram, units in self.guesses:
            mark = fingerprint(telegram)
            sent = known.get(mark)
            if sent is None:
                continue
            security = truth.security(sent)
            marks[security].add(mark)
            heard[security] += 1
            recovered[security] += units is not None and units == truth.units(sent)
            parsed = parse(telegram)
            identified[security] += parsed.security == security and str(parsed.address) == truth.address(sent)
        found = []
        for security, count in heard.items():
            evidence: dict[str, int | float | str] = {"telegrams heard": count, "values recovered": recovered[security]}
            why = "contents are in clear" if recovered[security] else "contents are encrypted; no value was recovered"
            learned = frozenset(marks[security])
            found.append(
                Outcome("values", security, count, recovered[security], why=why, evidence=evidence, heard=learned)
            )
            found.append(
                Outcome(
                    "who and when",
                    security,
                    count,
                    identified[security],
                    why="address, access number and status byte are never encrypted",
                    evidence={"telegrams heard": count, "meters identified": self._meters(security)},
                    heard=learned,
                )
            )
        return found

    def _meters(self, security: str) -> int:
        return sum(m.security == security for m in self.survey.meters.values())
