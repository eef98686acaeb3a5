"""Frames of the wired meter bus: HDLC format 3 (IEC 13239) as DLMS and the bus use it.

    7E | A s len(11 bits) | destination | source | control | HCS | information | FCS | 7E

The length counts all but the flags. An address ends at the first byte with bit 0 set. Without information there is no
HCS. Both checks are CRC-16/X-25. Nothing is stuffed: a 7E or 7D inside is data, and frames are split on their length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sim.core.crc16 import crc16_wire
from sim.smgw.refusals import BadFrame

FLAG: Final = 0x7E
FRAME_MOST_BYTES: Final = 0x7FF
ADDRESS_MOST_BYTES: Final = 4
_TYPE, _SEGMENTED = 0xA000, 0x0800
_CHECK_BYTES: Final = 2
_LEAST_BYTES: Final = 7
"""Format, two addresses of one byte, control, FCS."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; addresses as they are on the wire."""

    destination: bytes
    source: bytes
    control: int
    information: bytes = b""
    segmented: bool = False

    def encode(self) -> bytes:
        """Its bytes without the flags. Raises ValueError for what no frame can carry."""
        for address in (self.destination, self.source):
            if not 1 <= len(address) <= ADDRESS_MOST_BYTES or [byte & 1 for byte in address] != [0] * (
                len(address) - 1
            ) + [1]:
                raise ValueError(
                    f"{address.hex()} is no address: bit 0 is set in its last byte only, and 4 are the most"
                )
        addressed = self.destination + self.source + bytes((self.control,))
        length = 2 + len(addressed) + _CHECK_BYTES
        length += _CHECK_BYTES + len(self.information) if self.information else 0
        if length > FRAME_MOST_BYTES:
            raise ValueError(f"a frame has at most {FRAME_MOST_BYTES} bytes, not {length}")
        head = (_TYPE | (_SEGMENTED if self.segmented else 0) | length).to_bytes(2, "big") + addressed
        if self.information:
            head += crc16_wire(head) + self.information
        return head + crc16_wire(head)


def decode(data: bytes) -> Frame:
    """One frame, without its flags. Raises BadFrame (too-short, not-a-frame, octet-stuffed, length-mismatch, address,
    hcs, fcs)."""
    if len(data) < _LEAST_BYTES:
        raise BadFrame("too-short", f"a frame has at least {_LEAST_BYTES} bytes, not {len(data)}", len(data))
    head = int.from_bytes(data[:2], "big")
    if head & 0xF000 != _TYPE:
        raise BadFrame("not-a-frame", f"the format begins with {data[0] >> 4:X}, not A")
    length = head & FRAME_MOST_BYTES
    if length != len(data):
        if len(_unstuffed(data)) == length:
            raise BadFrame(
                "octet-stuffed",
                f"{length} bytes only after octets are unstuffed, which this bus does not do",
                data.index(0x7D),
            )
        raise BadFrame("length-mismatch", f"the length says {length} bytes, there are {len(data)}")
    source_at = _address_end(data, 2)
    control_at = _address_end(data, source_at)
    at, fcs_at = control_at + 1, length - _CHECK_BYTES
    if at > fcs_at:
        raise BadFrame("too-short", "no room for control and FCS behind the addresses", control_at)
    if at != fcs_at:
        if fcs_at < at + _CHECK_BYTES + 1:
            raise BadFrame("too-short", "no room for the HCS and information", at)
        _check(data, at, "hcs")
        at += _CHECK_BYTES
    _check(data, fcs_at, "fcs")
    return Frame(
        data[2:source_at], data[source_at:control_at], data[control_at], data[at:fcs_at], bool(head & _SEGMENTED)
    )


def _address_end(data: bytes, begin: int) -> int:
    for at in range(begin, min(begin + ADDRESS_MOST_BYTES, len(data) - _CHECK_BYTES)):
        if data[at] & 1:
            return at + 1
    raise BadFrame("address", f"no byte with bit 0 set ends the address within {ADDRESS_MOST_BYTES} bytes", begin)


def _check(data: bytes, at: int, reason: str) -> None:
    right = crc16_wire(data[:at])
    if data[at : at + _CHECK_BYTES] != right:
        raise BadFrame(reason, f"{reason.upper()} is {data[at : at + 2].hex()}, right is {right.hex()}", at)


def _unstuffed(data: bytes) -> bytes:
    """What an octet-stuffed line would have meant; only to say so."""
    out, escaped = bytearray(), False
    for byte in data:
        if byte == 0x7D and not escaped:
            escaped = True
            continue
        out.append(byte ^ 0x20 if escaped else byte)
        escaped = False
    return bytes(out)


def as_json(data: bytes, frame: Frame) -> dict[str, Any]:
    """All fields of a frame that was read."""
    has = bool(frame.information)
    at = 3 + len(frame.destination) + len(frame.source)
    return {
        "length": len(data), "segmented": frame.segmented, "dest": frame.destination.hex(), "src": frame.source.hex(),
        "control": f"{frame.control:02x}",
        "hcs": data[at : at + 2].hex() if has else None, "hcs_ok": True if has else None,
        "info": frame.information.hex(), "fcs": data[-2:].hex(), "fcs_ok": True, "length_ok": True,
    }  # fmt: skip


class Splitter:
    """Frames of a line, as bytes arrive in pieces of any size. Holds at most one frame."""

    def __init__(self) -> None:
        self._rest = b""
        self.noise_bytes = 0
        """Bytes outside of frames."""

    def feed(self, data: bytes) -> list[Frame | BadFrame]:
        """Frames that are whole now, and what was none: each begins anew at the next flag."""
        self._rest += data
        out: list[Frame | BadFrame] = []
        while (at := self._rest.find(FLAG)) >= 0:
            self.noise_bytes += at
            rest = self._rest[at:].lstrip(bytes((FLAG,)))  # one flag may end a frame and begin the next
            self._rest = bytes((FLAG,)) + rest
            if len(rest) < 2:
                return out
            length = int.from_bytes(rest[:2], "big") & FRAME_MOST_BYTES
            if rest[0] & 0xF0 != _TYPE >> 8 or length < _LEAST_BYTES:
                out.append(BadFrame("not-a-frame", f"{rest[:2].hex()} is no frame format"))
                self._rest = rest
                continue
            if len(rest) <= length:
                return out
            if rest[length] != FLAG:
                out.append(BadFrame("no-flag", f"no flag after the {length} bytes that the length says", length))
                self._rest = rest
                continue
            try:
                out.append(decode(rest[:length]))
                self._rest = rest[length:]
            except BadFrame as error:
                out.append(error)
                self._rest = rest
        self.noise_bytes += len(self._rest)
        self._rest = b""
        return out
