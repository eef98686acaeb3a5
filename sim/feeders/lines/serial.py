"""A real serial port: another one on this machine, or of another, is wired to it (a crossed cable, two adapters), and
the gateway has that one open in place of its dongle."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import termios
import tty
from dataclasses import dataclass
from typing import Final

from sim.core.settings import number
from sim.feeders.lines._descriptor import Descriptor, OverDescriptor
from sim.feeders.lines.port import Answer, LineError, LineKind, LineSpec

_WAYS_OUT: Final = {
    errno.ENOENT: "it is not plugged in, or has another name",
    errno.EACCES: "this user may not open it; join the group that owns it",
    errno.EBUSY: "another program has it open; stop that one",
    errno.ENXIO: "there is no device behind it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialSpec(LineSpec):
    """`path`: /dev/serial/by-id/... stays the same when things are plugged in anew. `bits_per_s` 0: as the format's
    dongle has it."""

    path: str
    kind: str = "serial"
    bits_per_s: int = number(0, low=0, high=4_000_000)


class SerialPort(OverDescriptor):
    """See port.Line. 8 bits, no parity, one stop bit, no flow control; nobody else can open it meanwhile."""

    def __init__(self, spec: SerialSpec, bits_per_s: int | None) -> None:
        self.place = spec.path
        self._bits_per_s = spec.bits_per_s or bits_per_s or 9_600
        super().__init__()

    @property
    def problem(self) -> str | None:
        if self._descriptor is None:
            return f"{self.place} is not open"
        if self.broken:
            return self.broken
        if self._descriptor.held:
            return f"{self.place} does not keep up: {self._descriptor.held} bytes wait for {self._bits_per_s} bit/s"
        return None

    @property
    def broken(self) -> str:
        ended = self._descriptor.ended if self._descriptor is not None else None
        return f"{self.place} was unplugged ({ended}); plug it in and start again" if ended is not None else ""

    def open(self, answer: Answer) -> None:
        descriptor = -1
        try:
            descriptor = os.open(self.place, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._set(descriptor)
            fcntl.ioctl(descriptor, termios.TIOCEXCL)
        except (OSError, termios.error) as error:
            if descriptor >= 0:
                os.close(descriptor)
            raise LineError(f"serial port {self.place}: {self._why(error)}") from None
        self._descriptor = Descriptor(descriptor, answer)

    def _set(self, descriptor: int) -> None:
        speed = getattr(termios, f"B{self._bits_per_s}", None)
        if speed is None:
            raise OSError(errno.EINVAL, f"{self._bits_per_s} bit/s is no speed of a serial port here")
        tty.setraw(descriptor)
        settings = termios.tcgetattr(descriptor)
        settings[2] = (settings[2] | termios.CLOCAL | termios.CREAD) & ~(termios.CRTSCTS | termios.CSTOPB)
        settings[4] = settings[5] = speed
        termios.tcsetattr(descriptor, termios.TCSANOW, settings)
        termios.tcflush(descriptor, termios.TCIOFLUSH)

    def _why(self, error: Exception) -> str:
        if isinstance(error, BlockingIOError):
            return _WAYS_OUT[errno.EBUSY]
        if isinstance(error, termios.error):
            return f"is no serial port ({error.args[-1]}); name one"
        assert isinstance(error, OSError)
        return _WAYS_OUT.get(error.errno or 0) or f"{error.strerror or error}; see the system's log"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            super().close()


LINE = LineKind("serial", "Real serial port", SerialSpec, lambda spec, _, bits_per_s: SerialPort(spec, bits_per_s))
