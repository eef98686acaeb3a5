"""T1, C1 and S1: how long a frame is on the air, and where in the band (EN 13757-4, meter to other device).

A frame is preamble, synchronisation word, coded bytes, and in T and S mode the shortest allowed postamble of two chips.
The rule kept here: lengths go in as everywhere in this project, telegram bytes from L without CRCs; the CRCs of frame
format A (one a block of 10, 16, 16 ... bytes) are added inside, because they cost air time too.

T1 and C1 share a channel and disturb each other; S1 has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Final

from sim.core.clock import NS_PER_S

FIRST_BLOCK_BYTES: Final = 10
BLOCK_BYTES: Final = 16
CRC_BYTES: Final = 2


class Mode(IntEnum):
    """Link modes; the numbers are those of air.pcapng."""

    T1 = 1
    C1 = 2
    S1 = 3

    @property
    def rules(self) -> ModeRules:
        return RULES[self]

    @property
    def channel(self) -> int:
        """Modes of one channel collide."""
        return RULES[self].channel


@dataclass(frozen=True, slots=True)
class ModeRules:
    """`chips_s` per second; `head_chips`: preamble and synchronisation word; `tail_chips`: postamble."""

    centre_hz: int
    channel: int  # modes with the same number disturb each other
    chips_s: int
    code: str
    chips_a_byte: int
    preamble: str
    sync: str
    tail_chips: int

    @property
    def head_chips(self) -> int:
        return len(self.preamble) + len(self.sync)


RULES: Final = {
    Mode.T1: ModeRules(868_950_000, 0, 100_000, "3-of-6", 12, "01" * 19, "0000111101", 2),
    Mode.C1: ModeRules(868_950_000, 0, 100_000, "NRZ", 8, "01" * 16, f"{0x543D54CD:032b}", 0),
    Mode.S1: ModeRules(868_300_000, 1, 32_768, "Manchester", 16, "01" * 279, "000111011010010110", 2),
}
CHANNELS: Final = 2


def bytes_on_air(length_bytes: int) -> int:
    """Telegram bytes plus the CRCs of frame format A."""
    if length_bytes < FIRST_BLOCK_BYTES:
        raise ValueError(f"a telegram has at least {FIRST_BLOCK_BYTES} bytes, not {length_bytes}")
    blocks = 1 + -(-(length_bytes - FIRST_BLOCK_BYTES) // BLOCK_BYTES)
    return length_bytes + CRC_BYTES * blocks


@cache
def air_time_ns(mode: Mode, length_bytes: int, chip_rate_ppm: int = 0) -> int:
    """How long a telegram occupies the air. `chip_rate_ppm`: how much faster than nominal this transmitter's chips are
    (T mode allows +-10 %, 100 000 ppm)."""
    rules = RULES[mode]
    chips = rules.head_chips + bytes_on_air(length_bytes) * rules.chips_a_byte + rules.tail_chips
    return _chips_ns(chips, rules.chips_s, chip_rate_ppm)


@cache
def header_ns(mode: Mode) -> int:
    """From the start of a frame until its first block with CRC is in: the sender's address is known."""
    rules = RULES[mode]
    return _chips_ns(rules.head_chips + (FIRST_BLOCK_BYTES + CRC_BYTES) * rules.chips_a_byte, rules.chips_s, 0)


def _chips_ns(chips: int, chips_s: int, chip_rate_ppm: int) -> int:
    """Rounded to the nearest nanosecond, halves up; whole numbers throughout."""
    rate = chips_s * (1_000_000 + chip_rate_ppm)
    return (2 * chips * NS_PER_S * 1_000_000 + rate) // (2 * rate)
