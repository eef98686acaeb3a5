"""Templates that an earlier process compiled: taken where they are the same, and never where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment

from reports import page


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """(templates with one in it, what is compiled of them)."""
    templates, compiled = tmp_path / "templates", tmp_path / "cache" / "templates"
    templates.mkdir()
    (templates / "a.j2").write_text("one {{ 1 + 1 }}")
    monkeypatch.setattr(page, "TEMPLATES", templates)
    monkeypatch.setattr(page, "COMPILED", compiled)
    return templates, compiled


def made() -> str:
    """What a process of its own makes of it."""
    return page.environment.__wrapped__().get_template("a.j2").render()


def test_a_template_is_compiled_once_and_again_when_it_changed(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiles, done = Environment._compile, []
    monkeypatch.setattr(Environment, "_compile", lambda *words: done.append(words) or compiles(*words))
    assert [made(), made()] == ["one 2"] * 2
    assert len(done) == 1 and len(list(folders[1].iterdir())) == 1
    (folders[0] / "a.j2").write_text("two {{ 1 + 1 }}")
    assert (made(), len(done)) == ("two 2", 2)


def test_with_other_options_none_of_them_is_taken(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    (folders[0] / "a.j2").write_text("{{ '<b>' }}")
    assert made() == "&lt;b&gt;"
    monkeypatch.setattr(page, "_OPTIONS", {**page._OPTIONS, "autoescape": False})
    assert made() == "<b>"


@pytest.mark.parametrize("content", [b"", b"j2", b"not compiled at all"])
def test_a_damaged_one_is_compiled_anew(folders: tuple[Path, Path], content: bytes) -> None:
    made()
    (one,) = folders[1].iterdir()
    whole = one.read_bytes()
    for damaged in (content, whole[:-9]):
        one.write_bytes(damaged)
        assert made() == "one 2"
        assert one.read_bytes() == whole


def test_where_nothing_can_be_written_it_goes_without(folders: tuple[Path, Path]) -> None:
    folders[1].parent.write_text("a file where the folder would be")
    assert made() == "one 2"
