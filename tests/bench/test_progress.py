"""What a person sees of workers: a bar each on a terminal, and nothing left behind."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from bench.progress import Beat, Progress, Watch

WORLD: Any = SimpleNamespace(frames_sent=4_711)
HOUR_NS = 3_600 * 10**9


@pytest.fixture(autouse=True)
def _nobody_else_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watch, "EVERY_S", 60.0)


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100)


def test_a_workers_beat_becomes_a_bar(tmp_path: Path, terminal: Console) -> None:
    beats = [Beat(tmp_path / Watch.PATTERN.format(worker=f"gw{n}")) for n in range(2)]
    watch = Watch(tmp_path, terminal)
    try:
        for beat, title in zip(beats, ("A first scenario", "A second"), strict=True):
            beat.scenario(title)
            beat.world("defences on", 12)(WORLD, HOUR_NS, 4 * HOUR_NS)
        watch._look()
        bars = {task.description: (task.completed, task.fields["state"]) for task in watch._bars.tasks}
        assert bars == {
            "A first scenario, defences on": (0.25, "1.0 h, 4711 sent"),
            "A second, defences on": (0.25, "1.0 h, 4711 sent"),
        }
        beats[0].done("passed", 3.0)
        assert beats[0].ended == ("A first scenario", "passed", 3.0)
        watch._look()
        assert [task.description for task in watch._bars.tasks] == ["A second, defences on"]
    finally:
        watch.close()
    assert list(tmp_path.iterdir()) == [], "also where a worker died"


def test_half_a_beat_and_a_full_disk_disturb_nobody(tmp_path: Path, terminal: Console) -> None:
    (tmp_path / Watch.PATTERN.format(worker="gw0")).write_text('["A sce')
    watch = Watch(tmp_path, terminal)
    try:
        watch._look()
        assert watch._bars.tasks == []
    finally:
        watch.close()
    Beat(tmp_path / "no-such-folder" / "beat").world("on", 1)(WORLD, 1, 2)


def test_without_a_terminal_there_are_lines_only() -> None:
    out = io.StringIO()
    progress = Progress(enabled=True, console=Console(file=out, width=100))
    progress.scenario("A scenario")
    assert progress.world("on", 12) is None
    progress.done("passed", 1.25)
    assert out.getvalue() == "passed  A scenario (1.2 s)\n"
