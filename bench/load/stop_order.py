"""Whether the other end of a pipe says that a trial is over."""

from __future__ import annotations

from multiprocessing.connection import Connection

ASK_S = 0.05


class StopOrder:
    """Looked for every `every_s` only: each look is a system call, and those who look are measured."""

    def __init__(self, pipe: Connection, every_s: float = ASK_S) -> None:
        self._pipe, self._every_s, self._next_s = pipe, every_s, 0.0

    def given(self, now_s: float) -> bool:
        """True once; the order is then taken from the pipe. Raises EOFError where nobody is at its other end."""
        if now_s < self._next_s:
            return False
        self._next_s = now_s + self._every_s
        if not self._pipe.poll(0):
            return False
        self._pipe.recv()
        return True
