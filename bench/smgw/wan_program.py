"""A party of the WAN as a program of its own, until the block ends."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]
_END_MOST_S: Final = 60


class WanProgram:
    """`port`: the first line that it prints."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid
        self.port = int(self.line())

    def line(self) -> str:
        """The next that it prints; waits for it."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextlib.contextmanager
def wan_program(what: str, *words: str) -> Iterator[WanProgram]:
    """`what`: serve or dial. It ends when its standard input does."""
    command = [sys.executable, "-m", f"sim.smart_metering.wan.{what}", *words]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        try:
            yield WanProgram(process)
        finally:
            process.stdin.close()
            process.wait(_END_MOST_S)
