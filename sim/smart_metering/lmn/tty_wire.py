"""The two wires as a terminal: EIA-485 behind a serial port, or a pseudo terminal. 921 600 Bd, 8N1 (the rate is
recalled, not read). A frame stands between flags; what was on the line before a frame is sent is thrown away, since
nobody but the one who was asked has anything to say.
"""

from __future__ import annotations

import os
import select
import termios
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sim.core.clock import wall_s, wall_sleep
from sim.smart_metering.lmn.wired_meter import WiredMeter
from sim.smgw.hdlc import FLAG, Frame, Splitter
from sim.smgw.lmn.bus import together

BAUD: Final = termios.B921600
REPLY_S: Final = 0.5
"""Ours: how long the gateway waits for an answer. Long, since a machine that simulates meters may be busy."""
SLOT_S: Final = 0.02
"""Ours: of a meter without an address."""
_READ_BYTES: Final = 4_096
_GARBLED: Final = b"\xff"


class LineLost(Exception):
    """The terminal is gone, or cannot be had."""


class Tty:
    """A terminal, raw. Raises LineLost."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            set_raw(self._fd)
        except (OSError, termios.error) as error:
            raise LineLost(f"{path}: {error}; name a serial port or a pseudo terminal") from None

    def write(self, data: bytes) -> None:
        while data:
            select.select([], [self._fd], [], REPLY_S)
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise LineLost(f"{self.path}: {error}") from None

    def read(self, most_s: float, *others: int) -> bytes:
        """What came, as soon as anything did; b"" after so many seconds, or when one of the other files has
        something."""
        ready, _, _ = select.select([self._fd, *others], [], [], max(0.0, most_s))
        if self._fd not in ready:
            return b""
        try:
            return os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LineLost(f"{self.path}: {error}") from None

    def close(self) -> None:
        os.close(self._fd)


def set_raw(fd: int) -> None:
    """8N1, no echo, no signals, nothing translated. Raises termios.error."""
    tty = termios.tcgetattr(fd)
    tty[0] = tty[1] = tty[3] = 0
    tty[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    tty[4] = tty[5] = BAUD
    tty[6][termios.VMIN], tty[6][termios.VTIME] = 0, 0
    termios.tcsetattr(fd, termios.TCSANOW, tty)


def flagged(frame: bytes) -> bytes:
    """As it is on the line."""
    return bytes((FLAG,)) + frame + bytes((FLAG,))


class TtyWire:
    """See wired_bus.Wire: the gateway's end."""

    def __init__(self, tty: Tty) -> None:
        self._tty = tty

    def exchange(self, sent: Frame) -> Frame | None:
        return next((one for one in self._heard(sent, REPLY_S) if isinstance(one, Frame)), None)

    def slots(self, sent: Frame, count: int) -> list[bytes]:
        heard = self._heard(sent, count * SLOT_S + REPLY_S) if count else self._heard(sent, 0.0)
        found = [one.encode() if isinstance(one, Frame) else _GARBLED for one in heard]
        return found + [b""] * (count - len(found))

    def _heard(self, sent: Frame, most_s: float) -> Iterator[Frame | Exception]:
        while self._tty.read(0.0):
            pass
        splitter = Splitter()
        self._tty.write(flagged(sent.encode()))
        ends_s = wall_s() + most_s
        while (left_s := ends_s - wall_s()) > 0:
            yield from splitter.feed(self._tty.read(left_s))


class MetersOnLine:
    """Meters at the other end of a line, as if each had a transceiver of its own."""

    def __init__(self, tty: Tty, meters: Sequence[WiredMeter]) -> None:
        self._tty, self._meters = tty, meters
        self._splitter = Splitter()

    def turn(self, most_s: float, *others: int) -> None:
        """Answer what comes within so many seconds."""
        for one in self._splitter.feed(self._tty.read(most_s, *others)):
            if isinstance(one, Frame):
                self._answer(one)

    def _answer(self, read: Frame) -> None:
        by_slot: dict[int, list[bytes]] = {}
        for meter in self._meters:
            said = meter.take(read)
            if said is not None:
                by_slot.setdefault(said[0], []).append(said[1].encode())
        begun_s = wall_s()
        for slot, frames in sorted(by_slot.items()):
            wall_sleep(max(0.0, begun_s + slot * SLOT_S - wall_s()))
            self._tty.write(flagged(together(frames)))
