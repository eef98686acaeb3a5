"""A pseudo terminal: a serial port that is none, for a program on this machine. Its path is announced by a link.

What is sent while nobody has opened it is lost, as behind a real port. The settings that the gateway gives the port
(speed, parity) are taken and mean nothing: bytes pass at once.
"""

from __future__ import annotations

import contextlib
import os
import tty
from dataclasses import dataclass
from pathlib import Path

from sim.feeders.lines._descriptor import Descriptor, OverDescriptor
from sim.feeders.lines.port import Answer, LineError, LineKind, LineSpec


@dataclass(frozen=True, slots=True)
class PtySpec(LineSpec):
    """`link`: the name of the link to the port; below the gateway's directory unless it is a whole path."""

    kind: str = "pty"
    link: str = "port"


class Pty(OverDescriptor):
    """See port.Line."""

    def __init__(self, spec: PtySpec, directory: Path) -> None:
        self._link = directory / spec.link
        super().__init__()

    @property
    def place(self) -> str:
        return str(self._link)

    @property
    def problem(self) -> str | None:
        if self._descriptor is None:
            return f"{self._link} is unplugged"
        if self._descriptor.away:
            return f"nobody has opened {self._link}; point the gateway at this port, or see why its program ended"
        if self._descriptor.held:
            return f"the gateway does not read {self._link}: {self._descriptor.held} bytes wait; see what it is at"
        return None

    def open(self, answer: Answer) -> None:
        try:
            self._link.parent.mkdir(parents=True, exist_ok=True)
            if self._link.exists() and not self._link.is_symlink():
                raise LineError(f"{self._link} is a file of somebody else; name another link")
            ours, theirs = os.openpty()
            tty.setraw(theirs)
            target = os.ttyname(theirs)
            os.close(theirs)  # from now on the kernel tells whether somebody has it open
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(target)
        except OSError as error:
            raise LineError(f"cannot make {self._link}: {error.strerror or error}; name another link") from None
        self._descriptor = Descriptor(ours, answer, quiet_hang_up=True)

    def close(self) -> None:
        if self._descriptor is not None:
            super().close()
            with contextlib.suppress(OSError):
                self._link.unlink(missing_ok=True)


LINE = LineKind("pty", "Pseudo terminal with a link to it", PtySpec, lambda spec, where, _: Pty(spec, where))
