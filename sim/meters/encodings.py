"""How a number stands in a record: encodings, one for a single meter and one for many, held equal by a test.

A value is always an integer. A date is the number its bits make (civil.type_g, type_f), a real is its IEEE bits, so
that an encoding is only "little endian binary", "packed BCD" or "ASCII digits, last first". Minus one is the
encoding's own "not available", all bits set; only in i16 and i32 it is minus one. A value that does not fit is a
ValueError here, never a cut-off number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOT_AVAILABLE = -1
_DIGITS = {name: 2 * size for name, size in (("bcd2", 1), ("bcd4", 2), ("bcd6", 3), ("bcd8", 4))}
_SIGNED = {"i16": 2, "i32": 4}
_BINARY = {**_SIGNED, "u8": 1, "u16": 2, "u24": 3, "u32": 4, "u48": 6, "G": 2, "F": 4, "real": 4}
WIDTHS = {**_BINARY, **{name: digits // 2 for name, digits in _DIGITS.items()}, "ascii8": 8}


@dataclass(frozen=True, slots=True)
class Field:
    """One data record of a meter type.

    `head` is everything before the value: DIF, VIF, and for an LVAR or a profile its length and profile header too.
    `quantity` names what values.py computes (or one of the type's constants). A profile has several `backs`, one an
    element: how many months or half months ago, in the order in which they are sent.
    """

    head: bytes
    encoding: str
    quantity: str
    backs: tuple[int, ...] = (0,)

    @property
    def width(self) -> int:
        """Bytes of one value."""
        return WIDTHS[self.encoding]

    def __len__(self) -> int:
        return len(self.head) + self.width * len(self.backs)


def field(head: str, encoding: str, quantity: str, *backs: int) -> Field:
    """A row of a field table; `head` in hex."""
    return Field(bytes.fromhex(head), encoding, quantity, backs or (0,))


# --- one value ----------------------------------------------------------------------------------------------------


def encoder(encoding: str) -> Callable[[int], bytes]:
    """The function that makes the bytes of one value."""
    width = WIDTHS[encoding]
    blank = b"\xff" * width
    if encoding == "ascii8":

        def ascii8(value: int) -> bytes:
            if not 0 <= value < 10**8:
                raise ValueError(f"{value} does not fit {encoding}")
            return (b"%08d" % value)[::-1]

        return ascii8
    if encoding in _DIGITS:
        digits = _DIGITS[encoding]
        limit = 10**digits
        pattern = f"%0{digits}d"

        def bcd(value: int) -> bytes:
            if 0 <= value < limit:
                return bytes.fromhex(pattern % value)[::-1]
            if value == NOT_AVAILABLE:
                return blank
            raise ValueError(f"{value} does not fit {encoding}")

        return bcd

    if encoding in _SIGNED:
        return lambda value: _signed(value, width)

    def binary(value: int) -> bytes:
        try:
            return value.to_bytes(width, "little") if value != NOT_AVAILABLE else blank
        except OverflowError:
            raise ValueError(f"{value} does not fit {encoding}") from None

    return binary


def _signed(value: int, width: int) -> bytes:
    try:
        return value.to_bytes(width, "little", signed=True)
    except OverflowError:
        raise ValueError(f"{value} does not fit i{8 * width}") from None


def decode(encoding: str, raw: bytes) -> int:
    """The integer of one value's bytes: the inverse of `encoder`."""
    if encoding == "ascii8":
        return int(raw[::-1])
    if encoding in _DIGITS:
        return NOT_AVAILABLE if raw == b"\xff" * len(raw) else int(raw[::-1].hex())
    return int.from_bytes(raw, "little", signed=encoding in _SIGNED)


def limits(encoding: str) -> tuple[int, int]:
    """The lowest value an encoding holds, and the first it does not."""
    bits = 8 * WIDTHS[encoding]
    if encoding in _SIGNED:
        return -1 << bits - 1, 1 << bits - 1
    if encoding == "ascii8":
        return 0, 10**8
    return NOT_AVAILABLE, 10 ** _DIGITS[encoding] if encoding in _DIGITS else 1 << bits


# --- many values --------------------------------------------------------------------------------------------------


_PAIRS = np.array([tens << 4 | ones for tens in range(10) for ones in range(10)], dtype=np.uint8)
_ASCII = np.array([0x3030 + (number % 10) + (number // 10 << 8) for number in range(100)], dtype="<u2")


def encode_into(encoding: str, values: NDArray[np.int64] | int, out: NDArray[np.uint8]) -> None:
    """Write the bytes of n values into `out` of shape (n, width); one int is everybody's value. Raises ValueError as
    `encoder` does."""
    if isinstance(values, int):
        out[:] = np.frombuffer(encoder(encoding)(values), dtype=np.uint8)
        return
    width = WIDTHS[encoding]
    lowest, limit = limits(encoding)
    if not len(values):
        return
    least, most = int(values.min()), int(values.max())
    if least < lowest or most >= limit:
        raise ValueError(f"{least if least < lowest else most} does not fit {encoding}")
    if encoding in _DIGITS:
        rest = values
        for at in range(width):
            out[:, at] = _PAIRS[rest % 100]
            rest = rest // 100
        if least == NOT_AVAILABLE:
            out[values == NOT_AVAILABLE] = 0xFF
    elif encoding == "ascii8":
        rest = values
        for at in range(0, width, 2):
            out[:, at : at + 2] = _ASCII[rest % 100].view(np.uint8).reshape(-1, 2)
            rest = rest // 100
    else:
        # Two's complement, little endian: the first bytes of the int64 itself, and minus one is all bits set.
        out[:] = np.ascontiguousarray(values).view(np.uint8).reshape(-1, 8)[:, :width]


_TWO_DIGITS = np.array([(byte >> 4) * 10 + (byte & 15) for byte in range(256)])
_TWO_DIGITS[0xFF] = -(10**12)  # of a number that is not available every byte is


def decode_from(encoding: str, raw: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The integers of n values from their bytes, (n, width): the inverse of `encode_into`."""
    width = WIDTHS[encoding]
    if encoding in _DIGITS:
        out = _TWO_DIGITS[raw[:, width - 1]]
        for at in range(width - 2, -1, -1):
            out = out * 100 + _TWO_DIGITS[raw[:, at]]
        return np.where(out < 0, NOT_AVAILABLE, out)
    if encoding == "ascii8":
        return (raw.astype(np.int64) - 0x30) @ 10 ** np.arange(width)
    whole = np.zeros((len(raw), 8), dtype=np.uint8)
    whole[:, :width] = raw
    number: NDArray[np.int64] = whole.view("<i8")[:, 0]
    if encoding in _SIGNED:
        return number << (64 - 8 * width) >> (64 - 8 * width)
    return number if encoding in ("G", "F", "real") else np.where(number == (1 << 8 * width) - 1, NOT_AVAILABLE, number)
