"""The mutation run finds what no test notices, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.mutate_code import Edit, edits, mirror, survivors

SOURCE = b'''"""Uses 3 < 4 in words."""

LIMIT = 7


def late(age: int, at: list[int]) -> bool:
    return (age > LIMIT  # a comment with < in it
            and at is not None) or f"{age + 1}" == ""
'''


def test_each_kind_of_edit_is_made_once_and_in_code_only() -> None:
    found = edits("sim/x.py", SOURCE)
    changed = [(edit.line, edit.old, edit.new) for edit in found]
    assert (3, "7", "8") in changed
    assert (7, ">", ">=") in changed
    assert (8, "is not", "is") in changed
    assert (8, "or", "and") in changed
    assert (8, "==", "!=") in changed
    assert not any(line == 1 or old == "<" for line, old, _ in changed)
    for edit in found:
        compile(edit.applied(SOURCE), edit.file, "exec")
        assert edit.applied(SOURCE) != SOURCE


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "sim/portal/rule.py": "def late(age):\n    return age > 7\n",
        "tests/sim/portal/test_rule.py": "from sim.portal.rule import late\n\ndef test_it():\n    assert late(9)\n",
        "pyproject.toml": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def left(project: Path) -> list[str]:
    return [str(edit) for edit in survivors(project, ["sim/portal"], a_file=0, seed=1, workers=2)]


def test_an_edit_that_no_test_notices_survives(project: Path) -> None:
    assert left(project) == ["sim/portal/rule.py:2: > -> >=", "sim/portal/rule.py:2: 7 -> 8"]
    assert (project / "sim/portal/rule.py").read_text().endswith("> 7\n"), "the checkout itself is left alone"


def test_tests_at_the_bound_leave_no_survivor(project: Path) -> None:
    with (project / "tests/sim/portal/test_rule.py").open("a") as file:
        file.write("    assert late(8) and not late(7)\n")
    assert left(project) == []


def test_tests_that_are_red_before_prove_nothing(project: Path) -> None:
    (project / "tests/sim/portal/test_rule.py").write_text("def test_it():\n    assert False\n")
    with pytest.raises(RuntimeError, match="red without any edit"):
        left(project)


def test_a_file_without_tests_of_its_own_is_held_by_its_folder(project: Path) -> None:
    assert mirror("sim/portal/rule.py", project) == ["tests/sim/portal/test_rule.py"]
    assert mirror("sim/portal/other.py", project) == ["tests/sim/portal"]
    assert mirror("sim/portal/checks/other.py", project) == ["tests/sim/portal"]


def test_an_edit_fits_the_file_it_was_made_for() -> None:
    with pytest.raises(AssertionError):
        Edit("sim/x.py", 1, 0, ">", ">=").applied(b"< 7")
