"""Keystream reuse: two telegrams that the extended link layer encrypted with the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.ell_session import UNITS_AT, UNITS_BYTES, ciphertext_of, xor
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.truth.ground_truth import Truth, fingerprint

IDLE = '"no consumption" read off two ciphertexts (extended link layer)'
READ = "units read, one reading of the display known (extended link layer)"


@attack(
    id="radio.keystream",
    title="XOR two telegrams under one session number",
    threats=["L07"],
    can=Can.HEAR,
    ics=["T0887"],
    weakness={},
    seen_as="nothing: listening leaves no trace",
)
@dataclass
class Keystream:
    """A meter that encrypts in its extended link layer and whose session number comes again (its clock stands still, or
    starts anew with the battery) says two things under one keystream. Their XOR is that of the plaintexts: equal units
    are seen without knowing anything, and whoever read the display once, at one of the two, has the other value
    exactly. Where the transport layer encrypts under a counter as well, the XOR is of two ciphertexts and says nothing.

    `shown`: telegram -> the display when it was sent, of one telegram a meter. `sent`, `security`: telegram -> its
    units and the column it counts in, for scoring only.
    """

    shown: Mapping[bytes, int] = field(default_factory=dict)
    sent: Mapping[bytes, int] = field(default_factory=dict)
    security: Mapping[bytes, str] = field(default_factory=dict)
    pairs: list[tuple[bytes, bytes]] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    _under: dict[bytes, list[bytes]] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        reach.note("hear", "keeping ciphertext by session number")
        reach.listen(self._listen)
        yield reach.wait(0)

    def _listen(self, heard: Heard) -> None:
        found = ciphertext_of(heard.telegram)
        if found is None:
            return
        self.heard.append(heard.telegram)
        earlier = self._under.setdefault(found[0], [])
        self.pairs += [(one, heard.telegram) for one in earlier]
        earlier.append(heard.telegram)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        found = []
        mine = [frame for frame in self.heard if frame in self.sent]
        for security in sorted({self.security[frame] for frame in mine}):
            telegrams = [frame for frame in mine if self.security[frame] == security]
            marks = frozenset(map(fingerprint, telegrams))
            pairs = [pair for pair in self.pairs if self.security.get(pair[0]) == security]
            guesses = [(self.sent[one] == self.sent[other], not any(_difference(one, other))) for one, other in pairs]
            said = [true for true, guess in guesses if guess]
            read = [self._value(one, other) == self.sent[other] for one, other in pairs if one in self.shown]
            common = {"telegrams heard": len(telegrams), "pairs under one session number": len(pairs)}
            for variant, right, of in ((IDLE, sum(said), len(said)), (READ, sum(read), len(read))):
                why = f"{right} of {of} right" if pairs else "no session number came again"
                evidence: dict[str, int | float | str] = {**common, "said": of, "right": right}
                found.append(Outcome(variant, security, len(telegrams), right, why=why, evidence=evidence, heard=marks))
        return found

    def _value(self, one: bytes, other: bytes) -> int:
        shown = self.shown[one].to_bytes(UNITS_BYTES, "little")
        return int.from_bytes(xor(shown, _difference(one, other)), "little")


def _difference(one: bytes, other: bytes) -> bytes:
    """XOR of the two units."""
    first, second = ciphertext_of(one), ciphertext_of(other)
    assert first is not None and second is not None, "pairs are made of what was taken apart"
    return xor(first[1], second[1])[UNITS_AT : UNITS_AT + UNITS_BYTES]
