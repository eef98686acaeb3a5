"""How the reference gateway hears: lines of rtl_wmbus or rtl_433 on a pipe, or an iM871A stick on a serial port.

This is the gateway's own side of both, written for it alone: it knows no telegram from noise (a frame is what has a
length that fits), and keeps no line or block that is not whole. The bench's side is sim.lines.
"""

from __future__ import annotations

import contextlib
import json
import os
import termios
import tty
from collections.abc import Callable
from typing import Final, Protocol

from sim.core import clock
from sim.core.crc16 import crc16

Heard = Callable[[bytes, float], None]
"""A frame without CRCs, L first, and its level in dBm."""

LEAST_BYTES: Final = 10  # L and what every link header has
MOST_BYTES: Final = 256
LEVEL_UNKNOWN_DBM: Final = -127.0
_LINE_MOST: Final = 4_096
_READ_BYTES: Final = 65_536


class InputGone(Exception):
    """The input has ended or cannot be used; one sentence with the way out."""


class Input(Protocol):
    """Something that hears."""

    descriptor: int
    refused: int
    """Lines or blocks that were no frame."""

    def read(self) -> None:
        """Take what is there. Raises InputGone."""

    def tick(self) -> None:
        """Asked a few times a second: keep the other side awake, open it again. Raises InputGone."""

    def close(self) -> None:
        """Until the next `tick`, where there is a way back."""


def fits(frame: bytes) -> bool:
    return LEAST_BYTES <= len(frame) <= MOST_BYTES and frame[0] == len(frame) - 1


class Lines:
    """rtl_wmbus: `MODE;CRC_OK;3OUTOF6OK;TIME;RSSI;RSSI;ID;0xHEX`. A 0 in the second field is a broken frame. rtl_433:
    an object of JSON with the frame in `data`, where `mic` says that its CRCs fitted."""

    def __init__(self, descriptor: int, heard: Heard) -> None:
        self.descriptor, self._heard = descriptor, heard
        self.refused = 0
        self._rest = b""

    def read(self) -> None:
        came = os.read(self.descriptor, _READ_BYTES)
        if not came:
            raise InputGone("standard input has ended")
        *lines, self._rest = (self._rest + came).split(b"\n")
        if len(self._rest) > _LINE_MOST:
            self._rest = b"-" * _LINE_MOST  # the line is refused as a whole when it ends
        for line in lines:
            self._line(line.strip())

    def _line(self, line: bytes) -> None:
        if not line:
            return
        if line.startswith(b"{"):
            self._object(line)
            return
        fields = line.split(b";")
        try:
            frame = bytes.fromhex(fields[7].decode("ascii").removeprefix("0x")) if fields[1] == b"1" else b""
        except (IndexError, ValueError):
            frame = b""
        if not fits(frame):
            self.refused += 1
            return
        self._heard(frame, _level_dbm(fields[4]))

    def _object(self, line: bytes) -> None:
        frame = b""
        with contextlib.suppress(ValueError, RecursionError, TypeError, KeyError):
            body = json.loads(line)
            if body["mic"] == "CRC":
                frame = _whole(bytes.fromhex(body["data"]))
        if fits(frame):
            self._heard(frame, LEVEL_UNKNOWN_DBM)  # its levels are below full scale, and no dBm
        else:
            self.refused += 1

    def tick(self) -> None:
        """Nobody to keep awake."""

    def close(self) -> None:
        """Its owner closes what it was given."""


def _whole(data: bytes) -> bytes:
    """Releases up to 23.11 print an L two too small, and the last CRC behind the frame."""
    if len(data) > LEAST_BYTES and data[0] == len(data) - 5:
        return bytes((data[0] + 2,)) + data[1:-2]
    return data


def _level_dbm(field: bytes) -> float:
    """rtl_wmbus itself prints numbers of its own above 0: they say nothing in dBm."""
    try:
        level = float(field)
    except ValueError:
        return LEVEL_UNKNOWN_DBM
    return level if -200.0 <= level < 0.0 else LEVEL_UNKNOWN_DBM


# --- iM871A ----------------------------------------------------------------------------------------------------

_START: Final = 0xA5
_ASK: Final = b"\xa5\x01\x0f\x00"  # device information: it answers when it is there
_HEAR_C_AND_T: Final = bytes.fromhex("a501030600020a300100")
_STAMPED, _LEVEL, _CRC = 0x20, 0x40, 0x80
_RADIO: Final = (2, 3)  # endpoint and message of a telegram
_QUIET_S: Final = 20.0
_ANSWER_S: Final = 2.0


class Im871a:
    """The stick on its port, 57 600 bit/s. It is asked who it is when it has been quiet for long; a stick that does not
    answer is opened anew, which brings back one that was unplugged or hangs."""

    def __init__(self, path: str, heard: Heard) -> None:
        self._path, self._heard = path, heard
        self.refused = 0
        self.descriptor = -1
        self._open()

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _open(self) -> None:
        self.close()
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise InputGone(f"{self._path}: {error.strerror}; plug the stick in, or name its port") from None
        self.descriptor = descriptor
        try:
            tty.setraw(descriptor)
            settings = termios.tcgetattr(descriptor)
            settings[4] = settings[5] = termios.B57600
            termios.tcsetattr(descriptor, termios.TCSANOW, settings)
            os.write(descriptor, _ASK + _HEAR_C_AND_T)
        except (OSError, termios.error) as error:
            raise InputGone(f"{self._path}: {error}; it is no serial port, or it went away") from None
        self._rest = b""
        self._heard_s = clock.wall_s()
        self._asked_s: float | None = self._heard_s

    def tick(self) -> None:
        now_s = clock.wall_s()
        if self.descriptor < 0 or (self._asked_s is not None and now_s - self._asked_s > _ANSWER_S):
            self._open()
        elif self._asked_s is None and now_s - self._heard_s > _QUIET_S:
            self._asked_s = now_s
            try:
                os.write(self.descriptor, _ASK)
            except OSError:
                self._open()

    def read(self) -> None:
        try:
            came = os.read(self.descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise InputGone(f"{self._path}: {error.strerror}; plug the stick in again") from None
        if not came:
            raise InputGone(f"{self._path} was closed; plug the stick in again")
        self._heard_s, self._asked_s = clock.wall_s(), None
        self._rest += came
        while self._block():
            pass

    def _block(self) -> bool:
        """Take one block off the front, or a byte that begins none; False when the front is not whole yet."""
        data = self._rest
        if not data:
            return False
        if data[0] != _START:
            self._rest = data[1:]
            return True
        if len(data) < 4:
            return False
        control, message, length = data[1], data[2], data[3]
        size = 4 + length + 4 * bool(control & _STAMPED) + bool(control & _LEVEL) + 2 * bool(control & _CRC)
        if len(data) < size:
            return False
        if not control & _CRC or crc16(data[1 : size - 2]) != int.from_bytes(data[size - 2 : size], "little"):
            self.refused += 1
            self._rest = data[1:]
            return True
        self._rest = data[size:]
        if (control & 15, message) == _RADIO:
            frame = bytes((length,)) + data[4 : 4 + length]
            level = -100 + (data[size - 3] - 45) / 2 if control & _LEVEL else LEVEL_UNKNOWN_DBM
            if fits(frame):
                self._heard(frame, level)
            else:
                self.refused += 1
        return True
