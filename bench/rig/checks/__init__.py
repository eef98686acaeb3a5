"""Invariants: one a file, applied to every run of every world. A check has a TITLE and `check(world, attacked)`, which
returns what is wrong, one line each. One that says `UNPROVEN = True` makes a scenario inconclusive, not failed.
"""

from __future__ import annotations

import importlib
from typing import Any

from sim.core import parts
from sim.world import World


def found() -> list[Any]:
    """The check modules by name: in this folder, and in `invariants/` of the user's own repository."""
    return [importlib.import_module(f"{__name__}.{name}") for name, _ in parts.files(__name__)]


def unproven() -> set[str]:
    """Titles of the checks that say UNPROVEN."""
    return {module.TITLE for module in found() if getattr(module, "UNPROVEN", False)}


def apply(world: World, *, attacked: bool) -> list[tuple[str, str]]:
    """(title, what is wrong) of every check that does not hold. `attacked`: there was an attacker, so altered
    records are the scenario's business, not ours."""
    return [(module.TITLE, problem) for module in found() for problem in module.check(world, attacked)]
