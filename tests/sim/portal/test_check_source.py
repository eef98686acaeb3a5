"""What a check's author is told of a function that compiles to something else than he meant, or does not compile."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from arrays.jit import CannotCompile
from sim.portal import freshness
from sim.portal.check import CHECKS, HARMLESS, PASSED, Check, Meter, Sight, in_order
from sim.portal.check_source import returns_bool
from sim.portal.portal_spec import PortalSpec


class State(NamedTuple):
    heard: int = 0


class Uneven(NamedTuple):
    most: float = 0.5


def fits(sight: Any) -> bool:
    return int(sight.acc) > 3


def compared(sight: Any, meter: Any, past: Any, ring: Any, limits: Any) -> int:
    moved = sight.acc - past.heard
    return -limits.most <= moved <= limits.most


def named(sight: Any, meter: Any, past: Any, ring: Any, limits: Any) -> int:
    fine = not sight.expected
    if sight.acc:
        return PASSED
    return fine


def called(sight: Any, meter: Any, past: Any, ring: Any, limits: Any) -> int:
    return fits(sight) and fits(sight)


def chosen(sight: Any, meter: Any, past: Any, ring: Any, limits: Any) -> int:
    return 2 if sight.acc else False


def whole(sight: Any, meter: Any, past: Any, ring: Any, limits: Any) -> int:
    why = 2 if sight.acc < 3 and fits(sight) else PASSED
    far = sight.acc > 3
    far = far + 1
    return why or (far, 2)[0]


@pytest.mark.parametrize(("function", "behind"), [(compared, 2), (named, 4), (called, 1), (chosen, 1)])
def test_a_verdict_that_returns_true_or_false_is_found_at_its_line(function: Callable[..., Any], behind: int) -> None:
    line = inspect.getsourcelines(function)[1] + behind
    assert returns_bool(function) == line
    odd = replace(CHECKS.find("bind"), verdict=function)
    assert CHECKS.lacks(odd, "bind").startswith(
        f"line {line}: check 'bind': verdict returns True or False, and True is"
    )


def test_a_verdict_of_whole_numbers_passes() -> None:
    assert returns_bool(whole) is None and returns_bool(lambda *_: 0) is None and returns_bool(max) is None
    assert [CHECKS.lacks(check, "") for check in in_order()] == [""] * len(in_order())
    assert returns_bool(lambda sight, *_: sight.acc > 3) is not None


def test_limits_are_whole_numbers() -> None:
    check = replace(CHECKS.find("bind"), limits=lambda settings: Uneven())
    with pytest.raises(Exception, match=r"limits are a NamedTuple of whole numbers, not Uneven\(most=0\.5\)"):
        check.limits_for(PortalSpec())


# --- what the compiler says -----------------------------------------------------------------------------------------


def _verdict(sight: Any, meter: Any, past: Any, ring: Any, limits: Any) -> int:
    return 0


def _number(sight: Any, meter: Any, past: Any, ring: Any, limits: Any) -> Any:
    if sight.acc > 3:
        return State(1)
    return 7


def _only_a_number(sight: Any, meter: Any, past: Any, ring: Any, limits: Any) -> Any:
    return 7


@pytest.mark.parametrize("function", [_number, _only_a_number])
def test_a_memory_that_is_no_state_is_said_with_the_check_and_its_file(function: Callable[..., Any]) -> None:
    good = replace(CHECKS.find("bind"))
    odd = Check("odd", 70, {"time off": HARMLESS}, _verdict, function, lambda *_: "", State)
    every = [good, odd]
    _, took = freshness.together(every, freshness.compiled)
    rings, limits = (np.zeros((1, 1), dtype=np.uint8),) * 2, np.zeros(2, dtype=np.int64)
    sight, meter, state = Sight(0, 0, 0, 0, 0, 0, False), Meter(0, 1, 0, 0), np.zeros((1, 2), dtype=np.int64)
    with pytest.raises(CannotCompile) as caught:
        took(3, False, sight, meter, state, 0, rings, limits)
    said = freshness.to_mend(caught.value, every)
    line = inspect.getsourcelines(function)[1]
    assert said.startswith(f"{__file__}, line {line}: check 'odd': took must return State on every path (")
