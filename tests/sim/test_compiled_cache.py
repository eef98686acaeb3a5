"""What numba keeps is dropped when a file it was made of changes, that file's own code and its importers'."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiled_cache import ROOT, drop_stale, importers


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four sources, three of them with compiled code."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
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


def test_the_real_tree() -> None:
    """Rooms stand in the loop as constants, ciphers as code."""
    for source in ("sim/meters/rooms.py", "wmbus/aes_instructions.py"):
        assert "sim/meters/in_blocks.py" in importers([source], ROOT)
    assert "sim/radio/kernels.py" not in importers(["sim/meters/in_blocks.py"], ROOT)
