"""Processes that play shards side by side, and end with the one that began them, however that ends.

A worker waits for its next shard at a pipe whose other end it holds itself, so it would not notice that the process
that hands out shards was killed, and would keep its memory for ever. The kernel kills it instead (sim.core.parent). And
after a failure, or Ctrl-C, shards that wait are not played any more.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from sim.core.parent import die_with_parent

_stopped: Any = None  # in a worker: set once results are no longer wanted


@contextmanager
def pool(workers: int) -> Iterator[Callable[..., Future[Any]]]:
    """So many of them: a function that has one call another, with these arguments. What is raised within ends it all,
    once each has finished what it does."""
    context = _context()
    stopped = context.Event()
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(os.getpid(), stopped)
    ) as crew:  # fmt: skip

        def begin(work: Callable[..., Any], *given: Any) -> Future[Any]:
            return crew.submit(_unless_stopped, work, *given)

        try:
            yield begin
        except BaseException:
            stopped.set()  # some that wait are in the workers' pipe already, and cannot be cancelled
            crew.shutdown(wait=True, cancel_futures=True)  # a second call would not wait
            raise


def _context() -> Any:
    """Workers that are forked have everything imported when they begin. Where other threads run that is not safe, and
    elsewhere than on Linux not sure: there each imports for itself."""
    alone = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if alone else "spawn")


def _begin(parent_pid: int, stopped: Any) -> None:
    global _stopped
    _stopped = stopped
    die_with_parent(parent_pid)


def _unless_stopped(work: Callable[..., Any], *given: Any) -> Any:
    if _stopped.is_set():
        raise CancelledError
    return work(*given)
