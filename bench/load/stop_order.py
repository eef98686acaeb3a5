"""Whether the other end of a pipe says that a trial is over."""

from __future__ import annotations

from bench.spawned import Pipe

EVERY_S = 0.05


class StopOrder:
    """Looked for every EVERY_S only: each look is a system call, and those who look are measured."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe, self._next_s = pipe, 0.0

    def given(self, now_s: float) -> bool:
        """True once; the order is then taken from the pipe. Raises EOFError where nobody is at its other end."""
        if now_s < self._next_s:
            return False
        self._next_s = now_s + EVERY_S
        if not self._pipe.poll(0):
            return False
        self._pipe.recv()
        return True
