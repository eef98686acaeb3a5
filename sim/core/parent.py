"""Processes that end with the one that started them, also when that one is killed: the kernel kills them (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_prctl: Final = getattr(ctypes.CDLL(None), "prctl", None)  # loaded here: between fork and exec it is too late


def die_with_parent(parent_pid: int) -> None:
    """Called in the child: SIGKILL when the thread of `parent_pid` that started it is gone. Elsewhere than on Linux it
    does nothing. One prctl and one getppid, so it may run between fork and exec."""
    if _prctl is None:
        return
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it ended before we asked
        os._exit(1)
