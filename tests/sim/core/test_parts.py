"""A folder is the list of its parts; what is no part is said by name."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.core.parts import Folder, PartError, UnknownPart


@dataclass(frozen=True)
class Lamp:
    id: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """An importable package of its own for each test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    place = tmp_path / f"lamps_{abs(hash(request.node.name))}"
    place.mkdir()
    (place / "__init__.py").write_text("")
    return place


def lamp(place: Path, name: str, id_: str) -> None:
    (place / f"{name}.py").write_text(
        f'"""A lamp called {id_}."""\nfrom {Lamp.__module__} import Lamp\nLAMP = Lamp("{id_}")\n'
    )


def lamps(place: Path) -> Folder[Lamp]:
    sys.modules.setdefault(Lamp.__module__, sys.modules[__name__])
    return Folder(place.name, "LAMP", "lamp", Lamp)


def test_every_file_is_a_part_and_has_a_page(folder: Path) -> None:
    lamp(folder, "b", "desk")
    lamp(folder, "a", "table")
    (folder / "_shared.py").write_text("raise RuntimeError")
    found = lamps(folder)
    assert list(found.parts()) == ["desk", "table"]
    assert found.find("desk") == Lamp("desk")
    assert found.page("desk") == "A lamp called desk."


def test_an_unknown_part_names_the_nearest_first(folder: Path) -> None:
    for name, id_ in (("a", "desk"), ("b", "table")):
        lamp(folder, name, id_)
    with pytest.raises(UnknownPart, match="no lamp 'tabel'; known, nearest first: table, desk"):
        lamps(folder).find("tabel")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("LAMP = 3\n", r"broken\.py: a lamp has LAMP = Lamp\(\.\.\.\); this file has none"),
        ("", r"broken\.py: a lamp has LAMP"),
        ("import nowhere\n", r"\.broken: cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
    ],
)
def test_a_file_that_is_no_part_is_said(folder: Path, text: str, what: str) -> None:
    (folder / "broken.py").write_text(text)
    with pytest.raises(PartError, match=what):
        lamps(folder).parts()


def test_one_id_twice_is_said(folder: Path) -> None:
    lamp(folder, "a", "desk")
    lamp(folder, "b", "desk")
    with pytest.raises(PartError, match="two files define the lamp 'desk'"):
        lamps(folder).parts()
