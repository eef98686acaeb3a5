"""Compiled code beside a run: who waits, who does not, and that a change of hands between windows changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from arrays import ciphers, compiling
from bench.perf.bytes import fleet_of
from bench.run_directory import ROOT
from sim.city import warm_up

pytest.importorskip("numba")


class Maker:
    """Stands for the process that compiles."""

    def __init__(self) -> None:
        self.ended = False

    def poll(self) -> int | None:
        return 0 if self.ended else None

    def wait(self) -> None:
        self.ended = True

    kill = wait


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Maker]:
    """The process that one would begin, in a place where nothing is compiled yet."""
    made = Maker()
    monkeypatch.setattr(compiling, "_begun", lambda: made)
    monkeypatch.setattr(compiling, "ready", lambda: False)
    monkeypatch.setenv(compiling.SETTING, compiling.BESIDE)
    yield made
    ciphers.use(None)


def test_numpy_works_until_compiled_code_is_there(maker: Maker) -> None:
    beside = compiling.Beside()
    assert beside.by_numpy() and beside.by_numpy(100_000)
    assert ciphers.engine() == "numpy"
    maker.ended = True
    assert not beside.by_numpy()
    assert ciphers.engine() == ciphers.engines()[0]


def test_a_large_window_waits_for_compiled_code(maker: Maker) -> None:
    beside = compiling.Beside()
    assert beside.by_numpy()
    assert not beside.by_numpy(1_000_000)
    assert maker.ended


def test_nobody_works_by_numpy_who_did_not_ask(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(compiling.SETTING)
    assert not compiling.Beside().by_numpy()


def test_nobody_works_by_numpy_where_all_is_compiled(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "ready", lambda: True)
    assert not compiling.Beside().by_numpy()


def test_what_was_begun_ends_with_the_run(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(compiling.SETTING)
    assert not compiling.by_numpy()
    compiling._here.end()
    with compiling.beside():
        assert compiling.by_numpy() and os.environ[compiling.SETTING] == compiling.BESIDE
    assert maker.ended and not compiling.by_numpy()
    assert compiling.SETTING not in os.environ and ciphers.engine() == ciphers.engines()[0]
    compiling._here.end()


def test_the_mark_knows_sources_and_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = tmp_path / "sim" / "radio" / "loop.py"
    source.parent.mkdir(parents=True)
    source.write_text("a = 1")
    monkeypatch.setattr(compiling, "ROOT", tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    before = compiling.mark()
    assert before.parent == tmp_path and compiling.mark() == before and not compiling.ready()
    before.touch()
    assert compiling.ready()
    source.write_text("a = 12")
    assert compiling.mark() != before and not compiling.ready()
    before = compiling.mark()
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert compiling.mark() != before


def test_marks_of_other_processors_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(warm_up, "_play", lambda _depth: None)
    for number in range(20):
        (tmp_path / f"compiled-{number}").touch()
        os.utime(tmp_path / f"compiled-{number}", (number, number))
    assert not compiling.ready()
    warm_up.compile_all(["air"])
    assert compiling.ready()
    left = {path.name for path in tmp_path.glob("compiled-*")} - {compiling.mark().name}
    assert left == {f"compiled-{number}" for number in range(5, 20)}


def test_telegrams_may_change_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet, meter = fleet_of(500, "mode5"), np.arange(500)
    monkeypatch.setattr(compiling, "by_numpy", lambda _rows=0: True)
    slow = fleet.telegrams(meter, np.full(500, 40), crcs=True)
    assert not fleet.plans
    monkeypatch.undo()
    fast = fleet.telegrams(meter, np.full(500, 40), crcs=True)
    assert fleet.plans
    assert np.array_equal(slow.data, fast.data)


def test_who_is_forked_neither_sees_nor_keeps_what_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take another's child for one that has ended, and its end of the pipe would keep it alive."""
    until_eof = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    monkeypatch.setattr(compiling, "_begun", lambda: subprocess.Popen(until_eof, stdin=subprocess.PIPE))
    monkeypatch.setattr(compiling, "ready", lambda: False)
    monkeypatch.setenv(compiling.SETTING, compiling.BESIDE)
    compiling._here.end()
    held, release = os.pipe()
    assert compiling.by_numpy()
    child = compiling._here._child
    assert child is not None and child.stdin is not None
    forked = os.fork()
    if forked == 0:
        os.close(release)
        os.read(held, 1)  # until the test is over
        os._exit(compiling._here._child is not None or compiling._here._asked)
    try:
        assert compiling.by_numpy()
        child.stdin.close()
        assert child.wait(60) == 0
    finally:
        os.close(release)
        os.close(held)
        compiling._here.end()
    assert os.waitpid(forked, 0)[1] == 0


def test_who_compiles_ends_with_whom_it_works_for(tmp_path: Path) -> None:
    around = {"NUMBA_CACHE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "sim.city.warm_up", "--beside"], cwd=ROOT, env=around, stdin=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert not list(tmp_path.glob("compiled-*"))


_COMPILED = """
import dataclasses
from pathlib import Path
from numba.core import event
from sim.city.plan import CityPlan, Outages
from sim.city.conduct import run
from tests.sim.city.test_stored_readings import SEED, SPEC

with event.install_recorder("numba:compile") as recorder:
    result = run(CityPlan(SPEC, SEED, 1_800 * 10**9, "readings", shards=2, outages=Outages(1.0, 1_200.0)))
assert result.readings["stored"] > 1_000
print(*{str(one.data["dispatcher"]) for _, one in recorder.buffer})
"""


def test_everything_is_compiled_ahead_and_that_is_known() -> None:
    """Then a run to stored readings compiles nothing, whatever the meters."""
    subprocess.run([sys.executable, "-m", "sim.city.warm_up"], cwd=ROOT, check=True)
    assert all(map(compiling.ready, compiling.PARTS))
    done = subprocess.run([sys.executable, "-c", _COMPILED], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""


def test_the_air_alone_is_not_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    played: list[str] = []
    monkeypatch.setattr(warm_up, "_play", played.append)
    warm_up.compile_all(["air"])
    assert compiling.ready() and not compiling.ready("readings")
    warm_up.compile_all()
    assert played == ["bytes", "readings"]
    assert compiling.ready() and compiling.ready("readings")
    warm_up.compile_all()
    assert len(played) == 2


def test_stored_readings_wait_for_everything(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    monkeypatch.setattr(compiling, "_begun", lambda parts: begun.append(parts) or maker)
    monkeypatch.setattr(compiling, "ready", lambda part="air": part == "air")
    compiling.for_readings()
    assert begun == [compiling.PARTS] and maker.ended
    monkeypatch.delenv(compiling.SETTING)
    compiling.for_readings()
    monkeypatch.setenv(compiling.SETTING, compiling.BESIDE)
    monkeypatch.setattr(compiling, "ready", lambda part="air": True)
    compiling.for_readings()
    assert len(begun) == 1
