"""Whoever does the jobs, and whoever dies over them: the same result. Real processes, really killed."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import cluster as dask_cluster
from bench.run_errors import CannotRun
from bench.sweep import scheduler, worker_pool
from bench.sweep.worker_pool import Job
from sim.city.conduct import combined
from sim.city.plan import Blocks, CityPlan
from sim.core.clock import NS_PER_S
from sim.core.settings import SpecError
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.radio.site_spec import SiteSpec
from sim.world_spec import WorldSpec
from tests.bench.dying import dying
from tests.forked import exit_code

HOUR_NS = 3_600 * NS_PER_S


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    """One run in four shards."""
    site = SiteSpec(floors=1, path_loss_exponent=4.4)
    fleet = (FleetSpec("a", "vipa-c10", 1_600, interval_s=300.0),)
    plan = CityPlan(WorldSpec("small", "A small city", fleet, (GatewaySpec(count=9),), site=site), 3, HOUR_NS, shards=4)
    return [Job(0, 3, i, plan, tile) for i, tile in enumerate(Blocks.of(plan.spec).tiles(4))]


@pytest.fixture(scope="module")
def alone(jobs: list[Job]) -> tuple[Any, ...]:
    return told(list(worker_pool.here(jobs, 1)))


def told(done: list[worker_pool.Done]) -> tuple[Any, ...]:
    result = combined(done[0][0].plan, [shard for _, shard in done], 1, 0.0)
    return len(done), result.frames_sent, result.frames_heard, result.fates, result.received_digest, result.blocks


@pytest.mark.acceptance
def test_a_killed_process_s_shard_is_done_again(jobs: list[Job], alone: tuple[Any, ...], tmp_path: Path) -> None:
    done = list(worker_pool.here(jobs, 2, dying(tmp_path, worker_pool.RETRIES, jobs[1].tile)))
    assert len(list(tmp_path.iterdir())) == worker_pool.RETRIES == 2
    assert told(done) == alone


@pytest.mark.acceptance
def test_a_shard_that_kills_every_process_is_given_up(
    jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "RETRIES", 0)
    with pytest.raises(CannotRun, match=r"died 1 times at the same shard \(exit code -9"):
        list(worker_pool.here(jobs[:2], 2, dying(tmp_path, 99, jobs[1].tile)))


def test_what_a_job_raises_is_raised_here_and_no_process_is_left(jobs: list[Job]) -> None:
    with closing(worker_pool.here(jobs, 2, _refused_at_last)) as finished:
        next(finished)
        assert len(multiprocessing.active_children()) == 2
        with pytest.raises(SpecError, match="no such world"):
            list(finished)
    assert not multiprocessing.active_children()


def _refused_at_last(plan: CityPlan, tile: worker_pool.Tile) -> Any:
    if tile == Blocks.of(plan.spec).tiles(4)[-1]:
        raise SpecError("no such world")
    return tile


# --- a cluster -------------------------------------------------------------------------------------------------------


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    distributed = pytest.importorskip("distributed")
    with tempfile.TemporaryDirectory() as scratch, distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
        silence_logs=50, scheduler_kwargs={"dashboard_address": "127.0.0.1:0"}, local_directory=scratch,
    ) as made:  # fmt: skip
        yield made.scheduler_address


@pytest.mark.acceptance
def test_a_killed_worker_of_a_cluster_s_shard_is_done_again(
    jobs: list[Job], alone: tuple[Any, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster(2) as address:
        done = list(scheduler.on(address, jobs, dying(tmp_path, 1, jobs[1].tile)))
        assert len(list(tmp_path.iterdir())) == 1
        assert told(done) == alone

        # Code of another checkout is found out by its results.
        monkeypatch.setattr(dask_cluster, "code_digest", lambda: "another")
        with pytest.raises(CannotRun, match=r"worker tcp://127.0.0.1:\d+ runs other code"):
            list(scheduler.on(address, jobs[:1]))


def test_a_cluster_without_workers_is_named() -> None:
    with cluster(0) as address, pytest.raises(CannotRun, match="it has no workers"):
        list(scheduler.on(address, []))


def dialling_nobody() -> None:
    dask_cluster.CONNECT_S = 1  # type: ignore[misc]
    with pytest.raises(CannotRun, match=r"--scheduler tcp://127.0.0.1:9: no dask scheduler answers"):
        list(scheduler.on("tcp://127.0.0.1:9", []))


def test_an_address_where_nobody_answers_is_named() -> None:
    pytest.importorskip("distributed")
    assert exit_code(dialling_nobody) == 0, "in a process of its own: dask's thread outlives a client that found nobody"
    for address in ("nonsense://x", "nowhere", "http://127.0.0.1:9", "tcp://127.0.0.1", "tcp://a b:9", ""):
        with pytest.raises(CannotRun, match="no address of a scheduler"):
            list(scheduler.on(address, []))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tls://a.example:1", "localhost:8786", "tcp://[::1]:8786"])
def test_what_dask_calls_an_address_is_one(address: str) -> None:
    assert dask_cluster.ADDRESS.fullmatch(address)


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CannotRun, match=r"\./wmbench setup scale"):
        list(scheduler.on("tcp://127.0.0.1:9", []))
