"""A folder is the list of its parts; what is no part is said by name."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.core import own
from sim.core.parts import Folder, PartError, UnknownPart
from sim.core.settings import SpecError


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
        (f"from {Lamp.__module__} import Lamp\nLAMP = Lamp\n",
         r"broken\.py: LAMP is a class and no lamp; write LAMP = Lamp\(\.\.\.\)"),
        (f"from {Lamp.__module__} import Lamp\nclass Desk(Lamp): ...\nLAMP = Desk\n",
         r"broken\.py: LAMP is a class and no lamp; write LAMP = Desk\(\)"),
        ("import nowhere\n", r"broken\.py, line 1: cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("x = 1\nLAMP = (\n", r"broken\.py, line 2: cannot be imported: SyntaxError: '\(' was never closed"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_part_is_said(folder: Path, text: str, what: str) -> None:
    sys.modules.setdefault(Lamp.__module__, sys.modules[__name__])
    (folder / "broken.py").write_text(text)
    with pytest.raises(PartError, match=what):
        lamps(folder).parts()


def test_one_id_twice_is_said(folder: Path) -> None:
    lamp(folder, "a", "desk")
    lamp(folder, "b", "desk")
    with pytest.raises(PartError, match=r"a\.py and .*b\.py both define the lamp 'desk'"):
        lamps(folder).parts()


def test_what_a_part_has_alone_is_no_other_parts(folder: Path) -> None:
    lamp(folder, "a", "desk")
    lamp(folder, "b", "disk")
    sys.modules.setdefault(Lamp.__module__, sys.modules[__name__])
    found = Folder(folder.name, "LAMP", "lamp", Lamp, alone=lambda one: [f"fitting {one.id[0]}", one.id])
    with pytest.raises(PartError, match=r"a\.py and .*b\.py are both fitting d; a lamp is known by that alone$"):
        found.parts()
    assert list(lamps(folder).parts()) == ["desk", "disk"]


# --- a repository of a user's own -----------------------------------------------------------------------------------


@pytest.fixture
def repository(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Opened, with a folder `lamps` beside our package; the lamp "table" is ours."""
    lamp(folder, "table", "table")
    place = tmp_path / "repository"
    (place / "lamps").mkdir(parents=True)
    (place / own.SETTINGS).write_text('firmware = "1.2"\n')
    monkeypatch.setitem(own.FOLDERS, "lamps", folder.name)
    monkeypatch.delenv(own.PLACE, raising=False)
    own.open_repository(place)
    monkeypatch.setenv(own.PLACE, str(place))  # so that it is taken away afterwards
    return place


def test_parts_of_a_repository_stand_beside_ours(folder: Path, repository: Path) -> None:
    lamp(repository / "lamps", "desk", "desk")
    (repository / "lamps" / "test_desk.py").write_text("raise RuntimeError")
    found = lamps(folder)
    assert list(found.parts()) == ["desk", "table"]
    assert found.page("desk") == "A lamp called desk."
    made = importlib.import_module(f"{folder.name}.desk").LAMP
    assert made is found.find("desk")
    assert own.spec().firmware == "1.2"


def test_a_file_or_an_id_that_is_taken_is_refused_with_both_files(folder: Path, repository: Path) -> None:
    lamp(repository / "lamps", "table", "another")
    with pytest.raises(PartError, match=rf"{folder}/table\.py and {repository}/lamps/table\.py have the same name"):
        lamps(folder).parts()
    (repository / "lamps" / "table.py").unlink()
    lamp(repository / "lamps", "mine", "table")
    with pytest.raises(PartError, match=rf"{repository}/lamps/mine\.py and {folder}/table\.py both define the lamp 't"):
        lamps(folder).parts()


def test_a_repository_is_found_from_below_and_a_second_one_is_refused(repository: Path, tmp_path: Path) -> None:
    assert own.find(repository / "lamps") == repository
    assert own.find(tmp_path) is None
    other = tmp_path / "other"
    other.mkdir()
    (other / own.SETTINGS).write_text("")
    own.open_repository(repository)
    with pytest.raises(SpecError, match="are two repositories"):
        own.open_repository(other)
    (repository / own.SETTINGS).write_text("\nhoem = 'x'\n")
    with pytest.raises(SpecError, match=r"wmbench\.toml, line 2: hoem: unknown key; did you mean 'home'\?"):
        own.open_repository(repository)
