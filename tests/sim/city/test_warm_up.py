"""Set-up compiles all that a run calls; it is done once, by one at a time, and again where it was cut short."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arrays import cache_folder, jit
from bench.run_directory import ROOT
from sim.city import warm_up
from sim.core.parts import PartError
from tests.how_to import copied

_RUN = """
import sys
from pathlib import Path
from arrays.jit import compiled
from sim.city.conduct import run
from sim.city.plan import CityPlan
from sim.meters.fleet_spec import FleetSpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.world_spec import WorldSpec
modes = ("none", "mode5", "mode7")
fleet = tuple(FleetSpec(one, "qundis-q-caloric", 70, security=one, interval_s=300.0) for one in modes)
spec = WorldSpec("other", "Another city", fleet, (GatewaySpec(count=3),))
for depth in ("radio", "bytes", "readings"):
    result = run(CityPlan(spec, 7, 7_200 * 10**9, depth))
    assert result.frames_sent > 1_000
print(compiled.names)
"""


def test_after_it_a_run_compiles_nothing() -> None:
    subprocess.run([sys.executable, "-m", "sim.city.warm_up"], cwd=ROOT, check=True)
    assert cache_folder.mark().exists()
    done = subprocess.run([sys.executable, "-c", _RUN], cwd=ROOT, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(jit.compiled, "quiet", False)
    for step in ("_city", "_world"):
        monkeypatch.setattr(warm_up, step, lambda *_: None)
    monkeypatch.setattr(warm_up, "_COMMAND", [sys.executable, "-c", "pass"])
    return tmp_path


def test_it_is_done_once_and_again_where_it_was_cut_short(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[str] = []
    monkeypatch.setattr(warm_up, "_city", played.append)
    (place / "part-of-one-that-was-killed").mkdir()
    with monkeypatch.context() as killed:
        killed.setattr(warm_up, "_world", lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            warm_up.compile_all()
    assert not cache_folder.mark().exists()
    warm_up.compile_all()
    assert cache_folder.mark().exists() and not list(place.glob("part-*"))
    warm_up.compile_all()
    assert played == ["radio", "readings"] * 2


def test_a_part_that_cannot_be_read_is_said_before_anything_is_compiled(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise PartError("it says which file")

    with monkeypatch.context() as once:
        once.setattr(warm_up, "_read_parts", broken)
        with pytest.raises(PartError):
            warm_up.compile_all()
    assert capsys.readouterr().err == ""
    warm_up.compile_all()
    assert capsys.readouterr().err == f"{cache_folder.COMPILING}\n"


_DIGESTS = """
import importlib, json, pkgutil
import sim
from arrays import content, jit
for one in pkgutil.walk_packages(sim.__path__, "sim."):
    if not one.name.endswith("__main__"):
        importlib.import_module(one.name)
from sim.portal.portal_spec import PortalSpec
PortalSpec()  # asks for checks and alarms
functions = [one.py_func for one in (*jit._opened, *jit._opened_later)]
print(json.dumps({f"{one.__module__}.{one.__qualname__}": content.digest(one) for one in functions}))
"""


_MARK = "from arrays import cache_folder; print(cache_folder.mark().name)"


@pytest.mark.acceptance
def test_no_compiled_code_is_made_from_the_parts_that_are_no_reason_to_compile(tmp_path: Path) -> None:
    """The parts of all how-to pages are added; only the check's changes the digest of anything that is compiled."""
    pages = sorted((ROOT / "docs" / "how-to").glob("add-*.md"))
    found: list[bytes] = []
    marks: list[bytes] = []
    for more in ([], [page for page in pages if page.stem != "add-a-check"], pages):
        tree = copied(tmp_path, more)
        for asked, kept in ((_DIGESTS, found), (_MARK, marks)):
            around = {**os.environ, "PYTHONPATH": str(tree)}
            done = subprocess.run([sys.executable, "-c", asked], cwd=tree, env=around, capture_output=True, check=True)
            kept.append(done.stdout)
    assert len(json.loads(found[0])) > 100
    assert found[0] == found[1] != found[2]
    assert marks[0] == marks[1] != marks[2]


def test_what_is_not_used_any_more_goes(place: Path) -> None:
    folder = jit.folder()
    folder.mkdir()
    digests = [f"{number:020x}" for number in range(6)]
    for age, digest in enumerate(digests):
        for name in (f"air.sweep-{digest}.py311.nbi", f"air.sweep-{digest}.py311.1.nbc"):
            (folder / name).touch()
            os.utime(folder / name, (age, age))
    (folder / f"air.rare-{digests[0]}.py311.nbi").touch()
    for age in range(20):
        (place / f"complete-{age}").touch()
        os.utime(place / f"complete-{age}", (age, age))
    warm_up.compile_all()
    left = sorted(path.name for path in folder.glob("*.nb?"))
    kept = [f"air.sweep-{one}.py311.{ending}" for one in digests[2:] for ending in ("1.nbc", "nbi")]
    assert left == sorted([f"air.rare-{digests[0]}.py311.nbi", *kept])
    assert len(list(place.glob("complete-*"))) == 16 and cache_folder.mark().exists()


def test_a_part_s_functions_are_moved_in_whole(tmp_path: Path) -> None:
    here, part = tmp_path / "here", tmp_path / "part"
    for folder, text in ((here, "here"), (part, "part")):
        folder.mkdir()
        (folder / "a-1.py311.nbi").write_text(text)
        (folder / "a-1.py311.1.nbc").write_text(text)
    for name in ("b-1.py311.nbi", "b-1.py311.1.nbc", "b-1.py311.2.nbc"):
        (part / name).write_text("part")
    warm_up._move_in(part, here)
    assert {path.name: path.read_text() for path in here.glob("*.nb?")} == {
        "a-1.py311.nbi": "here", "a-1.py311.1.nbc": "here",
        "b-1.py311.nbi": "part", "b-1.py311.1.nbc": "part", "b-1.py311.2.nbc": "part",
    }  # fmt: skip


def test_a_part_that_cannot_be_read_is_named_and_no_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ours_narrow.py"
    file.write_text("X = 1\nimport nowhere_at_all\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    def imports_it() -> None:
        importlib.import_module("ours_narrow")

    def asks_for_it() -> None:
        raise PartError("it says which file")

    for compile_all, said in (
        (imports_it, f"{file}, line 2: cannot be imported: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        (asks_for_it, "it says which file"),
    ):
        monkeypatch.setattr(warm_up, "compile_all", compile_all)
        with pytest.raises(SystemExit) as ended:
            warm_up.main([])
        assert ended.value.code == cache_folder.TO_MEND + said
    monkeypatch.setattr(warm_up, "compile_all", lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):  # ours to mend: the whole of it
        warm_up.main([])
