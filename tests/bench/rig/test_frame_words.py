"""Words of forms, ids of threats, names of variants: what there is not is refused, with the nearest that there is."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from attacks.attack import Outcome, attacks, form
from bench.rig import classify, frame_words
from bench.rig.attack_record import known_threats
from bench.rig.judgement import _misspelt
from bench.run_errors import CannotRun
from tests.bench.staged_attack import Staged

RECORD = Staged.record


def with_forms(**forms: Any) -> Any:
    made = type("Staged", (Staged,), {"record": replace(RECORD, forms=forms), "__module__": Staged.__module__})
    return object.__new__(cast("Any", made))  # the file is found by the class


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (form(changed="acces number, status"), "changed has no word 'acces number'; did you mean 'access number'[?]"),
        (form(shows="no mac"), "shows has no word 'no mac'; did you mean 'no MAC'[?]"),
        (form(changed="no MAC"), "changed has no word 'no MAC'"),
    ],
)
def test_a_word_that_is_none_is_refused_by_the_attacks_file(made: Any, said: str) -> None:
    with pytest.raises(CannotRun, match=rf"^/.*staged_attack\.py: form 'v': {said}"):
        frame_words.check(with_forms(v=made))


def test_the_forms_of_all_our_attacks_are_of_these_words() -> None:
    for cls in attacks().values():
        frame_words.check(object.__new__(cast("Any", cls)))


def test_every_word_that_the_referee_finds_is_listed() -> None:
    known = {*frame_words.SHOWS, *frame_words.CHANGED}
    tree = ast.parse(inspect.getsource(classify))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert known - texts == {f"mode {mode}" for mode in range(32)}
    docs = {node.value.value for node in ast.walk(tree) if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)}  # fmt: skip
    assert {text for text in texts - docs if " " in text.strip()} <= known


@pytest.mark.parametrize(("id_", "hint"), [("L99", "did you mean 'L.9'[?]"), ("", "; ./wmbench threats lists them")])
def test_a_threat_that_is_not_on_the_list_is_refused(id_: str, hint: str) -> None:
    with pytest.raises(CannotRun, match=f"threats: there is no '{id_}'.*{hint}"):
        known_threats(["L08", id_])


def test_a_variant_that_an_attack_has_not_is_told_from_one_that_it_did_not_report() -> None:
    attack = SimpleNamespace(record=replace(RECORD, forms={"masked": form(), "late / mode7": form()}))
    stages = cast("Any", [SimpleNamespace(staged=[SimpleNamespace(attack=attack)])])
    rows = [[(attack, Outcome("masked", "mode5", 3, 0))]]
    said = _misspelt([("test.staged", "maskd")], stages, rows)
    assert said == {
        ("test.staged", "maskd"): "test.staged has no variant 'maskd'; did you mean 'masked'? it has 'masked', 'late'"
    }
    assert _misspelt([("test.staged", "masked"), ("test.staged", "late")], stages, rows) == {}
    assert _misspelt([("test.staged", "late")], stages, rows) == {}, "it has a form"
    assert _misspelt([("test.staged", "masked"), ("test.staged", "x")], stages, rows) == {}, "nothing else is reported"
