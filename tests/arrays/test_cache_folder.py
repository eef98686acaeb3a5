"""What makes set-up compile again: every source from which code is compiled, and no part of which none is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from arrays import cache_folder

COMPILERS = ("arrays", "numba", "sim.portal.freshness")


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("sim/portal/checks/drift.py", True), ("sim/portal/alarm.py", True), ("sim/meters/encodings.py", True),
        ("arrays/jit.py", True), ("wmbus/crc.py", True), ("requirements.txt", True),
        ("sim/portal/alarms/deluge.py", False), ("sim/meters/types/lumen.py", False), ("sim/faults/wet.py", False),
        ("sim/endpoint/kinds/leaky.py", False), ("sim/gateway/kinds/slow.py", False), ("bench/cli/main.py", False),
        ("sim/portal/store/tally.py", False),
    ],
)  # fmt: skip
def test_a_change_compiles_again_where_code_comes_of_it(
    file: str, again: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_folder, "ROOT", tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("")
    before = cache_folder.mark()
    (tmp_path / file).write_text("X = 1\n")
    assert (cache_folder.mark() != before) is again


def imported(path: Path) -> set[str]:
    """The modules that a file names in its imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return found


def test_nothing_is_compiled_of_folders_that_set_up_does_not_look_at() -> None:
    for folder in cache_folder.PLAIN:
        files = sorted((cache_folder.ROOT / folder).rglob("*.py"))
        assert files, folder
        for path in files:
            bad = {one for one in imported(path) if one in COMPILERS or one.startswith(("arrays.jit", "numba."))}
            assert not bad, f"{path} imports {', '.join(bad)}: take its folder out of cache_folder.PLAIN"
