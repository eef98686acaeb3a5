"""A load whose generators run on two workers that dask's own commands started: the same counts as without a cluster,
with a clock that is more than an hour beside; a worker that is killed, and what is refused."""

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
from types import SimpleNamespace
from typing import Any

import pytest

from bench import cluster
from bench.load import far_generators
from bench.load.far_generators import on_cluster
from bench.load.far_orders import Machine
from bench.run_errors import CannotRun
from sim.core.clock import wall_s, wall_sleep
from tests.bench.sweep.test_cluster_by_commands import DASK, WAIT_S, around, await_, started

pytestmark = pytest.mark.acceptance

SHIFTED = """
import os, time

monotonic, monotonic_ns, shift_s = time.monotonic, time.monotonic_ns, int(os.environ["WORKER_CLOCK_BESIDE_S"])
time.monotonic = lambda: monotonic() + shift_s
time.monotonic_ns = lambda: monotonic_ns() + shift_s * 10**9
"""
"""sitecustomize of a worker and of what it starts: a machine whose clock began at another time."""
LOAD = ("--gateways", "4", "--telegrams", "3", "--within-s", "60", "--beside", "none")
BROKER: Any = SimpleNamespace(loopback=True, own=False)


class Workers:
    """`address` of the scheduler, `processes` of the workers, in a folder that has what they start."""

    def __init__(self, folder: Path, ending: ExitStack) -> None:
        self.folder = folder
        dask = ending.enter_context(
            started(str(DASK), "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", folder=folder / "s")
        )
        said = folder / "s" / "said"
        self.address = await_(lambda: re.search(r"tcp://127\.0\.0\.1:\d+", said.read_text()), dask)[0]
        (folder / "shifted").mkdir()
        (folder / "shifted" / "sitecustomize.py").write_text(SHIFTED, encoding="utf-8")
        (folder / "tmp").mkdir()
        self.processes = []
        for name, beside_s in (("w1", 0), ("w2", 4_321)):
            words = [f"PYTHONPATH={folder / 'shifted'}:{around(folder)['PYTHONPATH']}", f"TMPDIR={folder / 'tmp'}",
                     f"WORKER_CLOCK_BESIDE_S={beside_s}", str(DASK), "worker", self.address, "--nthreads", "1",
                     "--no-nanny", "--no-dashboard"]  # fmt: skip
            self.processes.append(ending.enter_context(started("/usr/bin/env", *words, folder=folder / name)))
            await_(lambda of=name: "Registered to" in (folder / of / "said").read_text(), self.processes[-1])

    def left(self) -> list[str]:
        """Processes and folders of generators that are there still."""
        return [*map(str, (self.folder / "tmp").glob("wmbench-generator-*")), *(
            str(pid) for pid, words in commands().items() if "bench.load.far_process" in words
        )]  # fmt: skip

    def settled(self) -> list[str]:
        end_s = wall_s() + 60
        while self.left() and wall_s() < end_s:
            wall_sleep(0.05)
        return self.left()


def commands() -> dict[int, str]:
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            found[int(path.name)] = (path / "cmdline").read_text(errors="replace")
        except OSError:
            continue
    return found


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    pytest.importorskip("distributed")
    with ExitStack() as ending:
        yield Workers(tmp_path, ending)


def load(folder: Path, *more: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "bench", "load", *LOAD, "--at", "20", "--seconds", "1", "--json", *more]
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=around(folder), timeout=WAIT_S)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_two_workers_bring_what_two_processes_do(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    here = load(workers.folder, "--workers", "2")
    there = load(workers.folder, "--scheduler", workers.address)
    one, other = here["at_knee"], there["at_knee"]
    for key in ("due", "timely", "lost", "doubled", "readings_stored", "publishes", "reasons", "stale", "broken"):
        assert other[key] == one[key], key
    assert other["readings_stored"] == 60 and there["workers"] == len(there["generators_at"]) == 2
    assert one["clock_s"] == 0 < other["clock_s"] < 30 and here["generators_at"] == []
    assert other["generator_late"]["most_s"] < 600 and all(0 <= mean < 60 for mean in other["stages_s"].values())
    assert {"generator 1", "generator 2"} <= set(other["used"])
    assert workers.settled() == []

    # What is refused, on the same cluster.
    with (
        pytest.raises(CannotRun, match="it has 2 workers, and --workers 3 takes one each; start more, or take"),
        on_cluster(workers.address, 3, 4, BROKER),
    ):
        pass
    with monkeypatch.context() as patch:
        patch.setattr(far_generators.Machine, "this", lambda: Machine("another", "net:[1]", "pid:[1]"))
        with (
            pytest.raises(CannotRun, match=r"is on another machine and cannot reach a broker on this one's loopback"),
            on_cluster(workers.address, 1, 4, BROKER),
        ):
            pass
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "code_digest", lambda folders=(): "another")
        with (
            pytest.raises(CannotRun, match=r"worker tcp://127.0.0.1:\d+ runs other code \([0-9a-f]+\) than this"),
            on_cluster(workers.address, 1, 4, BROKER),
        ):
            pass
    assert workers.settled() == []


def test_whoever_is_killed_in_a_trial_leaves_nothing(workers: Workers) -> None:
    """The controller by Ctrl-C and by SIGKILL, then a worker, with which the cluster is not what it was."""
    controllers = ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL))
    for number, (how, code) in enumerate(controllers):
        with at_work(workers, f"load-{number}") as run:
            run.send_signal(how)
            assert run.wait(WAIT_S) == code
        assert workers.settled() == []
    with at_work(workers, "load") as run:
        workers.processes[1].send_signal(signal.SIGKILL)
        assert run.wait(WAIT_S) == 2
        said = (workers.folder / "load" / "said").read_text()
        assert re.search(r"the generator on worker tcp://127.0.0.1:\d+ is gone, or its worker", said), said
        assert "Traceback" not in said
    assert workers.settled() == []


@contextmanager
def at_work(workers: Workers, name: str) -> Iterator[subprocess.Popen[str]]:
    """A load in the middle of a long trial."""
    words = [sys.executable, "-m", "bench", "load", *LOAD, "--at", "20", "--seconds", "600"]
    with started(*words, "--scheduler", workers.address, folder=workers.folder / name) as run:
        # The portal makes its store when all gateways have a session.
        await_(lambda: [path for path in opened(run.pid) if path.endswith("portal.sqlite")], run)
        assert len(workers.left()) == 4  # two processes with a folder each
        yield run


def opened(pid: int) -> list[str]:
    """Files that processes started by this one have open."""
    found = []
    for path in Path("/proc").glob("[0-9]*/task/*/children"):
        if path.parts[2] == str(pid):
            for child in path.read_text().split():
                for file in Path(f"/proc/{child}/fd").glob("*"):
                    try:
                        found.append(os.readlink(file))
                    except OSError:
                        continue
    return found
