"""Invariants: one a file, applied to every run of every world. A check has a TITLE and `check(world, attacked)`, which
returns what is wrong, one line each. One that says `UNPROVEN = True` makes a scenario inconclusive, not failed.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from sim.world import World


def found() -> list[Any]:
    """The check modules in this folder, by name."""
    return [importlib.import_module(f"bench.rig.checks.{m.name}") for m in pkgutil.iter_modules(__path__)]


def unproven() -> set[str]:
    """Titles of the checks that say UNPROVEN."""
    return {module.TITLE for module in found() if getattr(module, "UNPROVEN", False)}


def apply(world: World, *, attacked: bool) -> list[tuple[str, str]]:
    """(title, what is wrong) of every check that does not hold. `attacked`: there was an attacker, so altered
    records are the scenario's business, not ours."""
    return [(module.TITLE, problem) for module in found() for problem in module.check(world, attacked)]
