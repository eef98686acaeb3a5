"""A check that cannot be used is refused in words that name its file and line, when it is made or first asked."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from arrays.jit import CannotCompile, njit
from sim.core.clock import NS_PER_S
from sim.core.parts import PartError
from sim.portal import intake
from sim.portal.check import HARMLESS, Check, Sight
from sim.portal.portal_spec import PortalSpec
from tests.sim.portal.bed import Bed, telegram


class Empty(NamedTuple):
    """Nothing is remembered."""


def test_a_state_without_a_field_is_refused() -> None:
    with pytest.raises(ValueError, match="check weak: a state without a field cannot be compiled; leave `state` out"):
        Check("weak", 70, {"too weak": HARMLESS}, lambda *_: 0, lambda *_: None, lambda *_: "", Empty)


def test_without_a_state_nothing_is_stored() -> None:
    assert Check("weak", 70, {"too weak": HARMLESS}, lambda *_: 0, lambda *_: None, lambda *_: "").columns == 0


def test_a_place_that_was_forgotten_is_named_and_not_left_to_the_compiler() -> None:
    with pytest.raises(ValueError, match="check weak: detail is Empty and no function; a check has, in this order, id"):
        Check("weak", 70, {"too weak": HARMLESS}, lambda *_: 0, lambda *_: None, Empty)
    with pytest.raises(ValueError, match="check weak: took is 3 and no function"):
        Check("weak", 70, {"too weak": HARMLESS}, lambda *_: 0, 3, lambda *_: "")  # type: ignore[arg-type]


def _line(function: Callable[..., Any], behind: int) -> str:
    return f"{__file__}, line {inspect.getsourcelines(function)[1] + behind}: "


def _limits_of(settings: Any) -> tuple[int, ...]:
    return (settings.ts_tolerence_s,)


def test_limits_of_a_setting_that_there_is_not_name_the_line() -> None:
    check = Check("weak", 70, {"too weak": HARMLESS}, lambda *_: 0, lambda *_: None, lambda *_: "", limits=_limits_of)
    with pytest.raises(PartError) as caught:
        check.limits_for(PortalSpec())
    said = str(caught.value)
    assert said.startswith(f"{_line(_limits_of, 1)}check 'weak' has no limits: AttributeError: ")
    assert said.endswith("; did you mean 'ts_tolerance_s'?")


def test_limits_that_are_no_named_tuple_are_refused() -> None:
    check = Check("weak", 70, {"too weak": HARMLESS}, lambda *_: 0, lambda *_: None, lambda *_: "",
                  limits=lambda _: (5,))  # fmt: skip
    with pytest.raises(PartError, match=r"test_check\.py: check 'weak': limits are a NamedTuple of whole numbers, not"):
        check.limits_for(PortalSpec())


def _with_words(sight: Sight) -> int:
    words = {str(sight.acc): 1}
    return len(words)


def test_what_cannot_be_compiled_is_named_and_no_telegram_is_put_aside_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed = Bed(tmp_path, PortalSpec())
    assert bed.hear(telegram(1), 900) is None

    def judge(*_: object) -> int:
        return int(njit(_nrt=False)(_with_words)(Sight(0, 0, NS_PER_S, 1, 2, 3, True)))

    monkeypatch.setattr(intake, "judge", judge)
    with pytest.raises(PartError) as caught:
        bed.hear(telegram(2), 1_800)
    assert isinstance(caught.value.__cause__, CannotCompile)
    assert str(caught.value).startswith(f"{_line(_with_words, 1)}cannot be compiled for arrays: ")
    assert str(caught.value).isprintable() and "str(int64)" in str(caught.value)
    assert bed.portal.store.refusals() == []
