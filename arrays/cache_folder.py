"""Where compiled code is kept, and whether set-up has made what this checkout needs.

The launcher loads this file by its path, before there is a .venv: the standard library is all there is here.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
TARGETS: Final = ("NUMBA_CPU_FEATURES", "NUMBA_CPU_NAME", "NUMBA_ENABLE_AVX", "NUMBA_DISABLE_JIT")
_SOURCES: Final = ("wmbus", "arrays", "sim")
PLAIN: Final = (
    "sim/meters/types", "sim/portal/alarms", "sim/portal/store", "sim/gateway/kinds", "sim/endpoint/kinds",
    "sim/faults", "sim/feeders", "sim/lines/codecs", "sim/readers",
)  # fmt: skip
"""Folders of which nothing is compiled: a part that is added or edited there makes no set-up."""
_PINS: Final = "requirements.txt"
COMPILING: Final = (
    "wmbench: compiling what is new for these sources and this processor (one to three minutes at first use)"
)
"""The line by which set-up says that it begins to compile, once it has read all parts."""
TO_MEND: Final = "to be mended: "
"""What set-up's last line begins with where a file of somebody's, and not the machine, kept it from compiling."""


def base() -> Path:
    """The folder of all compiled code: $NUMBA_CACHE_DIR, else .cache/compiled of the checkout, else, where that cannot
    be written, $XDG_CACHE_HOME/wmbench/compiled."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen).absolute()
    beside = ROOT / ".cache" / "compiled"
    if writable(beside):
        return beside
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "wmbench" / "compiled"


def writable(place: Path) -> bool:
    """Can a folder be written, or made?"""
    return os.access(next(one for one in (place, *place.absolute().parents) if one.exists()), os.W_OK)


def mark() -> Path:
    """The file that says that set-up has compiled everything for these sources, packages and this processor. A set-up
    that was killed leaves none."""
    digest = hashlib.blake2b(digest_size=10)
    for path in sorted((*(path for name in _SOURCES for path in (ROOT / name).rglob("*.py")), ROOT / _PINS)):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(tuple(f"{folder}/" for folder in PLAIN)):
            continue
        with suppress(OSError):  # editors have links to nowhere beside what they edit
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(os.path.realpath(ROOT / ".venv" / "bin" / "python").encode())
    digest.update(repr([os.environ.get(name) for name in TARGETS]).encode() + _processor().encode())
    return base() / f"complete-{digest.hexdigest()}"


def _processor() -> str:
    """What distinguishes one kind of processor from another."""
    lines: set[str] = set()
    with suppress(OSError):
        lines = {line for line in Path("/proc/cpuinfo").read_text().splitlines()
                 if line.startswith(("model name", "flags", "Features", "CPU part"))}  # fmt: skip
    return "\n".join([platform.machine(), *sorted(lines)])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else holds the lock of this file meanwhile. Where no lock can be had (a folder that cannot be written, a
    file system without locks) it goes on without."""
    with ExitStack() as held:
        with suppress(OSError):
            fcntl.flock(held.enter_context(path.open("a")), fcntl.LOCK_EX)
        yield
