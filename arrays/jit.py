"""The one door to numba, and what makes its cache on the disk safe between processes.

numba numbers the code it keeps of a function, and writes the list of numbers before the code. Two processes that first
compile two signatures of one function at the same instant may so give both the same number, and later one signature
runs the other's code; a process that reads between the two steps, or whenever the writer was killed between them, may
get code of an older source. So who writes a function's code holds a lock, and who reads it waits for the writer; and
the code is written before its number, after the numbers of an older source are dropped. Where no lock can be made (a
read-only cache, a file system without locks) it goes on without.

Raises ImportError where numba is not installed, or compiles nothing (NUMBA_DISABLE_JIT): what works on addresses is no
Python.
"""

from __future__ import annotations

import fcntl
import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pickle import UnpicklingError
from typing import Any, Final

from arrays import keeping

# Imported by name: type checkers meet a machine without numba too.
types: Any = importlib.import_module("numba").types
intrinsic: Callable[[Callable[..., Any]], Any] = importlib.import_module("numba.extending").intrinsic
alloca_once: Any = importlib.import_module("numba.core.cgutils").alloca_once
ir: Any = importlib.import_module("llvmlite.ir")
binding: Any = importlib.import_module("llvmlite.binding")

_CacheFile: Any = importlib.import_module("numba.core.caching").IndexDataCacheFile
_config: Any = importlib.import_module("numba").config
_codegen: Any = importlib.import_module("numba.core.codegen")
_CUT_OFF: Final = (EOFError, UnpicklingError)  # a file whose end was not on the disk yet when the power went
if _config.DISABLE_JIT:
    raise ImportError("numba compiles nothing where NUMBA_DISABLE_JIT is set")


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """numba's decorator, known to type checkers; what it makes takes numbers of any width. Where there is no folder to
    keep compiled code in, each process compiles its own."""
    numbas = importlib.import_module("numba").njit

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            return numbas(**options)(function)
        except RuntimeError:  # "no locator available"
            return numbas(**options | {"cache": False})(function)

    return compiled


def compiles_for(*instructions: str) -> bool:
    """Does numba compile for an x86 processor that has all these sets of instructions? LLVM aborts the process when
    asked for one that its target does not have. That may be fewer than the processor's (NUMBA_CPU_NAME,
    NUMBA_CPU_FEATURES, NUMBA_ENABLE_AVX), and ARM processors have an "aes" of their own."""
    chosen = _config.CPU_FEATURES
    told = (_codegen.get_host_cpu_features() if chosen is None else chosen).split(",")
    return binding.get_process_triple().startswith("x86_64") and all(f"+{name}" in told for name in instructions)


@contextmanager
def _locked(index: str, how: int) -> Iterator[None]:
    with ExitStack() as held:
        with suppress(OSError):
            fcntl.flock(held.enter_context(open(f"{index}.lock", "a")), how)
        yield


def _save(self: Any, key: Any, code: Any) -> None:
    if not keeping.allowed():
        return
    with _locked(self._index_path, fcntl.LOCK_EX):
        names = _names(self)
        if not names:
            self._save_index(names)  # whoever still has the older source finds nothing under its names
        free = (name for name in map(self._data_name, count(1)) if name not in names.values())
        name = names.get(key) or next(free)
        self._save_data(name, code)
        self._save_index(names | {key: name})


def _load(self: Any, key: Any) -> Any:
    with _locked(self._index_path, fcntl.LOCK_SH):
        name = _names(self).get(key)
        try:
            return None if name is None else self._load_data(name)
        except (OSError, *_CUT_OFF):
            return None


def _names(self: Any) -> dict[Any, str]:
    """By signature, the file that holds the code."""
    try:
        names: dict[Any, str] = self._load_index()
    except _CUT_OFF:
        return {}
    return names


_CacheFile.save, _CacheFile.load = _save, _load
