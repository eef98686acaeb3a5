"""Line codes: 3-of-6 (T mode) and Manchester (S mode).

Chips are numpy arrays of uint8, 0 or 1, first on air first.  Each 3-of-6 symbol has three ones in six chips, so a
single wrong chip is always seen; the 44 other patterns are refused with the byte they stand in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wmbus.errors import BadTelegram, Reason

Chips = NDArray[np.uint8]

SYMBOLS = (0x16, 0x0D, 0x0E, 0x0B, 0x1C, 0x19, 0x1A, 0x13, 0x2C, 0x25, 0x26, 0x23, 0x34, 0x31, 0x32, 0x29)
"""Nibble 0..F -> six chips."""
_TO_CHIPS = np.array([[s >> n & 1 for n in (5, 4, 3, 2, 1, 0)] for s in SYMBOLS], dtype=np.uint8)
_TO_NIBBLE = np.full(64, 255, dtype=np.uint8)
_TO_NIBBLE[list(SYMBOLS)] = range(16)
_WEIGHTS_6 = np.array([32, 16, 8, 4, 2, 1], dtype=np.uint8)


def chips_of(text: str) -> Chips:
    """ "0101" -> chips."""
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8) - np.uint8(48)


def bits(data: bytes) -> Chips:
    """NRZ: most significant bit first."""
    return np.unpackbits(np.frombuffer(data, dtype=np.uint8))


def from_bits(chips: Chips) -> bytes:
    """Whole bytes of NRZ."""
    return np.packbits(chips[: len(chips) // 8 * 8]).tobytes()


def encode_3of6(data: bytes) -> Chips:
    """Twelve chips a byte, high nibble first."""
    raw = np.frombuffer(data, dtype=np.uint8)
    nibbles = np.stack((raw >> 4, raw & 15), axis=1).ravel()
    return _TO_CHIPS[nibbles].ravel()


def decode_3of6(chips: Chips) -> bytes:
    """Whole bytes.  Raises BadTelegram (bad-symbol), offset in bytes."""
    groups = chips[: len(chips) // 12 * 12].reshape(-1, 6)
    nibbles = _TO_NIBBLE[groups @ _WEIGHTS_6]
    bad = np.flatnonzero(nibbles == 255)
    if bad.size:
        raise BadTelegram(Reason.BAD_SYMBOL, "six chips that are no 3-of-6 symbol", int(bad[0]) // 2)
    return bytes((nibbles[0::2] << 4 | nibbles[1::2]).tobytes())


def encode_manchester(data: bytes) -> Chips:
    """Sixteen chips a byte: 0 is 10, 1 is 01."""
    one = bits(data)
    return np.stack((1 - one, one), axis=1).ravel().astype(np.uint8)


def decode_manchester(chips: Chips) -> bytes:
    """Whole bytes.  Raises BadTelegram (bad-symbol), offset in bytes."""
    pairs = chips[: len(chips) // 16 * 16].reshape(-1, 2)
    bad = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
    if bad.size:
        raise BadTelegram(Reason.BAD_SYMBOL, "two equal chips are no Manchester bit", int(bad[0]) // 8)
    return np.packbits(pairs[:, 1]).tobytes()
