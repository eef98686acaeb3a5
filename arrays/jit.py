"""The one door to numba, and where what it compiles is kept.

Set-up compiles everything once (sim/city/warm_up.py); every process after it only reads. What is new, a check of a
user's own or a function that was edited, is compiled where it is first called, one line on standard error says so, and
it is kept as well.

Code is kept under the digest of all it is made of (arrays/content.py), in `<base>/numba-<version>-...` (base:
arrays/cache_folder.py), so that code of an older source is never met; numba's own index separates processors and
signatures. The digest is taken, and a function's cache opened, when anything is compiled or loaded for the first time:
until then functions may name what stands further down in their module. numba reads and writes the index in several
steps; while it does, this process holds a lock. All of this uses what numba offers for it: locators of caches
(NUMBA_CACHE_LOCATOR_CLASSES), Dispatcher.enable_caching, numba.core.event.

Raises ImportError where numba compiles nothing (NUMBA_DISABLE_JIT): what works on addresses is no Python.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, Final

from arrays import content, plain_or_compiled
from arrays.cache_folder import base, locked

# Imported by name: the packages have no types.
types: Any = importlib.import_module("numba").types
intrinsic: Callable[[Callable[..., Any]], Any] = importlib.import_module("numba.extending").intrinsic
register_jitable: Callable[..., Any] = importlib.import_module("numba.extending").register_jitable
alloca_once: Any = importlib.import_module("numba.core.cgutils").alloca_once
ir: Any = importlib.import_module("llvmlite.ir")
binding: Any = importlib.import_module("llvmlite.binding")

_config: Any = importlib.import_module("numba").config
_codegen: Any = importlib.import_module("numba.core.codegen")
_event: Any = importlib.import_module("numba.core.event")
CannotCompile: type[Exception] = importlib.import_module("numba.core.errors").NumbaError
"""What a function raises where it is first called and numba does not know what stands in it."""
if _config.DISABLE_JIT:
    raise ImportError("numba compiles nothing where NUMBA_DISABLE_JIT is set")

_VERSIONED: Final = ("numba", "llvmlite", "numpy")
LOCK: Final = "lock"


def folder() -> Path:
    """Where code of these versions of numba, llvmlite and numpy is kept."""
    return base() / _versions()


@cache
def _versions() -> str:
    return "-".join(f"{name}-{importlib.metadata.version(name)}" for name in _VERSIONED)


# --- what is compiled -------------------------------------------------------------------------------------------

_opened_later: list[Any] = []  # dispatchers whose caches are not open yet
_opened: list[Any] = []  # the others
_ours: dict[int, str] = {}  # by id of a dispatcher that stays as long as its module, its name


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """numba's decorator, known to type checkers; what it compiles is kept."""
    options.pop("cache", None)  # ours, not numba's
    numbas = importlib.import_module("numba").njit

    def compiled(function: Callable[..., Any]) -> Any:
        dispatcher = numbas(**options)(function)
        _ours[id(dispatcher)] = f"{function.__module__}.{function.__qualname__}"
        _opened_later.append(dispatcher)
        return dispatcher

    return compiled


