"""Amber AMB8465: `FF command length payload XOR`, 9 600 Bd; XOR over all bytes before it.

A telegram is command 03, its payload the frame from C on and the level: length is L + 1; dBm = level / 2 - 74, two's
complement. Commands and answers (the command with bit 7): 04 set mode, 05 reset, 09 set parameter, 0A get parameters,
0B serial number.
"""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import Final

from sim.lines.codecs._blocks import NO_BLOCK, TORN, Block, BlockReader
from sim.lines.codecs.cul import rssi_byte, rssi_dbm
from sim.lines.codecs.port import Bad, Codec
from sim.lines.reception import Mode, Reception
from wmbus.link import HEADER_BYTES

_START: Final = 0xFF
_TELEGRAM, _SET_MODE, _RESET, _SET, _GET, _SERIAL = 0x03, 0x04, 0x05, 0x09, 0x0A, 0x0B
_ANSWER: Final = 0x80
_COMMANDS: Final = frozenset({_TELEGRAM, _SET_MODE, _RESET, _SET, _GET, _SERIAL})
_PARAMETERS: Final = 0x78
_MODE_AT, _LEVEL_AT = 0x46, 0x45  # of the stick's parameters: mode after a reset, level behind each telegram
_NO_LEVEL: Final = 0x80  # -138 dBm: the least that the byte can say
_OVERHEAD: Final = 4
MODES_HEARD: Final[dict[int, tuple[Mode, ...]]] = {
    0x01: ("S1",), 0x02: ("S1",), 0x03: ("S1",), 0x06: ("T1",), 0x08: ("T1",), 0x0C: ("C1",), 0x0E: ("C1",),
    0x09: ("C1", "T1"),
}  # fmt: skip


def _block(command: int, payload: bytes) -> bytes:
    body = bytes((_START, command, len(payload))) + payload
    return body + bytes((reduce(xor, body),))


def _size_at(data: bytes) -> int:
    """Bytes of the block that begins here; 0: none does, -1: it is not all there yet."""
    if data[0] != _START or (len(data) > 1 and data[1] & 0x7F not in _COMMANDS):
        return NO_BLOCK.size
    if len(data) < _OVERHEAD or len(data) < _OVERHEAD + data[2]:
        return TORN.size
    size = _OVERHEAD + data[2]
    return size if reduce(xor, data[:size]) == 0 else NO_BLOCK.size


def _at(data: bytes) -> Block:
    size = _size_at(data)
    if size <= 0 or data[1] != _TELEGRAM:
        return Block(size)
    if data[2] < HEADER_BYTES:
        return Block(size, Bad(f"a telegram of {data[2]} bytes holds no link header"))
    level = data[size - 2]
    return Block(size, Reception(bytes((data[2] - 1,)) + data[3 : size - 2], rssi_dbm(level), crc_ok=True))


def _claims(data: bytes) -> bool:
    return _at(data).said is not None


def _write(one: Reception) -> bytes:
    """Raises ValueError where L is 255: its length does not fit the stick's byte, and the stick does not send it."""
    frame = one.frame
    if len(frame) > 255:
        raise ValueError("an AMB8465 has no length byte for a telegram with L 255")
    level = _NO_LEVEL if one.rssi_dbm is None else rssi_byte(one.rssi_dbm)
    return _block(_TELEGRAM, frame[1:] + bytes((level,)))


class Amb8465Dongle:
    """The stick's ear. `mode`: the number that the program set (09 is C1 and T1)."""

    def __init__(self) -> None:
        self.parameters = bytearray(_PARAMETERS)
        self.parameters[_LEVEL_AT] = 1
        self.mode = self.parameters[_MODE_AT] = 0x09
        self._rest = b""

    def hears(self, mode: Mode) -> bool:
        return mode in MODES_HEARD.get(self.mode, ())

    def feed(self, data: bytes) -> bytes:
        data = self._rest + data
        answer = b""
        at = 0
        while at < len(data):
            size = _size_at(data[at:])
            if size == TORN.size:
                break
            if size == NO_BLOCK.size:
                at += 1
                continue
            answer += self._answer(data[at + 1], data[at + 3 : at + size - 1])
            at += size
        self._rest = data[at:]
        return answer

    def _answer(self, command: int, payload: bytes) -> bytes:
        done = b"\0"
        if command == _GET and len(payload) == 2:
            first = payload[0]
            found = bytes(self.parameters[first : first + payload[1]])
            return _block(_GET | _ANSWER, bytes((first, len(found))) + found)
        if command == _SET_MODE and payload:
            self.mode = payload[0]
            return _block(_SET_MODE | _ANSWER, done)
        if command == _SET and len(payload) > 1:
            first, value = payload[0], payload[2:] if payload[1] == len(payload) - 2 else payload[1:]
            self.parameters[first : first + len(value)] = value
            del self.parameters[_PARAMETERS:]
            return _block(_SET | _ANSWER, done)
        if command == _RESET:
            self.mode = self.parameters[_MODE_AT]
            return _block(_RESET | _ANSWER, done)
        if command == _SERIAL:
            return _block(_SERIAL | _ANSWER, bytes.fromhex("11223344"))
        return b""


CODEC = Codec(
    "amb8465",
    "an Amber AMB8465 stick",
    _claims,
    lambda: BlockReader(_at),
    _write,
    Amb8465Dongle,
    baud=9_600,
    binary=True,
)
