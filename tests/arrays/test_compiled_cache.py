"""What numba keeps is dropped when a file it was made of changes, that file's own code and its importers'."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from arrays import compiled_cache, keeping
from arrays.compiled_cache import ROOT, drop_stale, importers


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four sources, three of them with compiled code."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(keeping, "ask", {})
    for name, text in {
        "wmbus/words.py": "A = 1\n",
        "sim/meters/loop.py": "from wmbus.words import A\n",
        "sim/meters/outer.py": "def late():\n    from sim.meters import (\n        loop,\n    )\n",
        "sim/radio/other.py": "B = 2\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        kept = tmp_path / "cache" / f"{path.parent.name}_1" / f"{path.stem}.f-1.py311.nbi"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch()
    return tmp_path


def _kept(tree: Path) -> list[str]:
    return sorted(path.name.split(".")[0] for path in (tree / "cache").rglob("*.nbi"))


def test_nothing_is_known_of_a_cache_without_a_record(tree: Path) -> None:
    assert len(drop_stale(tree)) == 4
    assert _kept(tree) == []


def test_a_change_drops_the_file_and_its_importers(tree: Path) -> None:
    drop_stale(tree)
    for name in ("wmbus", "meters", "radio"):
        for stem in {"wmbus": ["words"], "meters": ["loop", "outer"], "radio": ["other"]}[name]:
            (tree / "cache" / f"{name}_1" / f"{stem}.f-1.py311.nbi").touch()
    assert drop_stale(tree) == []
    (tree / "wmbus" / "words.py").touch()
    assert drop_stale(tree) == [] and len(_kept(tree)) == 4  # the content is the same
    (tree / "wmbus" / "words.py").write_text("A = 3\n")
    assert drop_stale(tree) == ["sim/meters/loop.py", "sim/meters/outer.py", "wmbus/words.py"]
    assert _kept(tree) == ["other"]
    assert drop_stale(tree) == []


def test_a_file_that_is_gone_drops_its_importers(tree: Path) -> None:
    drop_stale(tree)
    (tree / "wmbus" / "words.py").unlink()
    (tree / "sim" / "radio" / "other.py").write_text("B = 3\n")
    assert "sim/meters/outer.py" in drop_stale(tree)


def test_what_is_compiled_after_a_change_is_not_kept(tree: Path) -> None:
    """Its own process still has the older source, and the record will tell of the newer."""
    drop_stale(tree)
    assert keeping.allowed()
    (tree / "wmbus" / "words.py").write_text("A = 3\n")
    assert not keeping.allowed()
    drop_stale(tree)
    assert keeping.allowed()


def test_an_editor_s_link_to_nowhere_is_no_source(tree: Path) -> None:
    (tree / "wmbus" / ".#words.py").symlink_to("somebody@somewhere.1234")
    assert len(drop_stale(tree)) == 4


@pytest.fixture
def closed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Folders below these cannot be written; root may write anywhere, so the answer is changed."""
    places = [str(ROOT)]
    access = os.access

    def refused(path: Any, mode: int) -> bool:
        return not str(path).startswith(tuple(places)) and access(path, mode)

    monkeypatch.setattr(os, "access", refused)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tree / "home"))
    return places


def test_numba_s_choice_of_a_folder_is_followed(
    tree: Path, closed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numba")
    assert compiled_cache.folder() == tree / "cache"
    closed.append(str(tree / "cache"))
    assert compiled_cache.folder() == tree / "home" / "numba"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    assert compiled_cache.folder() == tree / "home" / "numba"
    closed.clear()
    assert compiled_cache.folder() == ROOT / "sim" / "__pycache__"


def test_the_code_of_a_checkout_that_is_read_only_gets_stale_too(
    tree: Path, closed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the user's cache then."""
    pytest.importorskip("numba")
    (tree / "home").mkdir()
    (tree / "cache").rename(tree / "home" / "numba")
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    assert len(drop_stale(tree)) == 4
    assert not list((tree / "home").rglob("*.nbi")) and drop_stale(tree) == []


def test_where_nothing_can_be_dropped_nothing_breaks(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_self: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "unlink", refused)
    assert len(drop_stale(tree)) == 4 and len(_kept(tree)) == 4


def test_the_real_tree() -> None:
    """Rooms stand in the loop as constants, ciphers as code."""
    for source in ("sim/meters/physics/rooms.py", "arrays/aes_encrypt.py"):
        assert "sim/meters/blockwise.py" in importers([source], ROOT)
    assert "sim/radio/sweep.py" not in importers(["sim/meters/blockwise.py"], ROOT)
