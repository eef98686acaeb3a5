"""A process of ours beside this one, with a pipe to it: started afresh (spawn), gone with this one whatever ends it.

Ctrl-C is the controller's to hear: the process is started with SIGINT blocked for good.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing import resource_tracker
from typing import Any, Protocol

from sim.core.parent import die_with_parent


class Pipe(Protocol):
    """What orders come through, and answers go back: see multiprocessing.connection.Connection."""

    def send(self, obj: Any, /) -> None:
        """Raises OSError where nobody is at its other end."""

    def recv(self) -> Any:
        """Raises EOFError, OSError where nobody is at its other end."""

    def poll(self, timeout: float | None = 0.0, /) -> bool:
        """Whether recv() would not wait."""

    def close(self) -> None: ...


class Spawned:
    """`target(pipe, *arguments)` in a process of its own; `pipe` here is the other end of its pipe."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_begin, args=(os.getpid(), target, theirs, *arguments), daemon=True)
        resource_tracker.ensure_running()  # its own start would unblock what is blocked next
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()  # so that its death is the end of the pipe

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    def await_end(self) -> None:
        self._process.join()

    def stop(self) -> None:
        """Kill it, and wait until it is gone. Idempotent."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _begin(controller_pid: int, target: Callable[..., None], *arguments: Any) -> None:
    die_with_parent(controller_pid)
    target(*arguments)


def answer_orders(
    pipe: Pipe, answer: Callable[[Any], None], in_words: Callable[[Exception], Exception] = lambda error: error
) -> None:
    """What such a process does: `answer` each order that comes, until the pipe ends. What it raises goes back,
    `in_words`."""
    while True:
        try:
            answer(pipe.recv())
        except (EOFError, BrokenPipeError):
            return
        except Exception as error:
            with contextlib.suppress(BrokenPipeError):  # nobody listens any more
                pipe.send(in_words(error))
