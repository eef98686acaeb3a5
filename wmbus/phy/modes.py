"""Link modes from meter to other: what stands around a frame on the air, and how long it takes.

A mode is a row of data; encoding and decoding read the row.  A T-mode meter's chip rate may be off by up to 10 %, so
air times take the rate as an argument where it matters.  The trailing two chips of T and S are the postamble.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wmbus import link
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.phy import codes
from wmbus.phy.codes import Chips

T_RATE_TOLERANCE = 0.10


@dataclass(frozen=True, slots=True)
class Mode:
    """One radio variant.  ``lead`` is the preamble, ``sync`` the synchronisation word, both as text of chips."""

    name: str
    centre_hz: float
    chip_rate_hz: float
    deviation_hz: float
    lead: str
    sync: str
    tail: str
    chips_per_byte: int
    frame_format: Literal["A", "B"]
    encode: Callable[[bytes], Chips]
    decode: Callable[[Chips], bytes]


def _word(hexa: str) -> str:
    return f"{int(hexa, 16):0{4 * len(hexa)}b}"


_S_SYNC = "000111011010010110"
T1 = Mode("T1", 868.95e6, 100_000, 50_000, "01" * 19, "0000111101", "01", 12, "A", codes.encode_3of6, codes.decode_3of6)
C1A = Mode("C1A", 868.95e6, 100_000, 50_000, "01" * 16, _word("543D54CD"), "", 8, "A", codes.bits, codes.from_bits)
C1B = Mode("C1B", 868.95e6, 100_000, 50_000, "01" * 16, _word("543D543D"), "", 8, "B", codes.bits, codes.from_bits)
S1 = Mode(
    "S1", 868.30e6, 32_768, 50_000, "01" * 279, _S_SYNC, "01", 16, "A",
    codes.encode_manchester, codes.decode_manchester,
)  # fmt: skip
S1M = Mode(
    "S1M", 868.30e6, 32_768, 50_000, "01" * 15, _S_SYNC, "01", 16, "A",
    codes.encode_manchester, codes.decode_manchester,
)  # fmt: skip
MODES = {mode.name: mode for mode in (T1, C1A, C1B, S1, S1M)}
"""Name -> mode."""


def wire_bytes(frame: bytes, mode: Mode) -> bytes:
    """The frame with the CRCs this mode sends.  Raises CannotEncode."""
    return link.add_crcs_a(frame) if mode.frame_format == "A" else link.add_crcs_b(frame)


def to_chips(frame: bytes, mode: Mode) -> Chips:
    """Frame without CRCs -> every chip of one emission.  Raises CannotEncode."""
    return np.concatenate(
        (codes.chips_of(mode.lead + mode.sync), mode.encode(wire_bytes(frame, mode)), codes.chips_of(mode.tail))
    )


def air_chips(wire_len: int, mode: Mode) -> int:
    """Chips of an emission of ``wire_len`` bytes, CRCs included."""
    return len(mode.lead) + len(mode.sync) + wire_len * mode.chips_per_byte + len(mode.tail)


def air_time_s(wire_len: int, mode: Mode, chip_rate_hz: float | None = None) -> float:
    """Seconds on air of ``wire_len`` bytes, CRCs included.  Raises CannotEncode for a rate no T meter may have."""
    rate = mode.chip_rate_hz if chip_rate_hz is None else chip_rate_hz
    if abs(rate / mode.chip_rate_hz - 1) > T_RATE_TOLERANCE + 1e-9:
        raise CannotEncode(f"{rate} chips/s is more than 10 % off {mode.chip_rate_hz}")
    return air_chips(wire_len, mode) / rate


def from_chips(chips: Chips, mode: Mode) -> bytes:
    """Chips with one emission somewhere in them -> frame without CRCs.

    The sync word is looked for after at least four chips of preamble; of several places the first whose CRCs fit
    wins.  Raises BadTelegram: no-sync, or what the last candidate was refused for (bad-symbol, crc, too-short ...).
    """
    text = (chips + np.uint8(48)).astype(np.uint8).tobytes()
    pattern = (mode.lead[-4:] + mode.sync).encode("ascii")
    refused = BadTelegram(Reason.NO_SYNC, f"no {mode.name} sync word in {len(chips)} chips", 0)
    at = text.find(pattern)
    while at >= 0:
        try:
            return _frame_at(chips[at + len(pattern) :], mode)
        except BadTelegram as error:
            refused = error
        at = text.find(pattern, at + 1)
    raise refused


def _frame_at(chips: Chips, mode: Mode) -> bytes:
    per = mode.chips_per_byte
    if len(chips) < per:
        raise BadTelegram(Reason.TOO_SHORT, "the chips end with the sync word", 0)
    l_field = mode.decode(chips[:per])[0]
    size = link.length_a(l_field) if mode.frame_format == "A" else l_field + 1
    if len(chips) < size * per:
        raise BadTelegram(Reason.TOO_SHORT, f"L asks for {size} bytes, the chips end after {len(chips) // per}", 0)
    wire = mode.decode(chips[: size * per])
    return link.strip_crcs_a(wire) if mode.frame_format == "A" else link.strip_crcs_b(wire)
