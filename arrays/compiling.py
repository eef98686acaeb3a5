"""Compiled code is made beside a run, not before it, where somebody waits for the first window.

numba takes ten seconds and more to compile what the air and the telegrams need; afterwards it comes from numba's cache
on the disk. numpy gives the same results, only slower. So with WMBENCH_COMPILE=beside, as `./wmbench city` sets it, a
process of its own compiles into that cache while numpy plays the first windows, and compiled code takes over between
two windows. A window too large for numpy's memory waits for it. Otherwise compiled code is compiled where it is first
called, as numba does; nothing else depends on it.

Stored readings have no numpy to begin with: a run that goes so far waits until all is compiled, once for its workers.

The process ends with the one that began it. When it has done a part, it leaves a file with the name of everything that
makes compiled code stale: versions, processor, sources.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from arrays import ciphers
from arrays.compiled_cache import ROOT, drop_stale, folder, sources, writable

SETTING: Final = "WMBENCH_COMPILE"
BESIDE: Final = "beside"
Part = Literal["air", "readings"]
PARTS: Final[tuple[Part, ...]] = ("air", "readings")
"""What plays the air and makes telegrams; and what goes on to stored readings, for which there is no numpy."""
_PACKAGES: Final = ("numba", "llvmlite", "numpy")
_TARGETS: Final = ("NUMBA_CPU_FEATURES", "NUMBA_CPU_NAME", "NUMBA_ENABLE_AVX")  # another processor than this one
_MOST_ROWS: Final = 1 << 18  # numpy takes some hundred bytes for each frame of a window


class Beside:
    """One process's view of it: whether to wait, and the process that compiles."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = False

    def by_numpy(self, rows: int = 0) -> bool:
        """Is compiled code still being made, so that numpy must do the work on so many rows? The first call begins it;
        for more rows than numpy should do it waits."""
        if not self._asked:
            self._asked = True
            if os.environ.get(SETTING) == BESIDE and not ready():
                self._child = _begun()
                ciphers.use("numpy")
        if self._child is None:
            return False
        if rows > _MOST_ROWS:
            self._child.wait()
        if self._child.poll() is None:
            return True
        self._child = None
        ciphers.use(None)
        return False

    def end(self) -> None:
        """As it was before: nothing is begun."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            ciphers.use(None)
        self._child, self._asked = None, False

    def forked(self) -> None:
        """What compiles is another's child now: who was forked cannot see it end, and must not keep it alive."""
        child, self._child, self._asked = self._child, None, False
        if child is not None:
            assert child.stdin is not None
            child.stdin.close()
            child.poll()  # lets go of it
            ciphers.use(None)

    def wait(self) -> None:
        """Until nothing is being compiled beside this process."""
        if self.by_numpy() and self._child is not None:
            self._child.wait()
            self.by_numpy()


drop_stale()  # before anything compiled is loaded: everything of the world that is compiled imports this first
_here = Beside()
by_numpy = _here.by_numpy
wait = _here.wait
os.register_at_fork(after_in_child=_here.forked)


@contextmanager
def beside() -> Iterator[None]:
    """Within it, compiled code is made beside what this process and those it starts do, unless the environment says
    otherwise."""
    before = os.environ.get(SETTING)
    os.environ.setdefault(SETTING, BESIDE)
    try:
        yield
    finally:
        _here.end()
        if before is None:
            del os.environ[SETTING]


def for_readings() -> None:
    """Wait until everything is compiled, once for all processes of a run; beside a run only, as above."""
    if os.environ.get(SETTING) != BESIDE or all(map(ready, PARTS)):
        return
    child = _begun(PARTS)
    try:
        child.wait()
    finally:
        child.kill()
        child.wait()


def _begun(parts: Sequence[Part] = ("air",)) -> subprocess.Popen[bytes]:
    """The process that compiles; it ends when its standard input does, so with this process, however that ends."""
    around = {name: value for name, value in os.environ.items() if name != SETTING}
    if around.get("NUMBA_CACHE_DIR"):  # told from where we are, perhaps
        around["NUMBA_CACHE_DIR"] = os.path.abspath(around["NUMBA_CACHE_DIR"])
    return subprocess.Popen(
        [sys.executable, "-m", "sim.city.warm_up", "--beside", *parts], cwd=ROOT, env=around,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def ready(part: Part = "air") -> bool:
    """Is there nothing to compile: no numba, nowhere to keep what it makes, or all of this part there?"""
    if importlib.util.find_spec("numba") is None or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return True
    return not writable(folder()) or mark(part).exists()


def mark(part: Part = "air") -> Path:
    """The file that says that all of this part is compiled, for these versions, this processor and these sources."""
    import llvmlite.binding  # type: ignore[import-untyped,unused-ignore]

    features = llvmlite.binding.get_host_cpu_features().flatten()
    parts = [sys.version, llvmlite.binding.get_host_cpu_name(), features]
    parts += [f"{name} {value}" for name, value in sorted(os.environ.items()) if name in _TARGETS]
    parts += [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
    parts += [f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}" for path in sources(ROOT)]
    return folder() / f"compiled-{part}-{hashlib.blake2b(chr(10).join(parts).encode(), digest_size=8).hexdigest()}"
