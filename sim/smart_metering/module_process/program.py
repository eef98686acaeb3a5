"""The module's program, started and ended by the gateway's program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Final

from sim.smart_metering.module_process.held import HeldError

_ROOT: Final = Path(__file__).resolve().parents[3]


class ModuleProgram:
    """Runs from entering to leaving it. `pin`: of a module that is made now. Raises HeldError."""

    def __init__(self, folder: Path, place: Path, pin: str = "") -> None:
        self.place = place
        command = [sys.executable, "-m", "sim.smart_metering.module_process.module_server", str(folder), str(place)]
        self._process = subprocess.Popen(
            command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(f"{pin}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it says why on its error output
        if self._process.stdout.readline() != "ready\n":
            _, said = self._process.communicate()
            raise HeldError(said.strip()[-500:] or "the module's program ended before it was ready")

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: the power is gone."""
        self._process.kill()
        self._process.communicate()

    def stop(self) -> None:
        """Idempotent; leaves no process."""
        if self._process.poll() is None:
            try:
                self._process.communicate(timeout=20)  # closes its input, at which it ends
            except subprocess.TimeoutExpired:
                self.kill()

    def __enter__(self) -> ModuleProgram:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
