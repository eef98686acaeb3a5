"""CUL (culfw): `b` + hex with the CRCs of format A + LQI + RSSI, `bY` for format B; 38 400 Bd, commands in lines.

RSSI is the CC1101's: two's complement, half decibels, 74 below; it and the LQI are missing without `X21`. Commands a
gateway's program sends: `V` (which firmware), `brt`, `brc`, `brs` (mode T, C or S), `X21` (levels on).
"""

from __future__ import annotations

import re

from sim.lines.codecs import _culfw
from sim.lines.codecs._text import MAX_LINE_BYTES, always
from sim.lines.codecs.port import Codec
from sim.lines.reception import MODES, Mode, Reception

FIRMWARE = "V 1.67 nanoCUL868"
_OFFSET_DB = 74
_LQI = 0x80
_STATUS_BYTES = 2
_LINE = re.compile(rb"^\s*bY?(?:[0-9a-fA-F]{2}){12,}\s*$")


def rssi_dbm(byte: int) -> float:
    """The CC1101's RSSI register in dBm."""
    return (byte - 256 if byte >= 128 else byte) / 2 - _OFFSET_DB


def rssi_byte(dbm: float) -> int:
    """The register that says this level, or the nearest one."""
    return min(127, max(-128, round((dbm + _OFFSET_DB) * 2))) & 0xFF


def _claims(line: bytes) -> bool:
    return _LINE.match(line) is not None


def _parse(line: str) -> Reception | None:
    if not line.startswith("b"):
        return None  # an answer to a command
    data, rest = _culfw.received(line)
    if len(rest) != _STATUS_BYTES:
        return Reception(data)
    return Reception(data[:-_STATUS_BYTES], rssi_dbm(rest[1]), notes=(f"LQI {rest[0]}",))


def _write(one: Reception) -> bytes:
    status = "" if one.rssi_dbm is None else f"{_LQI:02X}{rssi_byte(one.rssi_dbm):02X}"
    return f"{_culfw.printed(one)}{status}\r\n".encode()


class CulDongle:
    """The stick's ear. `mode`: what it listens to; `levels`: whether `X21` asked for them."""

    def __init__(self) -> None:
        self.mode: Mode | None = None
        self.levels = False
        self._rest = b""

    def hears(self, mode: Mode) -> bool:
        """CMODE hears T1 as well."""
        return mode == self.mode or (self.mode == "C1" and mode == "T1")

    def feed(self, data: bytes) -> bytes:
        *lines, rest = re.split(rb"[\r\n]+", self._rest + data)
        self._rest = rest[-MAX_LINE_BYTES:]
        return b"".join(self._answer(line.strip()) for line in lines)

    def _answer(self, line: bytes) -> bytes:
        if line == b"V":
            return f"{FIRMWARE}\r\n".encode()
        if line[:2] == b"br" and len(line) == 3:
            for mode in MODES:
                if line[2:].decode("latin-1") == mode[0].lower():
                    self.mode = mode
                    return f"{mode[0]}MODE\r\n".encode()
        if line[:1] == b"X":
            self.levels = line == b"X21"
        return b""


CODEC = Codec("cul", "a CUL stick", _claims, always(_parse), _write, CulDongle, baud=38_400)
