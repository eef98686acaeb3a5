"""IMST iM871A (HCI): `A5 ctrl<<4|endpoint msg len payload [ts(4)] [rssi] [crc(2, LE)]`, 57 600 Bd.

ctrl: bit 1 a time stamp, bit 2 a level, bit 3 a CRC, X.25 over everything after A5. A telegram is message 03 of
endpoint 2; its payload is the frame from C on, so `len` is L. dBm = -100 + (level - 45) / 2; the stamp counts
milliseconds of the stick's clock. Commands to endpoint 1: 01 ping, 03 set configuration, 05 get configuration, 0F
device information; the answer is the message one higher.
"""

from __future__ import annotations

from typing import Final

from sim.core.clock import NS_PER_MS
from sim.lines.codecs._blocks import NO_BLOCK, TORN, Block, BlockReader
from sim.lines.codecs.port import Bad, Codec
from sim.lines.reception import Mode, Reception, Stamp
from wmbus.link import HEADER_BYTES

_START: Final = 0xA5
_STAMPED, _LEVEL, _CRC = 0x20, 0x40, 0x80
_MANAGEMENT, _RADIO = 1, 2
_TELEGRAM: Final = 0x03
_ENDPOINTS: Final = (1, 2, 3, 4)

_DEVICE_INFO: Final = bytes.fromhex("3300141544332211")
_CONFIGURATION: Final = (  # (name, bytes), flagged in this order by the bits of two bytes
    ("device mode", "00"), ("link mode", "04"), ("c field", "00"), ("manufacturer", "5A14"), ("id", "78563412"),
    ("version", "01"), ("type", "37"), ("radio channel", "01"),
    ("power", "07"), ("data rate", "02"), ("receive window", "00"), ("power saving", "00"), ("level", "01"),
    ("time stamp", "00"), ("led", "01"), ("clock", "01"),
)  # fmt: skip
LINK_MODES: Final = {0x00: "S1", 0x03: "T1", 0x04: "T1", 0x06: "C1", 0x07: "C1", 0x0A: "C1+T1"}


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_X25: Final = _crc_table()


def crc_x25(data: bytes) -> int:
    """CRC-16/X-25: reflected 1021, initial FFFF, inverted at the end."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _X25[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFF


def rssi_dbm(byte: int) -> float:
    return -100 + (byte - 45) / 2


def rssi_byte(dbm: float) -> int:
    """The level byte that says this, or the nearest one."""
    return min(255, max(0, round((dbm + 100) * 2 + 45)))


def _size(data: bytes) -> int:
    control = data[1]
    return 4 + data[3] + 4 * bool(control & _STAMPED) + bool(control & _LEVEL) + 2 * bool(control & _CRC)


def _at(data: bytes) -> Block:
    if data[0] != _START or (len(data) > 1 and data[1] & 15 not in _ENDPOINTS):
        return NO_BLOCK
    if len(data) < 4 or len(data) < _size(data):
        return TORN
    size, control = _size(data), data[1]
    end = size
    if control & _CRC:
        end -= 2
        if crc_x25(data[1:end]) != int.from_bytes(data[end:size], "little"):
            return NO_BLOCK
    if (control & 15, data[2]) != (_RADIO, _TELEGRAM):
        return Block(size)
    level: float | None = None
    if control & _LEVEL:
        end -= 1
        level = rssi_dbm(data[end])
    when = None
    if control & _STAMPED:
        end -= 4
        ms = int.from_bytes(data[end : end + 4], "little")
        when = Stamp(f"{ms / 1000:.3f}", ms * NS_PER_MS, dated=False)
    if data[3] < HEADER_BYTES - 1:
        return Block(size, Bad(f"a telegram of {data[3]} bytes holds no link header"))
    return Block(size, Reception(data[3:end], level, when, crc_ok=True))


def _claims(data: bytes) -> bool:
    block = _at(data)
    return block.size > 0 and bool(data[1] & _CRC)


def _block(
    endpoint: int, message: int, payload: bytes, level: float | None = None, stamp: Stamp | None = None
) -> bytes:
    control = _CRC | (0 if level is None else _LEVEL) | (0 if stamp is None else _STAMPED)
    body = bytes((control | endpoint, message, len(payload))) + payload
    if stamp is not None:
        body += (stamp.ns // NS_PER_MS & 0xFFFFFFFF).to_bytes(4, "little")
    if level is not None:
        body += bytes((rssi_byte(level),))
    return bytes((_START,)) + body + crc_x25(body).to_bytes(2, "little")


def _write(one: Reception) -> bytes:
    stamp = None if one.stamp is None or one.stamp.dated else one.stamp
    return _block(_RADIO, _TELEGRAM, one.frame[1:], one.rssi_dbm, stamp)


class Im871aDongle:
    """The stick's ear. `configuration`: name -> bytes, as the program set them."""

    def __init__(self) -> None:
        self.configuration = {name: bytes.fromhex(value) for name, value in _CONFIGURATION}
        self._rest = b""

    @property
    def link_mode(self) -> str:
        """What it listens to, in words; "" for a number that is no receiver's mode."""
        return LINK_MODES.get(self.configuration["link mode"][0], "")

    def hears(self, mode: Mode) -> bool:
        return mode in self.link_mode.split("+")

    def feed(self, data: bytes) -> bytes:
        data = self._rest + data
        answer = b""
        at = 0
        while at < len(data):
            if data[at] != _START or (at + 1 < len(data) and data[at + 1] & 15 not in _ENDPOINTS):
                at += 1
                continue
            if len(data) - at < 4 or len(data) - at < _size(data[at : at + 4]):
                break
            size = _size(data[at : at + 4])
            answer += self._answer(data[at + 1] & 15, data[at + 2], data[at + 4 : at + 4 + data[at + 3]])
            at += size
        self._rest = data[at:]
        return answer

    def _answer(self, endpoint: int, message: int, payload: bytes) -> bytes:
        if endpoint != _MANAGEMENT:
            return b""
        if message == 0x01:
            return _block(_MANAGEMENT, 0x02, b"")
        if message == 0x03:
            self._configure(payload)
            return _block(_MANAGEMENT, 0x04, b"")
        if message == 0x05:
            return _block(_MANAGEMENT, 0x06, self._configured())
        if message == 0x0F:
            return _block(_MANAGEMENT, 0x10, _DEVICE_INFO)
        return b""

    def _configure(self, payload: bytes) -> None:
        """Flag whether to keep it, then twice a byte of flags and the fields that they name."""
        at = 1
        for first in (0, 8):
            flags = payload[at] if at < len(payload) else 0
            at += 1
            for bit, (name, initial) in enumerate(_CONFIGURATION[first : first + 8]):
                if flags >> bit & 1:
                    size = len(initial) // 2
                    value = payload[at : at + size]
                    if len(value) == size:
                        self.configuration[name] = value
                    at += size

    def _configured(self) -> bytes:
        values = list(self.configuration.values())
        return b"\xff" + b"".join(values[:8]) + b"\xff" + b"".join(values[8:])


CODEC = Codec(
    "im871a", "an IMST iM871A stick", _claims, lambda: BlockReader(_at), _write, Im871aDongle, baud=57_600, binary=True
)
