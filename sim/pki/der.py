"""DER (X.690), as far as content security needs it: tags of one byte, definite lengths, nothing behind the end.

Strict: bytes that are read are the only way to write what they say, so that a signature over them covers all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

INTEGER: Final = 0x02
OCTETS: Final = 0x04
OID: Final = 0x06
UTC_TIME: Final = 0x17
GENERAL_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
LENGTH_MOST_BYTES: Final = 4


class BadDer(ValueError):
    """Not DER, or another value than is expected there; the message says what."""


@dataclass(frozen=True, slots=True)
class Tlv:
    """One value: its tag, its content, and all its bytes."""

    tag: int
    content: bytes
    raw: bytes

    def items(self) -> list[Tlv]:
        """The values in it. Raises BadDer."""
        if not self.tag & 0x20:
            raise BadDer(f"tag {self.tag:02x} holds no other values")
        out, at = [], 0
        while at < len(self.content):
            one, at = _read(self.content, at)
            out.append(one)
        return out


def read(data: bytes, tag: int | None = None) -> Tlv:
    """The one value that `data` is. Raises BadDer."""
    one, end = _read(data, 0)
    if end != len(data):
        raise BadDer(f"{len(data) - end} bytes behind the end")
    return one if tag is None else expect(one, tag)


def expect(one: Tlv, tag: int) -> Tlv:
    """Itself, if it has this tag. Raises BadDer."""
    if one.tag != tag:
        raise BadDer(f"tag {one.tag:02x} where {tag:02x} is expected")
    return one


def _read(data: bytes, at: int) -> tuple[Tlv, int]:
    if at + 2 > len(data):
        raise BadDer("the bytes end within a value")
    tag, length, begin = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise BadDer("a tag of more than one byte")
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= LENGTH_MOST_BYTES or begin + count > len(data):
            raise BadDer("a length without end, or of too many bytes")
        length = int.from_bytes(data[begin : begin + count], "big")
        if length < 0x80 or data[begin] == 0:
            raise BadDer("a length in more bytes than it needs")
        begin += count
    end = begin + length
    if end > len(data):
        raise BadDer("the bytes end within a value")
    return Tlv(tag, data[begin:end], data[at:end]), end


def write(tag: int, *parts: bytes) -> bytes:
    """A value of the bytes in it."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(content).to_bytes(size, "big") + content


def integer(value: int) -> bytes:
    """A whole number."""
    return write(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def number(one: Tlv) -> int:
    """Its value. Raises BadDer."""
    content = expect(one, INTEGER).content
    if not content or (len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1))):
        raise BadDer("a number in more bytes than it needs")
    return int.from_bytes(content, "big", signed=True)


def oid(text: str) -> bytes:
    """An object identifier of its dotted numbers."""
    first, second, *rest = map(int, text.split("."))
    out = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return write(OID, bytes(out))


def utc_time(at: datetime) -> bytes:
    """UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5652, 11.3)."""
    at = at.astimezone(UTC)
    if 1950 <= at.year < 2050:
        return write(UTC_TIME, f"{at:%y%m%d%H%M%S}Z".encode())
    return write(GENERAL_TIME, f"{at:%Y%m%d%H%M%S}Z".encode())


def time(one: Tlv) -> datetime:
    """Raises BadDer."""
    text = one.content.decode("ascii", "replace")
    try:
        if one.tag == UTC_TIME and len(text) == 13:
            century = "19" if text[:2] >= "50" else "20"
            return datetime.strptime(century + text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
        if one.tag == GENERAL_TIME and len(text) == 15:
            return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        pass
    raise BadDer("no time in UTC with seconds")
