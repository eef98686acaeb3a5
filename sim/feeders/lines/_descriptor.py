"""A line over one file descriptor: writes go out in the caller's thread, reads and what was held back in its own.

Rules kept here. Nothing that the other side does can stop us: it may not read, close, come back, or send for ever. A
frame is taken as a whole or not at all: while `BUFFER_BYTES` are held back, the next one is lost.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
from typing import Final

from sim.feeders.lines.port import BUFFER_BYTES, Answer

_READ_BYTES: Final = 4_096
_AWAY_MS: Final = 20  # how often we look whether somebody has opened the other end

_GONE: Final = "the other end is closed"


class Descriptor:
    """Owns the descriptor, which is set not to block. `quiet_hang_up`: a hang-up is not the end (a pseudo terminal that
    nobody has opened): we wait for the next one who opens it."""

    def __init__(self, descriptor: int, answer: Answer, *, quiet_hang_up: bool = False, reads: bool = True) -> None:
        os.set_blocking(descriptor, False)
        self.ended: str | None = None
        """Why nothing more can pass, once that is so."""
        self._descriptor, self._answer = descriptor, answer
        self._quiet, self._reads = quiet_hang_up, reads
        self._held = bytearray()
        self._lock = threading.Lock()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stop = False
        self._thread = threading.Thread(target=self._run, name="feeder line", daemon=True)
        self._thread.start()

    @property
    def away(self) -> bool:
        """Nobody is at the other end at present."""
        return self.ended is not None or self._hung_up()

    @property
    def held(self) -> int:
        """Bytes that the other end has not taken yet."""
        return len(self._held)

    def send(self, data: bytes) -> int:
        """See port.Line.send."""
        with self._lock:
            if self._stop or self.away:
                self._held.clear()
                return 0
            if len(self._held) + len(data) > BUFFER_BYTES:
                return 0
            taken = 0 if self._held else self._write(data)
            if taken < 0:
                return 0
            if taken < len(data):
                self._held += data[taken:]
                os.eventfd_write(self._bell, 1)
            return max(taken, 1)  # held back counts as handed: its first byte is the line's now

    def close(self) -> None:
        with self._lock:
            if self._stop:
                return
            self._stop = True
            os.eventfd_write(self._bell, 1)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        os.close(self._bell)
        os.close(self._descriptor)

    # --- below ----------------------------------------------------------------------------------------------------

    def _hung_up(self) -> bool:
        look = select.poll()  # one object must not be asked by two threads at once
        look.register(self._descriptor, 0)  # hang-ups and errors are always told
        return bool(look.poll(0))

    def _write(self, data: bytes) -> int:
        """Bytes that went out; -1 when none ever will."""
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._end(error)
            return -1

    def _end(self, error: OSError) -> None:
        self._held.clear()
        if self._quiet and error.errno == errno.EIO:
            return
        self.ended = _GONE if error.errno in (errno.EPIPE, errno.ECONNRESET) else (error.strerror or str(error))

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        watching: int | None = None
        while not self._stop and self.ended is None:
            with self._lock:
                mask = (select.POLLIN if self._reads else 0) | (select.POLLOUT if self._held else 0)
            if self._quiet and self._hung_up():  # poll would come back at once, again and again
                if watching is not None:
                    poll.unregister(self._descriptor)
                    watching = None
                with self._lock:
                    self._held.clear()
                poll.poll(_AWAY_MS)
            else:
                if watching != mask:
                    poll.register(self._descriptor, mask)
                    watching = mask
                for descriptor, what in poll.poll(1_000):
                    if descriptor == self._descriptor:
                        self._serve(what)
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._bell)

    def _serve(self, what: int) -> None:
        if what & (select.POLLHUP | select.POLLERR | select.POLLNVAL) and not what & select.POLLIN:
            if not self._quiet:
                self.ended = _GONE
            return
        if what & select.POLLIN:
            try:
                came = os.read(self._descriptor, _READ_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._end(error)
                return
            if not came:
                self.ended = _GONE
                return
            back = self._answer(came)
            if back:
                self.send(back)
        if what & select.POLLOUT:
            with self._lock:
                del self._held[: max(0, self._write(bytes(self._held)))]


class OverDescriptor:
    """A line that passes over one descriptor while it is open. Of port.Line, what is alike."""

    def __init__(self) -> None:
        self._descriptor: Descriptor | None = None

    @property
    def broken(self) -> str:
        return ""

    def attach(self, descriptor: int) -> None:
        os.close(descriptor)

    def send(self, data: bytes) -> int:
        descriptor = self._descriptor  # another thread may take it away
        return descriptor.send(data) if descriptor is not None else 0

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            descriptor.close()
