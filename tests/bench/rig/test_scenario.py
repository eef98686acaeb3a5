"""What the project's scenarios say of their cells."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from attacks.attack import ACTIVE, attacks
from bench.rig.scenario import Stage, scenario
from bench.worlds import SCENARIOS
from tests.small_worlds import dozen

FILES = sorted(SCENARIOS.rglob("test_*.py"))


def expected(text: str) -> Iterator[tuple[str, ast.Call]]:
    """(class of the attack, call of `world.expect`) of one file."""
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        staged: dict[str, str] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _name(node.value) == "attack":
                made, target = node.value.args[0], node.targets[0]
                assert isinstance(made, ast.Call) and isinstance(target, ast.Name)
                staged[target.id] = _name(made)
            if isinstance(node, ast.Call) and _name(node) == "expect":
                assert isinstance(node.args[0], ast.Name)
                yield staged[node.args[0].id], node


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_prevented_cell_of_an_attack_that_acts_says_why_it_is_refused(path: Path) -> None:
    acting = {cls.__name__ for cls in attacks().values() if cls.record.can & ACTIVE}
    for attack, call in expected(path.read_text(encoding="utf-8")):
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        prevented = any(
            isinstance(letter, ast.Name) and letter.id == "X"
            for value in given.values()
            if isinstance(value, ast.Tuple)
            for letter in value.elts
        )
        assert not prevented or attack not in acting or "because" in given, ast.unparse(call)


def test_fewer_shots_or_less_service_need_a_reason() -> None:
    stage = Stage.__new__(Stage)
    stage.defences = "on"
    with pytest.raises(ValueError, match="least=2 needs few_because"):
        stage.expect(None, "v", least=2)
    with pytest.raises(ValueError, match="say why"):
        stage.service(at_least=0.5, because="")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gateways", "; the world itself has it: world.inner.gateways"), ("trutth", "; did you mean 'truth'?"),
        ("zzz", ""),
    ],
)  # fmt: skip
def test_what_a_stage_has_not_is_said_with_where_it_is(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(Stage(dozen(tmp_path), 1, tmp_path, "on"), name)
    assert str(caught.value) == f"a scenario's world has no '{name}'{said}"


def test_a_world_that_cannot_be_made_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.rig.scenario.World", lambda *_, **__: tmp_path.leest)
    with pytest.raises(RuntimeError, match=r"^the world cannot be made: AttributeError: .* no attribute 'leest'"):
        assert Stage(dozen(tmp_path), 1, tmp_path, "on").inner


@pytest.mark.parametrize(("key", "given"), [("not_for", "smgw"), ("settings", ["a"]), ("defences", "off")])
def test_what_is_no_dictionary_is_named_with_its_form(key: str, given: object) -> None:
    with pytest.raises(ValueError, match=f"^{key}=.* is no dictionary; write it like {key}={{"):
        scenario(world="dozen", **{key: given})  # type: ignore[arg-type]
