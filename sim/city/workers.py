"""Processes that play shards side by side, and end with the one that began them, however that ends.

A worker waits for its next shard at a pipe whose other end it holds itself, so nothing would tell it that the process
that hands out shards was killed, and it would wait, with its memory, for ever. The kernel kills it instead; on Linux,
where it can.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final

_PR_SET_PDEATHSIG: Final = 1


def pool(workers: int) -> ProcessPoolExecutor:
    """So many of them."""
    return ProcessPoolExecutor(workers, mp_context=_context(), initializer=_end_with, initargs=(os.getpid(),))


def _context() -> Any:
    """Workers that are forked have everything imported when they begin. Where other threads run that is not safe, and
    elsewhere than on Linux not sure: there each imports for itself."""
    alone = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if alone else "spawn")


def _end_with(parent_pid: int) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before we asked
        os._exit(1)
