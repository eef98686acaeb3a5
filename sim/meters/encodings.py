"""How a number stands in a record: one table of encodings, which encoding, decoding, limits and compiled code share.

A value is always an integer. A date is the number its bits make (civil.type_g, type_f, type_i), a real is its IEEE
bits, so that an encoding is only "little endian binary", "packed BCD" or "ASCII digits, last first". Minus one is "not
available": all bits set, except in a signed encoding, where it is minus one, and in ASCII, which has none. A value that
does not fit is a ValueError here, never a cut-off number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

NOT_AVAILABLE: Final = -1
BINARY, BCD, ASCII = range(3)
LVAR: Final = 0x0D  # data field of a record that gives its own length


class Encoding(NamedTuple):
    """One way of writing an integer. `width` in bytes; `data_field` is the DIF's low half in a plain record (EN
    13757-3); `lowest` is the least value it holds and `beyond` the first too large one."""

    name: str
    kind: int
    width: int
    data_field: int
    lowest: int
    beyond: int
    signed: bool = False


def _binary(name: str, width: int, data_field: int) -> Encoding:
    return Encoding(name, BINARY, width, data_field, NOT_AVAILABLE, 1 << 8 * width)


def _signed(name: str, width: int, data_field: int) -> Encoding:
    return Encoding(name, BINARY, width, data_field, -1 << 8 * width - 1, 1 << 8 * width - 1, signed=True)


def _bcd(digits: int, data_field: int) -> Encoding:
    return Encoding(f"bcd{digits}", BCD, digits // 2, data_field, NOT_AVAILABLE, 10**digits)


ENCODINGS: Final[dict[str, Encoding]] = {
    one.name: one
    for one in (
        *(_binary(f"u{8 * width}", width, width) for width in (1, 2, 3, 4)),
        _binary("u48", 6, 6),
        _signed("i16", 2, 2),
        _signed("i32", 4, 4),
        _binary("G", 2, 2),  # date
        _binary("F", 4, 4),  # date and time to the minute
        _binary("I", 6, 6),  # date and time to the second
        _binary("real", 4, 5),
        *(_bcd(digits, data_field) for digits, data_field in ((2, 9), (4, 10), (6, 11), (8, 12), (12, 14))),
        Encoding("ascii8", ASCII, 8, LVAR, 0, 10**8),
    )
}
DATES: Final = frozenset("GFI")
"""The encodings whose integers are dates: only a quantity of the same form fits them."""


@dataclass(frozen=True, slots=True)
class Field:
    """One data record of a meter type.

    `head` is everything before the value: DIF, VIF, and for an LVAR or a profile its length and profile header too.
    `quantity` names a row of `quantities.QUANTITIES`, or one of the type's own quantities or constants. A profile has
    several `backs`, one an element: how many months or half months ago, in the order in which they are sent.
    """

    head: bytes
    encoding: str
    quantity: str
    backs: tuple[int, ...] = (0,)

    @property
    def width(self) -> int:
        """Bytes of one value."""
        return ENCODINGS[self.encoding].width

    def __len__(self) -> int:
        return len(self.head) + self.width * len(self.backs)


def field(head: str, encoding: str, quantity: str, *backs: int) -> Field:
    """A row of a field table; `head` in hex."""
    return Field(bytes.fromhex(head), encoding, quantity, backs or (0,))


def encoder(encoding: str) -> Callable[[int], bytes]:
    """The function that makes the bytes of one value; it raises ValueError for a value that does not fit."""
    one = ENCODINGS[encoding]
    width, signed, blank = one.width, one.signed, b"\xff" * one.width
    pattern = f"%0{width if one.kind == ASCII else 2 * width}d"

    def encode(value: int) -> bytes:
        if not one.lowest <= value < one.beyond:
            raise ValueError(f"{value} does not fit {encoding}")
        if value == NOT_AVAILABLE:
            return blank
        if one.kind == BINARY:
            return value.to_bytes(width, "little", signed=signed)
        digits = pattern % value
        return digits[::-1].encode() if one.kind == ASCII else bytes.fromhex(digits)[::-1]

    return encode


def decode(encoding: str, raw: bytes) -> int:
    """The integer of one value's bytes: the inverse of `encoder`."""
    one = ENCODINGS[encoding]
    if one.kind == BINARY:
        return int.from_bytes(raw, "little", signed=one.signed)
    if one.kind == ASCII:
        return int(raw[::-1])
    return NOT_AVAILABLE if raw == b"\xff" * len(raw) else int(raw[::-1].hex())


_TWO_DIGITS = np.array([(byte >> 4) * 10 + (byte & 15) for byte in range(256)])
_TWO_DIGITS[0xFF] = -(10**15)  # of a number that is not available every byte is


def decode_many(encoding: str, raw: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The integers of n values from their bytes, (n, width), all bits set being NOT_AVAILABLE where it may."""
    one = ENCODINGS[encoding]
    if one.kind == BCD:
        out = np.zeros(len(raw), dtype=np.int64)
        for at in range(one.width - 1, -1, -1):
            out = out * 100 + _TWO_DIGITS[raw[:, at]]
            out[out < 0] = -(10**15)
        return np.where(out < 0, NOT_AVAILABLE, out)
    if one.kind == ASCII:
        return (raw.astype(np.int64) - 0x30) @ 10 ** np.arange(one.width)
    number = _number(raw)
    if one.signed:
        return number << (64 - 8 * one.width) >> (64 - 8 * one.width)
    return number if encoding in (*DATES, "real") else np.where(number == one.beyond - 1, NOT_AVAILABLE, number)


def _number(raw: NDArray[np.uint8]) -> NDArray[np.int64]:
    """n whole numbers without sign from their bytes, (n, width), the lowest first."""
    width = raw.shape[1]
    if width in (1, 2, 4) and (raw.strides[1] == 1 or width == 1):  # in place, wherever the rows stand
        return raw.view(f"<u{width}")[:, 0].astype(np.int64)
    whole = np.zeros((len(raw), 8), dtype=np.uint8)
    whole[:, :width] = raw
    number: NDArray[np.int64] = whole.view("<i8")[:, 0]
    return number
