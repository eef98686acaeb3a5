"""Where scenarios lie, and what one is called: its path below our scenarios/, or below the user's own repository, or
the whole path of a file from elsewhere; then the function. How the path was typed makes no difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bench.worlds import SCENARIOS
from sim.core import own

_PASSED_OVER = ("runs", "node_modules", "__pycache__")


def name_of(path: Path) -> str:
    """A scenario file's part of its scenarios' ids."""
    whole = path.resolve()
    repository = own.root()
    for base in (SCENARIOS, *([repository.resolve()] if repository else [])):
        if whole.is_relative_to(base):
            return whole.relative_to(base).as_posix()
    return whole.as_posix()


def shown(path: Path) -> str:
    """A file of a project: its path below the user's own repository, or below our checkout; else the whole path."""
    whole = path.resolve()
    for base in filter(None, (own.root(), SCENARIOS.parent)):
        if whole.is_relative_to(base.resolve()):
            return whole.relative_to(base.resolve()).as_posix()
    return whole.as_posix()


def under(place: Path) -> Iterator[Path]:
    """The test files of a folder and those below it, or one file. Hidden folders and what runs leave are passed
    over."""
    if not place.is_dir():
        yield place
        return
    for folder, folders, files in os.walk(place):
        folders[:] = sorted(one for one in folders if one[0] != "." and one not in _PASSED_OVER)
        yield from (Path(folder) / file for file in sorted(files) if file.startswith("test_") and file.endswith(".py"))


def listed() -> list[Path]:
    """The folders whose scenarios `list` shows: ours, and that of the user's own repository."""
    beside = own.folder(own.SCENARIOS)
    return [SCENARIOS, *([beside] if beside is not None else [])]
