"""Blocks appended in mode 5: what an attacker chooses lands behind noise that a text record swallows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from attacks.attack import Can, Landed, Outcome, Steps, Watch, attack, form
from attacks.parts import forgery
from attacks.parts.jam_and_capture import InBetween
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Known
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.settings import without
from sim.portal.store import Reading
from sim.truth.ground_truth import Truth
from wmbus.values import lvar_bytes

CHOSEN = "blocks appended: units chosen"
COMPLAINT = "blocks appended: a complaint of tampering chosen"
UNITS: Final = 4_000
"""The least of the chosen units: each try has one of its own, since the same bytes would be the same noise."""
TAMPERED: Final = 0x08
"""Bit of the error flags (VIF FD 17) by which meters say that they were tampered with."""
BLOCK_BYTES: Final = 16
RECORD_BYTES: Final = 5
FITTING: Final = sum(BLOCK_BYTES - 1 <= (lvar_bytes(byte) or 0) <= 2 * BLOCK_BYTES - RECORD_BYTES - 1
                     for byte in range(256))  # fmt: skip
"""Of the noise block's first byte, the length of a text: so many let it end behind the noise and before the record.
Noise that happens to be records fits as well, so this is the least."""


@attack(
    id="radio.chosen_splice",
    title="Append blocks of one's choice to an encrypted telegram",
    threats=["L14", "L16"],
    can=Can.HEAR | Can.SPEAK | Can.SHAPE,
    ics=["T0830", "T0856", "T0860"],
    weakness={"portal.strict": False, "portal.alarms": without("freshness")},
    seen_as="refused: bad records or bad mac; alarm: freshness",
    forms=dict.fromkeys((CHOSEN, COMPLAINT), form("own address", "N raised, two bytes turned and blocks appended")),
)
@dataclass
class ChosenSplice(InBetween):
    """Mode 5 chains blocks and authenticates none. Who has read a meter's display knows the whole first block of its
    telegram, so what that ciphertext block decrypts to before chaining; behind a block Z of his own it reads as he
    likes. Z itself becomes noise. So the two idle bytes at the telegram's end are turned into the head of a text of
    variable length (their block's predecessor becomes noise as well, amid a profile of months, where any bytes will
    do), and the text's length is the first byte of the noise: in one case of sixteen it ends behind the noise and
    before the record, and noise that happens to be records makes it one in five. The tries are blind: each is the same
    captured telegram, which the gateway never had, with a value of its own, and the first that is read uses up the
    access number.

    `display(meter)`: the first block of plaintext as its display tells it, when the telegram was sent. "units": a
    second answer, beside the meter's own. "complaint": a record that this type never sends, and so no second answer.
    """

    display: Callable[[str], bytes] = field(kw_only=True)
    until_s: float = 2_000.0
    targets_each: int = 4
    makers: tuple[str, ...] = ("TCH",)
    tries: int = 8
    captures: int = 10
    pause_s: float = 0.2
    shots: list[Shot] = field(default_factory=list)
    _captured: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _variant: dict[str, str] = field(default_factory=dict)
    _dealt: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def deliver(self, reach: Reach, known: Known, heard: Heard) -> Steps | None:
        if self._captured[known.address] >= self.captures:
            return None
        self._captured[known.address] += 1
        return self._try(reach, known, heard.telegram, self.display(known.address))

    def _try(self, reach: Reach, known: Known, frame: bytes, first_block: bytes) -> Steps:
        variant = self._variant.get(known.address)
        if variant is None:  # dealt in turn to the meters of one mode, as they speak
            variant = self._variant[known.address] = (CHOSEN, COMPLAINT)[self._dealt[known.security] % 2]
            self._dealt[known.security] += 1
        base = (self._captured[known.address] - 1) * self.tries
        reach.note("speak", f"{variant}: {self.tries} tries on one telegram of {known.address}")
        for number in range(base, base + self.tries):
            yield reach.wait(self.pause_s)
            forged = forgery.with_chosen_block(frame, first_block, _record(variant, number))
            self.shots.append(Shot(variant, known.security, known.address, self.shadow.speak(reach, forged), frame))

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        def wanted(row: Reading, shot: Shot) -> bool:
            if shot.variant == CHOSEN:
                return row.units is not None and 0 <= row.units - UNITS < self.captures * self.tries
            return bool(row.tamper)

        found = []
        for one in outcomes_of(self.shots, truth, wanted):
            meters = tuple(dict.fromkeys(shot.address for shot in one.shots))
            one.evidence["tries to one whose text fits"] = round(256 / FITTING, 1)
            one.evidence["tries to one that was read"] = _tries_to_one(one.shots)
            found.append(replace(one, watch=Watch(("freshness",), meters, self.began_ns)))
        return found


def _tries_to_one(shots: Sequence[Landed]) -> float | str:
    """Tries that were judged, those behind the first that was read of each telegram left out, over telegrams read."""
    by_telegram: dict[bytes, list[bool]] = defaultdict(list)
    for shot in shots:
        if shot.arrived:
            by_telegram[shot.original].append(bool(shot.rows))
    tried = sum(came.index(True) + 1 if True in came else len(came) for came in by_telegram.values())
    read = sum(True in came for came in by_telegram.values())
    return round(tried / read, 1) if read else "none was read"


def _record(variant: str, number: int) -> bytes:
    """Five bytes."""
    if variant == CHOSEN:
        return forgery.HCA_RECORD + (UNITS + number).to_bytes(3, "little")
    return forgery.FLAGS_RECORD + (TAMPERED | number << 4).to_bytes(2, "little")
