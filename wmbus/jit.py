"""The one door to numba, and what makes its cache on the disk safe between processes.

numba numbers the code it keeps of a function, and writes the list of numbers before the code. Two processes that first
compile two signatures of one function at the same instant may so give both the same number, and later one signature
runs the other's code; a process that reads between the two steps may get code of an older source. So who writes a
function's code holds a lock, and who reads it waits for the writer. Where no lock can be made (a read-only cache)
nobody writes either.

Raises ImportError where numba is not installed.
"""

from __future__ import annotations

import fcntl
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

# Imported by name: type checkers meet a machine without numba too.
njit: Any = importlib.import_module("numba").njit
types: Any = importlib.import_module("numba").types
intrinsic: Any = importlib.import_module("numba.extending").intrinsic
alloca_once: Any = importlib.import_module("numba.core.cgutils").alloca_once
ir: Any = importlib.import_module("llvmlite.ir")
binding: Any = importlib.import_module("llvmlite.binding")

_CacheFile: Any = importlib.import_module("numba.core.caching").IndexDataCacheFile


@contextmanager
def _locked(index: str, how: int) -> Iterator[None]:
    try:
        lock = open(f"{index}.lock", "a")  # noqa: SIM115 - closed below; where it cannot be opened we go on without
    except OSError:
        yield
        return
    with lock:
        fcntl.flock(lock, how)
        yield


def _alone(method: Callable[..., Any], how: int) -> Callable[..., Any]:
    @wraps(method)
    def locked(self: Any, *arguments: Any) -> Any:
        with _locked(self._index_path, how):
            return method(self, *arguments)

    return locked


_CacheFile.save = _alone(_CacheFile.save, fcntl.LOCK_EX)
_CacheFile.load = _alone(_CacheFile.load, fcntl.LOCK_SH)
