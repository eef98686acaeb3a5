"""The bytes of one value, in both directions (EN 13757-3, data types A, B, C, D, H, F, G, I, J and LVAR).

A number in a record is ``digits * 10**exponent``.  A negative power divides by an integer power of ten, which rounds
once and correctly: 8683 litres are 8.683, not 8.682999.  A positive power stays an integer.

"Not available" is None, never a number: a BCD with digits above 9 (but for the F of a minus sign), the signed
binary 80..00, a NaN, a date of FFFF.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, datetime, time

from wmbus import dates
from wmbus.errors import CannotEncode

Value = int | float | str | bytes | date | datetime | time | None
Decoder = Callable[[bytes], Value]

INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 8}
BCD_BYTES = {0x9: 1, 0xA: 2, 0xB: 3, 0xC: 4, 0xE: 6}
REAL = 5
LVAR = 0xD
BLOB_FIRST, TEXT_LAST = 0xE0, 0xBF


def decode_bcd(raw: bytes) -> int | None:
    """Type A.  A leading F is a minus sign; any other digit above 9 means no value."""
    digits = raw[::-1].hex()
    try:
        return int(digits)
    except ValueError:
        if digits[0] == "f" and digits[1:].isdecimal():
            return -int(digits[1:])
        return None


def encode_bcd(number: int | None, size: int) -> bytes:
    """Number -> ``size`` bytes; None -> all F.  Raises CannotEncode when it does not fit."""
    if number is None:
        return b"\xff" * size
    digits = f"{number:0{2 * size}d}" if number >= 0 else f"f{-number:0{2 * size - 1}d}"
    if len(digits) != 2 * size:
        raise CannotEncode(f"{number} does not fit {2 * size} BCD digits")
    return bytes.fromhex(digits)[::-1]


def decode_signed(raw: bytes) -> int | None:
    """Type B.  The most negative number means no value."""
    number = int.from_bytes(raw, "little", signed=True)
    return None if number == -1 << 8 * len(raw) - 1 else number


def encode_integer(number: int | None, size: int, *, signed: bool = True) -> bytes:
    """Number -> ``size`` bytes little endian; None -> 80..00 (signed only).  Raises CannotEncode."""
    if number is None:
        if not signed:
            raise CannotEncode("an unsigned integer has no code for 'no value'")
        return bytes(size - 1) + b"\x80"
    try:
        return number.to_bytes(size, "little", signed=signed)
    except OverflowError as error:
        raise CannotEncode(f"{number} does not fit {size} bytes, {'' if signed else 'un'}signed") from error


def decode_real(raw: bytes) -> float | None:
    """Type H, IEEE 754 single.  NaN and infinities mean no value."""
    number: float = struct.unpack("<f", raw)[0]
    return number if number - number == 0 else None


def encode_real(number: float | None) -> bytes:
    """Number -> type H; None -> NaN."""
    return struct.pack("<f", float("nan") if number is None else number)


def scaled(number: int | float | None, exponent: int) -> int | float | None:
    """``number * 10**exponent``, rounded once."""
    if number is None or exponent == 0:
        return number
    return number * int(10**exponent) if exponent > 0 else number / int(10**-exponent)


def unscaled(value: int | float | None, exponent: int) -> int | None:
    """The digits that ``value`` has at this power of ten.  Raises CannotEncode if it is no whole number of them."""
    if value is None:
        return None
    exact = value * int(10**-exponent) if exponent <= 0 else value / int(10**exponent)
    number = round(exact)
    if abs(exact - number) > 1e-6 * max(1.0, abs(exact)):
        raise CannotEncode(f"{value} is no whole multiple of 10**{exponent}")
    return number


def number_decoder(base: Callable[[bytes], int | float | None], exponent: int) -> Decoder:
    """``base`` followed by scaling, as one closure without branches on the usual path."""
    if exponent == 0:
        return base
    if exponent > 0:
        factor = 10**exponent

        def multiply(raw: bytes) -> Value:
            number = base(raw)
            return None if number is None else number * factor

        return multiply
    divisor = 10**-exponent

    def divide(raw: bytes) -> Value:
        number = base(raw)
        return None if number is None else number / divisor

    return divide


def decode_unsigned(raw: bytes) -> int:
    """Types C and D."""
    return int.from_bytes(raw, "little")


# --- LVAR -----------------------------------------------------------------------------------------------------


def lvar_bytes(code: int) -> int | None:
    """Data bytes that follow an LVAR byte, None for a reserved code."""
    if code <= TEXT_LAST:
        return code
    if 0xC0 <= code <= 0xC9 or 0xD0 <= code <= 0xD9:
        return code & 15
    if 0xE0 <= code <= 0xEF:
        return code & 15
    if 0xF0 <= code <= 0xF4:
        return 4 * (code - 0xEC)
    return {0xF5: 48, 0xF6: 64}.get(code)


def decode_lvar(raw: bytes) -> Value:
    """LVAR byte and its data: text (sent last letter first), BCD of either sign, or bytes in sending order."""
    code, data = raw[0], raw[1:]
    if code <= TEXT_LAST:
        return data[::-1].decode("latin-1")
    if code < BLOB_FIRST:
        digits = data[::-1].hex()
        if digits and not digits.isdecimal():
            return None
        number = int(digits or "0")
        return number if code < 0xD0 else -number
    return bytes(data)


def encode_lvar(value: Value) -> bytes:
    """Text or bytes -> LVAR byte and data.  Raises CannotEncode when too long, or for other letters."""
    if isinstance(value, str):
        try:
            data = value.encode("latin-1")[::-1]
        except UnicodeEncodeError as error:
            raise CannotEncode(f"LVAR text holds no {value[error.start]!r}, only ISO 8859-1") from None
        if len(data) > TEXT_LAST:
            raise CannotEncode(f"LVAR text holds {TEXT_LAST} letters, not {len(data)}")
        return bytes((len(data),)) + data
    if isinstance(value, bytes):
        if len(value) < 16:
            return bytes((BLOB_FIRST + len(value),)) + value
        for code in range(0xF0, 0xF7):
            if lvar_bytes(code) == len(value):
                return bytes((code,)) + value
        raise CannotEncode(f"LVAR has no code for {len(value)} bytes")
    if isinstance(value, int):
        digits = str(abs(value))
        size = (len(digits) + 1) // 2
        if size > 9:
            raise CannotEncode(f"LVAR holds 18 BCD digits, not {len(digits)}")
        return bytes(((0xC0 if value >= 0 else 0xD0) + size,)) + encode_bcd(abs(value), size)
    raise CannotEncode(f"LVAR holds text, bytes or a whole number, not {type(value).__name__}")


def lvar_number(data: bytes, code: int) -> int | None:
    """The number that an LVAR byte above text announces: BCD of either sign, or binary (type B, up to eight bytes)."""
    if code >= BLOB_FIRST:
        return decode_signed(data) if 1 <= len(data) <= 8 else None
    value = decode_lvar(bytes((code,)) + data)
    return value if isinstance(value, int) else None


def lvar_decoder(exponent: int) -> Decoder:
    """LVAR of a measured quantity: numbers keep the scale of its VIF; text stays text, a longer binary stays bytes."""

    def decode(raw: bytes) -> Value:
        code = raw[0]
        if code <= TEXT_LAST or len(raw) > 9:
            return decode_lvar(raw)
        return scaled(lvar_number(raw[1:], code), exponent)

    return decode


# --- identifications ---------------------------------------------------------------------------------------------


def decode_bcd_id(raw: bytes) -> str | None:
    """Type A as an identification: all its digits, zeros in front included; all F is none."""
    digits = raw[::-1].hex().upper()
    return None if digits.strip("F") == "" else digits


def encode_bcd_id(text: str, size: int) -> bytes:
    """The inverse of ``decode_bcd_id``.  Raises CannotEncode."""
    try:
        out = bytes.fromhex(text)[::-1]
    except ValueError:
        out = b""
    if len(out) != size:
        raise CannotEncode(f"an identification of {2 * size} digits is needed, not {text!r}")
    return out


# --- dates ----------------------------------------------------------------------------------------------------

DATES: dict[int, Decoder] = {2: dates.decode_g, 3: dates.decode_j, 4: dates.decode_f, 6: dates.decode_i}
"""Size in bytes -> decoder of a date or time of that size."""


def encode_date(value: Value, size: int) -> bytes:
    """Date (2 bytes), time (3), date and time (4 to the minute, 6 to the second).  Raises CannotEncode."""
    if size == 2 and (value is None or isinstance(value, date)):
        return dates.encode_g(value)
    if size == 3 and (value is None or isinstance(value, time)):
        return dates.encode_j(value)
    if size in (4, 6) and (value is None or isinstance(value, datetime)):
        return dates.encode_f(value) if size == 4 else dates.encode_i(value)
    raise CannotEncode(f"{value!r} is no date or time of {size} bytes")
