"""Radiocrafts RC1180-MBUS: raw frames from L on, nothing between them, 19 200 Bd; no level, no CRC, no start mark.

A program that lost its step finds it where a header can be read: a known C field, an L that leaves room. Commands are
single bytes: 00 enters the configuration (answer `>`), `0` prints its 256 bytes and `>`, `X` leaves it; only then do
frames follow.
"""

from __future__ import annotations

from typing import Final

from sim.lines.codecs._blocks import NO_BLOCK, TORN, Block, BlockReader
from sim.lines.codecs.port import Codec
from sim.lines.reception import Mode, Reception
from wmbus.link import HEADER_BYTES
from wmbus.recover import PLAUSIBLE_C

_ENTER, _DUMP, _LEAVE = 0x00, ord("0"), ord("X")
_PROMPT: Final = b">"
_CONFIGURATION_BYTES: Final = 256
_SETTINGS: Final = {0x00: 12, 0x01: 5, 0x03: 2, 0x30: 5}  # channel, power, T mode, 19 200 Bd


def _at(data: bytes) -> Block:
    if data[0] < HEADER_BYTES or (len(data) > 1 and data[1] not in PLAUSIBLE_C):
        return NO_BLOCK
    size = data[0] + 1
    return Block(size, Reception(data[:size])) if len(data) >= size else TORN


def _claims(data: bytes) -> bool:
    block = _at(data) if data else NO_BLOCK
    return 0 < block.size < len(data) and data[block.size :][1:2] != b"" and data[block.size + 1] in PLAUSIBLE_C


def _write(one: Reception) -> bytes:
    return one.frame


class Rc1180Dongle:
    """The stick's ear. `configuring`: between 00 and `X`, when it forwards nothing."""

    def __init__(self) -> None:
        self.configuring = False
        self.configuration = bytearray(_CONFIGURATION_BYTES)
        for place, value in _SETTINGS.items():
            self.configuration[place] = value

    def hears(self, mode: Mode) -> bool:
        return not self.configuring and mode == "T1"

    def feed(self, data: bytes) -> bytes:
        return b"".join(self._answer(byte) for byte in data)

    def _answer(self, byte: int) -> bytes:
        if byte == _ENTER:
            self.configuring = True
            return _PROMPT
        if self.configuring and byte == _DUMP:
            return bytes(self.configuration) + _PROMPT
        if byte == _LEAVE:
            self.configuring = False
        return b""


CODEC = Codec(
    "rc1180",
    "a Radiocrafts RC1180 stick",
    _claims,
    lambda: BlockReader(_at),
    _write,
    Rc1180Dongle,
    baud=19_200,
    binary=True,
)
