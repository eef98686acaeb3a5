"""What a defect is: one lie in the product, an attack, a fault or the rig, and the scenario that must notice it.

A defect is a function that gets a Patch and changes the running code with it. Code is changed in memory and not in its
files, so that a defect survives moved lines. A defect counts only when what it changed was used: `Patch.used`.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

STORES = "the portal stores what it must not"
DROPS = "the portal refuses or drops what it must take"
VALUES = "the portal stores other values"
ALARMS = "alarms say something else"
SUMS = "bills and sums are wrong"
SILENT = "the attack is not made"
OTHER = "another attack is made"
FAULTS = "the fault does not strike"
GATEWAYS = "the gateway leaks, loses or changes"
ENDPOINTS = "the broker does not enforce"
RIG = "the rig cheats"
KINDS = (STORES, DROPS, VALUES, ALARMS, SUMS, SILENT, OTHER, FAULTS, GATEWAYS, ENDPOINTS, RIG)


@dataclass(frozen=True)
class Play:
    """A scenario as it is run for a defect: `file` below scenarios/ or tests/referee/scenarios/, `only` as pytest's
    -k, `endpoint` instead of the world's own ("": the world's own), `settings` as KEY=VALUE. `of_tests`: not a scenario
    but a file below tests/, for parts that no scenario judges."""

    file: str
    only: str = ""
    endpoint: str = "memory"
    settings: tuple[str, ...] = ()
    of_tests: bool = False

    @property
    def is_ours(self) -> bool:
        """A scenario of this folder."""
        return "/" not in self.file

    @property
    def path(self) -> Path:
        if self.of_tests:
            return ROOT / "tests" / self.file
        return (Path(__file__).parent if self.is_ours else ROOT) / "scenarios" / self.file

    @property
    def words(self) -> list[str]:
        """For pytest."""
        words = [str(self.path)]
        words += ["-k", self.only] if self.only else []
        if self.of_tests:
            return [*words, "-x"]
        words += ["--endpoint", self.endpoint] if self.endpoint else []
        return words + [word for setting in self.settings for word in ("--set", setting)]

    def __str__(self) -> str:
        return f"{self.path.stem.removeprefix('test_')}{' -k ' + self.only if self.only else ''}"


class Patch:
    """How a defect changes running code. `used` counts how often what was changed was used."""

    def __init__(self) -> None:
        self.used = 0

    def around(self, place: str, instead: Callable[..., Any]) -> None:
        """`place`: "module:name" or "module:Class.name" of a function; it becomes `instead(original, *arguments)`."""
        owner, name = self._owner(place)
        original = getattr(owner, name)

        def changed(*arguments: Any, **named: Any) -> Any:
            self.used += 1
            return instead(original, *arguments, **named)

        setattr(owner, name, functools.wraps(original)(changed) if hasattr(original, "__name__") else changed)

    def value(self, place: str, value: object) -> None:
        """Another value of a constant, a class attribute or a property."""
        owner, name = self._owner(place)
        getattr(owner, name)
        setattr(owner, name, value)
        self.used += 1

    @staticmethod
    def _owner(place: str) -> tuple[Any, str]:
        """Raises AttributeError where the code has changed, so that a defect cannot miss in silence."""
        module, _, inside = place.partition(":")
        *owners, name = inside.split(".")
        owner: Any = importlib.import_module(module)
        for one in owners:
            owner = getattr(owner, one)
        return owner, name


@dataclass(frozen=True)
class Defect:
    """`what` is put in, `untrue` the statement that it breaks, `play` the scenario that says it."""

    id: str
    kind: str
    what: str
    untrue: str
    play: Play
    apply: Callable[[Patch], None]


_DEFECTS: dict[str, Defect] = {}


def defect(id: str, kind: str, untrue: str, play: Play) -> Callable[[Callable[[Patch], None]], Callable[[Patch], None]]:
    """Register a function as a defect; its docstring says what it puts in."""

    def register(apply: Callable[[Patch], None]) -> Callable[[Patch], None]:
        add(Defect(id, kind, " ".join((apply.__doc__ or "").split()), untrue, play, apply))
        return apply

    return register


def add(one: Defect) -> None:
    """Raises ValueError for one that says nothing, or says what another says."""
    if one.id in _DEFECTS:
        raise ValueError(f"two defects are named {one.id}")
    if not one.what or not one.untrue or one.kind not in KINDS:
        raise ValueError(f"defect {one.id} lacks what it puts in, what becomes untrue, or its kind")
    _DEFECTS[one.id] = one


def defects() -> dict[str, Defect]:
    """All defects by id, in the order of their files."""
    folder = importlib.import_module("tests.referee.defects")
    for module in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"tests.referee.defects.{module.name}")
    return dict(_DEFECTS)
