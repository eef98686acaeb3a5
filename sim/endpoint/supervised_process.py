"""A broker, or a gateway on the desk, as a child process that cannot outlive us.

Three ways for a parent to end, three answers: it returns or raises (atexit and `stop`), it is interrupted with Ctrl-C
(the child has its own session, so only we get the signal and stop it in order), it is killed (the kernel sends the
child SIGKILL: PR_SET_PDEATHSIG). The last one is tied to the thread that started the child: start brokers from the
main thread, or from one that lives as long as they are needed.

A limit of file sizes that is reached is an error of the write, as a full disk is, and no signal that ends the child.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import weakref
from collections.abc import Mapping
from pathlib import Path

from sim.core import clock
from sim.core.parent import die_with_parent

_TERM_DEADLINE_S = 2.0
_GROUP_DEADLINE_S = 1.0
_alive: weakref.WeakSet[SupervisedProcess] = weakref.WeakSet()


class SupervisedProcess:
    """Started by the constructor, its output appended to `log`, or its errors to `errors` where that is named.
    `directory`: where it works. `standard_input`: a descriptor, which stays the caller's. `group`: what it started
    ends with it. Raises OSError when it cannot be executed."""

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str] | None,
        log: Path,
        *,
        errors: Path | None = None,
        directory: Path | None = None,
        standard_input: int = subprocess.DEVNULL,
        group: bool = False,
    ) -> None:
        parent = os.getpid()

        def prepared() -> None:
            die_with_parent(parent)
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        with log.open("ab") as output, (errors or log).open("ab") as complaints:
            self._process = subprocess.Popen(
                command,
                env=None if environment is None else {**os.environ, **environment},
                cwd=directory,
                stdin=standard_input,
                stdout=output,
                stderr=complaints,
                start_new_session=True,
                preexec_fn=prepared,
            )
        self.pid = self._process.pid
        self._parent = parent
        self._group = group
        _alive.add(self)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone. Idempotent."""
        with contextlib.suppress(ProcessLookupError):
            if self._group:
                os.killpg(self.pid, signal.SIGKILL)  # it leads a session of its own
            else:
                self._process.kill()
        self._process.wait()
        if self._group:
            self._await_group()
        _alive.discard(self)

    def _await_group(self) -> None:
        """What it started is no child of ours: the process that adopts it must have reaped it."""
        end_s = clock.wall_s() + _GROUP_DEADLINE_S
        with contextlib.suppress(ProcessLookupError, PermissionError):
            while clock.wall_s() < end_s:
                os.killpg(self.pid, signal.SIGKILL)
                clock.wall_sleep(0.002)

    def stop(self) -> None:
        """SIGTERM, again after a moment (Mosquitto loses one that comes in its first milliseconds), then SIGKILL."""
        end_s = clock.wall_s() + _TERM_DEADLINE_S
        while self.running and clock.wall_s() < end_s:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.25)
        self.kill()

    def hang_up(self) -> None:
        """SIGHUP: read access list and revocation list again."""
        self._process.send_signal(signal.SIGHUP)


def _at_exit() -> None:
    for child in list(_alive):
        if child._parent == os.getpid():  # a forked worker that ends must not take our broker along
            child.kill()


atexit.register(_at_exit)
