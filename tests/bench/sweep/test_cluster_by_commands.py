"""A scheduler and workers started by dask's own commands, as docs/reference/sweep.md has them, and a worker killed in
the middle of a shard: the same digests and the same files as without a cluster."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.run_directory import PLACE, ROOT
from sim.core.clock import wall_s, wall_sleep
from tests.bench.sweep.test_sweep_command import WORLD

WAIT_S = 300.0  # for a machine on which others work
DASK = Path(sys.executable).with_name("dask")


@contextmanager
def started(*words: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A program in a folder of its own, with its words in a file; killed in the end."""
    folder.mkdir()
    with (folder / "said").open("w") as said, subprocess.Popen(
        words, cwd=folder, stdout=said, stderr=said, text=True, env=around(folder)
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def around(folder: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": str(ROOT), PLACE: str(folder / "runs"), "DASK_TEMPORARY_DIRECTORY": str(folder / "scratch"),
    }  # fmt: skip


def await_(what: Any, process: subprocess.Popen[str]) -> Any:
    """What a question comes to, once it is something. Fails when the program has ended, or it takes too long."""
    end_s = wall_s() + WAIT_S
    while not (found := what()) and process.poll() is None and wall_s() < end_s:
        wall_sleep(0.02)
    assert found, process.args
    return found


def city(world: Path, out: Path, *more: str) -> list[str]:
    words = [sys.executable, "-m", "bench", "city", str(world), "--hours", "24", "--depth", "readings", "--json"]
    return [*words, "--set", "fleet.interval_s=300", "--shards", "4", "--outages", "0.3", "--out", str(out), *more]


@pytest.mark.night
def test_a_worker_that_is_killed_changes_nothing(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    pytest.importorskip("pyarrow")
    world, alone, together = tmp_path / "houses.toml", tmp_path / "alone", tmp_path / "together"
    world.write_text(WORLD, encoding="utf-8")
    here = subprocess.run(city(world, alone), capture_output=True, env=around(tmp_path), cwd=tmp_path, check=True)
    with ExitStack() as ending:

        def start(name: str, *words: str) -> subprocess.Popen[str]:
            return ending.enter_context(started(*words, folder=tmp_path / name))

        dask = start("scheduler", str(DASK), "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        said = tmp_path / "scheduler" / "said"
        address = await_(lambda: re.search(r"tcp://127\.0\.0\.1:\d+", said.read_text()), dask)[0]
        workers = [
            start(name, str(DASK), "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
            for name in ("victim", "other")
        ]
        for name, worker in zip(("victim", "other"), workers, strict=True):
            await_(lambda of=name: "Registered to" in (tmp_path / of / "said").read_text(), worker)
        run = start("city", *city(world, together, "--scheduler", address))
        victim = workers[0]
        await_(lambda: list(together.glob(f"readings-*.{victim.pid}.part")), run)
        victim.send_signal(signal.SIGKILL)
        assert run.wait(WAIT_S) == 0, (tmp_path / "city" / "said").read_text()
    one, other = json.loads(here.stdout), json.loads((tmp_path / "city" / "said").read_text())
    for key in ("received_digest", "fates", "missed", "frames_heard", "worst"):
        assert other[key] == one[key], key
    assert one["readings"]["stored"] > 1_000
    assert {**other["readings"], "out": ""} == {**one["readings"], "out": ""}
    files = {path.name: path.read_bytes() for path in alone.iterdir()}
    assert {path.name: path.read_bytes() for path in together.iterdir()} == files
