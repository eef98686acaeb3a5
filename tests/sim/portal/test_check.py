"""A check that cannot be used is refused in words that name its file and line, when it is made or first asked."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
import pytest

from arrays.jit import CannotCompile, njit
from sim.core.clock import NS_PER_S
from sim.core.parts import Folder, PartError
from sim.portal import copies, freshness, intake
from sim.portal.check import HARMLESS, Check, Meter, Sight, in_order, unlike
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


# --- what is no check -----------------------------------------------------------------------------------------------


def _verdict(sight: Any, meter: Any, past: Any, ring: Any, limits: Any) -> int:
    return 0


GIVEN: dict[str, Any] = {
    "id": "weak", "order": 70, "reasons": {"too weak": HARMLESS}, "verdict": _verdict, "took": lambda *_: None,
    "detail": lambda *_: "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"id": 60, "order": "weak"}, "a check's id is a text, not 60; a check begins with id, order, reasons"),
        ({"order": "70"}, "check weak: order is '70' and no whole number; a check begins with id, order, reasons"),
        ({"order": True}, "check weak: order is True and no whole number"),
        ({"order": 70.5}, "check weak: order is 70.5 and no whole number"),
        ({"reasons": {"too weak": "odd"}}, "check weak: reason 'too weak' says 'odd' of the sender; it is one of HA"),
        ({"reasons": {}}, "check weak: reasons are {}; write at least one reason"),
        ({"reasons": ("too weak",)}, r"check weak: reasons are \('too weak',\); write at least one"),
        ({"verdict": lambda sight, past: 0},
         r"check weak: verdict\(sight, past\) has other parameters than it is called with; write "
         r"verdict\(sight, meter, past, ring, limits\)"),
        ({"verdict": lambda sight, past, meter, ring, limits: 0},
         r"check weak: verdict\(sight, past, meter, ring, limits\) has other parameters"),
        ({"took": lambda sight: None}, r"check weak: took\(sight\) has other parameters"),
        ({"detail": _verdict}, r"write detail\(why, sight, meter, past, limits, names\)"),
    ],
)  # fmt: skip
def test_what_is_no_check_is_refused_by_name(more: dict[str, Any], message: str) -> None:
    assert Check(**GIVEN).order == 70
    with pytest.raises(ValueError, match=message):
        Check(**GIVEN | more)


@pytest.mark.parametrize("line", ["WEAK = Check('weak', 70", "WEAK = Check(70, 'weak'"])
def test_the_file_of_what_is_no_check_is_named(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = f"checks_{abs(hash(line))}"
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "__init__.py").write_text("")
    (tmp_path / folder / "weak.py").write_text(
        f"from sim.portal.check import HARMLESS, Check\n{line}, {{'time off': HARMLESS}}, lambda *_: 0, "
        "lambda *_: None, lambda *_: '')\n"
    )
    (tmp_path / folder / "ts.py").write_text("from sim.portal.checks.ts import CHECK as WEAK\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    said = "'time off', which is a reason of check 'ts'; give it words" if "70," not in line else "line 2: cannot be im"
    with pytest.raises(PartError, match=rf"weak\.py.*{said}"):
        unlike(Folder(folder, "WEAK", "check", Check))


@pytest.mark.parametrize("reason", ["bad mac", "late", "quarantined"])
def test_a_reason_of_the_portal_is_no_checks(reason: str) -> None:
    folder = Folder("sim.portal.checks", "CHECK", "check", Check)
    folder._parts = {"weak": Check(**GIVEN | {"reasons": {reason: HARMLESS}})}
    folder._files = {"weak": Path("weak.py")}
    with pytest.raises(PartError, match=f"weak.py: check 'weak' refuses as '{reason}', which is a reason of the por"):
        unlike(folder)


@pytest.mark.parametrize("number", [5, -1])
def test_a_number_without_a_reason_is_said_with_its_check(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [replace(one, verdict=lambda *_: number) if one.id == "ts" else one for one in in_order()]
    ask, took = freshness.together(checks, lambda function: function)
    plain = freshness.judge.py_func
    around = plain.__globals__ | {"_ask": ask, "_took": took, "_find": copies.find}
    monkeypatch.setattr(intake, "judge", FunctionType(plain.__code__, around))
    bed = Bed(tmp_path, PortalSpec())
    assert bed.hear(telegram(1), 900) == "quarantined"
    assert bed.portal.store.refusals()[0].detail == (
        f"ValueError: check 'ts': verdict returned {number}; there are 0 (PASSED), 1 (LATE), 2 (time off), "
        "3 (replayed time), 4 (no time)"
    )


def _five(sight: Any, meter: Any, past: Any, ring: Any, limits: Any) -> int:
    return 5


def test_a_number_without_a_reason_ends_the_compiled_judgement_too() -> None:
    odd = replace(next(one for one in in_order() if one.id == "bind"), verdict=_five)
    ask, _ = freshness.together([odd], freshness.compiled)
    rings, limits = (np.zeros((1, 1), dtype=np.uint8),), np.zeros(1, dtype=np.int64)
    sight, meter, state = Sight(0, 0, 0, 0, 0, 0, False), Meter(0, 1, 0, 0), np.zeros((1, 1), dtype=np.int64)
    assert ask(1, sight, meter, state, 0, rings, limits) == (-1, 5)


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

    def judge(*_: object) -> tuple[int, int]:
        return int(njit(_nrt=False)(_with_words)(Sight(0, 0, NS_PER_S, 1, 2, 3, True))), 0

    monkeypatch.setattr(intake, "judge", judge)
    with pytest.raises(PartError) as caught:
        bed.hear(telegram(2), 1_800)
    assert isinstance(caught.value.__cause__, CannotCompile)
    assert str(caught.value).startswith(f"{_line(_with_words, 1)}cannot be compiled for arrays: ")
    assert str(caught.value).isprintable() and "str(int64)" in str(caught.value)
    assert bed.portal.store.refusals() == []
