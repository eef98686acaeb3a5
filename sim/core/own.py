"""A repository of a user's own: a folder with a wmbench.toml, whose parts are found beside ours.

    own.open_repository(Path("desk"))       from now on, here and in every process that this one starts
    own.root()                              that folder, or None

A file of one of its folders of parts is a module of the package that holds ours: `attacks/echo.py` there is
`attacks.echo`, as it would be in our checkout, so imports, pickles, compiled code and error messages are the same for
both. Our own modules are found first, and a file whose name is taken is refused by `files`, naming both.

Which folder it is goes to other processes by the environment; `parts` imports this module, and every process that asks
for parts imports that.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

from sim.core.settings import SpecError, build, read_toml

PLACE: Final = "WMBENCH_OWN"  # in the environment
HOME: Final = "WMBENCH_HOME"  # in the environment: the checkout of the bench, before `home` of wmbench.toml
SETTINGS: Final = "wmbench.toml"
SCENARIOS, WORLDS, SWEEPS, RECEIVERS = "scenarios", "worlds", "sweeps", "receivers"
FOLDERS: Final = {
    "attacks": "attacks",
    "meters": "sim.meters.types",
    "checks": "sim.portal.checks",
    "alarms": "sim.portal.alarms",
    "stores": "sim.portal.store",
    "gateways": "sim.gateway.kinds",
    "endpoints": "sim.endpoint.kinds",
    "faults": "sim.faults",
    "feeders": "sim.feeders.kinds",
    "lines": "sim.feeders.lines",
    "readers": "sim.readers.kinds",
    "codecs": "sim.lines.codecs",
    "systems": "sim.systems",
    "invariants": "bench.rig.checks",
}
"""Folder of a user's repository -> the package beside whose modules those in it are found."""


class TwoFiles(Exception):
    """A file of a user's has the name of one of ours; the message names both."""


@dataclass(frozen=True, slots=True)
class OwnSpec:
    """wmbench.toml. `home`: the checkout of the bench, from the file's own folder. `firmware`: version of what is under
    test, for junit.xml and run.json."""

    home: str = ""
    firmware: str = ""


def find(place: Path) -> Path | None:
    """The nearest folder with a wmbench.toml: `place` (or the folder of that file), or one above it."""
    try:
        start = place.resolve()
    except OSError:
        return None
    for folder in (start, *start.parents):
        if (folder / SETTINGS).is_file():
            return folder
    return None


def root() -> Path | None:
    """The repository that is open, or None."""
    place = os.environ.get(PLACE)
    return Path(place) if place else None


def spec() -> OwnSpec:
    """The open repository's wmbench.toml; defaults without one. Raises SpecError."""
    place = root()
    if place is None:
        return OwnSpec()
    table, where = read_toml(place / SETTINGS)
    return build(OwnSpec, table, where)


def folder(name: str) -> Path | None:
    """A folder of the open repository, where it has one of this name."""
    place = root()
    return place / name if place is not None and (place / name).is_dir() else None


def named_files(ours: Path, beside: Path | None) -> dict[str, Path]:
    """Name -> TOML file, by name: in a folder of ours, and in one beside it. Raises SpecError for a name that is
    taken."""
    found: dict[str, Path] = {}
    for place in filter(None, (ours, beside)):
        for path in sorted(place.glob("*.toml")):
            if path.stem in found:
                raise SpecError(f"{found[path.stem]} and {path} have the same name: give yours another")
            found[path.stem] = path
    return dict(sorted(found.items()))


def open_repository(place: Path) -> None:
    """Look for parts in it as well. Raises SpecError for a second one, and for a wmbench.toml that cannot be used."""
    place = place.resolve()
    before = root()
    if before is not None and before.resolve() != place:
        raise SpecError(f"{place} and {before} are two repositories with a {SETTINGS}: name one at a time")
    os.environ[PLACE] = str(place)
    spec()


def files(package: str) -> Iterator[tuple[str, Path]]:
    """(module, its file) of every module and package in it, by name: ours, and those of the open repository, where
    tests may lie beside the parts. Raises TwoFiles."""
    found: dict[str, Path] = {}
    beside = _beside(package)
    for place in (*importlib.import_module(package).__path__, *([str(beside)] if beside else [])):
        for module in pkgutil.iter_modules([place]):
            file = Path(place) / (module.name if module.ispkg else f"{module.name}.py")
            if module.name in found:
                raise TwoFiles(f"{found[module.name]} and {file} have the same name: give yours another")
            if not module.name.startswith("test_") and module.name != "conftest":
                found[module.name] = file
    yield from sorted(found.items())


def _beside(package: str) -> Path | None:
    """The folder of the open repository whose files are modules of this package."""
    return next((folder(name) for name, one in FOLDERS.items() if one == package), None)


class _Beside:
    """Import finder for modules of the open repository; Python asks it when all others found nothing."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """See importlib.abc.MetaPathFinder."""
        beside = _beside(name.rpartition(".")[0])
        return PathFinder.find_spec(name, [str(beside)], target) if beside is not None else None


sys.meta_path.append(_Beside)
