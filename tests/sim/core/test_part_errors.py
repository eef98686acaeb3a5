"""An error inside a part is told with the part's file and line, whoever called it and however it came to the top."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sim.core import own
from sim.core.part_errors import PartError, answer, calling_part, in_own_part, is_part, place_in_part, told
from sim.core.parts import to_mend

WET = '''"""A part that goes wrong."""
from collections.abc import Iterator


class Fate:
    sensitivity = 1


def look() -> int:
    return helped(lambda: Fate.sensitivty)


def helped(what):
    return what()


def steps() -> Iterator[object]:
    yield None
    look()


def calls(function):
    return function(1, 2)
'''


@pytest.fixture
def wet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A fault's file in a repository of a user's own."""
    (tmp_path / "faults").mkdir()
    (tmp_path / "faults" / "wet_antenna.py").write_text(WET, encoding="utf-8")
    (tmp_path / own.SETTINGS).write_text("")
    monkeypatch.setenv(own.PLACE, str(tmp_path))
    yield importlib.import_module("sim.faults.wet_antenna")
    del sys.modules["sim.faults.wet_antenna"]


def raised(function: Callable[..., Any], *given: Any) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  of any kind
        function(*given)
    return caught.value


def test_the_innermost_line_of_the_part_is_told(wet: ModuleType) -> None:
    error = raised(wet.look)
    assert place_in_part(error) == (Path(str(wet.__file__)), 10)
    assert told(error).startswith(f"{wet.__file__}, line 10: AttributeError: ")
    assert told(error).endswith("has no attribute 'sensitivty'; did you mean 'sensitivity'?")
    assert in_own_part(error)


def test_a_call_from_the_part_into_the_bench_is_the_parts_line(wet: ModuleType) -> None:
    error = raised(wet.calls, own.folder)
    assert told(error).startswith(f"{wet.__file__}, line 23: TypeError: folder() takes 1 positional argument but 2")


def test_what_simpy_raises_a_copy_of_is_told_of_the_original(wet: ModuleType) -> None:
    import simpy

    world = simpy.Environment()

    def start() -> Any:
        yield world.timeout(1)
        yield from (world.timeout(1) for _ in wet.steps())

    world.process(start())
    assert told(raised(world.run)).startswith(f"{wet.__file__}, line 10: AttributeError: ")


def test_set_up_tells_an_error_of_a_part_and_leaves_one_of_its_own(wet: ModuleType) -> None:
    assert str(to_mend(raised(wet.look), Path("warm_up.py"))).startswith(f"{wet.__file__}, line 10: ")
    assert to_mend(ValueError("no part's"), Path("warm_up.py")) is None
    assert told(ValueError("no part's")) == "ValueError: no part's"
    assert not in_own_part(ValueError())


@pytest.mark.parametrize(
    ("module", "one"),
    [
        ("sim.faults.path_lost", True), ("attacks.stammer", True), ("bench.rig.checks.anything", True),
        ("sim.faults.port", False), ("sim.systems._killed", False), ("attacks.reach_radio", False),
        ("attacks.attack", False), ("sim.core.parts", False), ("attacks.parts.survey", False), ("", False),
    ],
)  # fmt: skip
def test_which_modules_are_parts(module: str, one: bool) -> None:
    assert is_part(module) is one


# --- what parts' functions answer ------------------------------------------------------------------------------------


def make(name: str) -> str | None:
    return name or None


class Opened:
    def __init__(self, name: str) -> None: ...


HERE = f"{__file__}, line {inspect.getsourcelines(make)[1]}: "


def test_an_answer_passes() -> None:
    assert answer(make, "gw", of="a gateway") == "gw"
    assert answer(functools.partial(make, "gw"), of="a gateway", wanted=str) == "gw"
    assert isinstance(answer(Opened, "a", of="a store", wanted=Opened), Opened)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: answer(make, "", of="a gateway"), f"{HERE}make returned None and not a gateway"),
        (lambda: answer(make, "x", of="a Readiness", wanted=bool), f"{HERE}make returned 'x' and not a Readiness"),
        (lambda: answer(make, "a", "b", of="a gateway"),
         f"{HERE}make(name: 'str') -> 'str | None' is called with 2 values: too many positional arguments"),
        (lambda: answer(Opened, of="a store"),
         f"{__file__}: Opened(name: 'str') -> 'None' is called with 0 values: missing a required argument: 'name'"),
    ],
)  # fmt: skip
def test_what_a_part_answers_wrongly_is_told_with_its_place(call: Callable[[], object], said: str) -> None:
    with pytest.raises(PartError) as caught:
        call()
    assert str(caught.value) == said


def test_the_part_that_calls_is_named_with_its_line(wet: ModuleType) -> None:
    assert wet.helped(calling_part) == f"{wet.__file__}, line 14: "
    assert calling_part() == ""