def overload(function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """numba's decorator: what compiled code does where it calls this plain function."""
    numbas = importlib.import_module("numba.extending").overload

    def instead(made: Callable[..., Any]) -> Callable[..., Any]:
        content.instead_of[function] = made
        done: Callable[..., Any] = numbas(function)(made)
        return done

    return instead


plain_or_compiled.connect(register_jitable, overload)


def _open_caches() -> None:
    waiting, _opened_later[:] = list(_opened_later), []
    for dispatcher in waiting:
        try:
            dispatcher.enable_caching()
            _opened.append(dispatcher)
        except content.Unresolved:  # its module is being imported still
            _opened_later.append(dispatcher)
        except (RuntimeError, TypeError):  # no folder can be written, or no digest made: each process compiles its own
            continue


def load_kept() -> int:
    """What is kept of every function that was imported, loaded now and not where it is first called: for a process
    whose forks would each load it. Returns how many were loaded."""
    with locked(folder() / LOCK):
        _open_caches()
        kept = [(one, signature, processor) for one in _opened
                for signature, processor, _ in one._cache._cache_file._load_index()]  # fmt: skip
    found = [(one, signature) for one, signature, processor in kept
             if processor == one.targetctx.codegen().magic_tuple()]  # fmt: skip
    for dispatcher, signature in found:
        dispatcher.compile(signature)
    return len(found)


class ByContent:
    """A locator of caches, as numba asks for one: one folder for all, functions under names with their digest."""

    def __init__(self, function: Any, path: Path) -> None:
        self._py_file = str(path)  # numba's warnings name it
        self._digest = content.digest(function)

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> ByContent | None:
        """None where the folder cannot be written."""
        made = cls(py_func, Path(py_file))
        try:
            made.ensure_cache_path()
        except OSError:
            return None
        return made

    def ensure_cache_path(self) -> None:
        folder().mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        return str(folder())

    def get_source_stamp(self) -> str:
        return self._digest

    def get_disambiguator(self) -> str:
        return self._digest


_config.CACHE_LOCATOR_CLASSES = f"{__name__}.{ByContent.__name__}"


_STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")
_STEPS: Final = ("Failed in", "- Resolution failure", "During:")
"""Lines of numba's messages that name its own steps."""


def to_mend(error: Exception) -> str:
    """In one line: file and line of what cannot be compiled, and the first that numba says of it."""
    lines = [line.strip() for line in _STYLE.sub("", str(error)).splitlines()]
    said = next((at for at, line in enumerate(lines) if line and not line.startswith(_STEPS)), 0)
    words = " ".join(line.removeprefix(">>> ") for line in lines[said : said + 3] if line)
    place = getattr(error, "loc", None)
    where = f"{place.filename}, line {place.line}: " if place is not None else ""
    return f"{where}cannot be compiled for arrays: {words.rstrip('.:')}"


# --- in turn, and said ------------------------------------------------------------------------------------------


class _Turns(_event.Listener):  # type: ignore[misc]
    """Held from before numba looks into its cache until what it compiled is in there: one process at a time."""

    def __init__(self) -> None:
        self._mine, self._depth, self._held = threading.RLock(), 0, ExitStack()

    def on_start(self, _event: Any) -> None:
        self._mine.acquire()
        self._depth += 1
        if self._depth == 1:
            _open_caches()
            self._held.enter_context(locked(folder() / LOCK))

    def on_end(self, _event: Any) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._held.close()
        self._mine.release()


class Compiled(_event.Listener):  # type: ignore[misc]
    """Names of functions of ours as they are compiled, not loaded, in this process; the first is announced."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.quiet = False

    def on_start(self, event: Any) -> None:
        name = _ours.get(id(event.data["dispatcher"]))
        if name is None:  # numba's own
            return
        self.names.append(name)
        if len(self.names) == 1 and not self.quiet:
            print(f"wmbench: compiling code that is new, {name} first; it is kept", file=sys.stderr, flush=True)

    def on_end(self, event: Any) -> None:
        pass


compiled: Final = Compiled()
_event.register("numba:compiler_lock", _Turns())
_event.register("numba:compile", compiled)


# --- the processor ----------------------------------------------------------------------------------------------


def compiles_for(*instructions: str) -> bool:
    """Does numba compile for an x86 processor that has all these sets of instructions? LLVM aborts the process when
    asked for one that its target does not have. That may be fewer than the processor's (NUMBA_CPU_NAME,
    NUMBA_CPU_FEATURES, NUMBA_ENABLE_AVX), and ARM processors have an "aes" of their own."""
    chosen = _config.CPU_FEATURES
    features = (_codegen.get_host_cpu_features() if chosen is None else chosen).split(",")
    return binding.get_process_triple().startswith("x86_64") and all(f"+{name}" in features for name in instructions)
