"""Which scenario begins first when several workers share them: the longest ones, so that none stands alone at the end.

What a scenario costs is estimated from its text and its world, without running anything: for each of its runs a start,
and the telegrams that its meters send in the time that `world.run(...)` names, or that time itself where the world's
clock is the wall's. Only the order hangs on it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bench.rig.scenario import Mark, load_world
from sim.core.clock_spec import WallClockSpec
from sim.core.settings import SpecError

START_S = 1.5
TELEGRAM_S = 50e-6
UNKNOWN_H = 2.0  # where the text does not say how long its world runs
_HOURS = {"days": 24.0, "hours": 1.0, "minutes": 1 / 60, "seconds": 1 / 3_600}

T = TypeVar("T")


def estimated_s(mark: Mark, function: Callable[..., Any]) -> float:
    """Seconds, roughly."""
    source = textwrap.dedent(inspect.getsource(function))
    runs = 1 + len(mark.defences) + 2 * ("world.attack(" in source)  # the clean twin and the control
    try:
        spec = load_world(mark.world)
    except (SpecError, OSError):
        return START_S * runs  # the run itself says what is wrong
    hours = _hours(source, function.__globals__)
    an_hour = sum(group.count * 3_600 / group.interval_s for group in spec.fleet)
    wall_s = hours * 3_600 / spec.clock.rate if isinstance(spec.clock, WallClockSpec) else 0.0
    return runs * (START_S + max(TELEGRAM_S * an_hour * hours, wall_s))


def _hours(source: str, names: dict[str, Any]) -> float:
    """World time of all calls of `world.run`, as far as their arguments are numbers or names of such."""
    hours = 0.0
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run":
            for keyword in node.keywords:
                value = keyword.value
                number = names.get(value.id) if isinstance(value, ast.Name) else getattr(value, "value", None)
                if isinstance(number, (int, float)):
                    hours += number * _HOURS.get(keyword.arg or "", 0.0)
    return hours or UNKNOWN_H


def dealt(longest_first: Sequence[T], workers: int) -> list[T]:
    """The order in which pytest-xdist (`--dist load --maxschedchunk 1`) gives each worker one of the longest, and to
    the worker with the shortest of those the longest of the next: at first it gives each two in a row, where there are
    fewer than that one each in turn, and then the next to a worker that has only one left."""
    first, rest = list(longest_first[:workers]), list(longest_first[workers:])
    if len(longest_first) < 2 * workers:
        return [*reversed(first), *rest]
    second = rest[:workers][::-1]
    return [one for pair in zip(first, second, strict=True) for one in pair] + rest[workers:]
