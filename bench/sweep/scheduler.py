"""Jobs on a dask.distributed cluster that runs already (bench.cluster): `--scheduler tcp://HOST:8786`.

The rule kept here: a result counts only if the code that made it is this checkout's; each comes with a digest of
SIMULATION as the worker has it. A shard whose worker died goes to another one, as the cluster's own setting allows
(distributed.scheduler.allowed-failures).
"""

from __future__ import annotations

import importlib
from collections.abc import Generator, Sequence
from types import ModuleType
from typing import Any

from bench import cluster
from bench.run_errors import CannotRun
from bench.sweep.worker_pool import Done, Job, Tile, Work
from sim.city.conduct import ShardResult, play
from sim.city.plan import CityPlan


def on(address: str, jobs: Sequence[Job], work: Work = play) -> Generator[Done, None, None]:
    """Results as they come. Raises CannotRun: no library, no scheduler there, no workers, other code, a shard that took
    too many workers with it; and what a job raises."""
    with cluster.connected(address) as (distributed, client):
        futures = {
            client.submit(with_digest, work, job.plan, job.tile, pure=False, key=f"wmbench-{job.key}-{id(jobs)}"): job
            for job in jobs
        }
        try:
            for future in distributed.as_completed(futures, loop=client.loop):
                yield futures[future], _checked(future, address, distributed)
                future.release()
        finally:
            client.cancel(list(futures), force=True)


def with_digest(work: Work, plan: CityPlan, tile: Tile) -> tuple[str, str, ShardResult]:
    """On a worker: the code's digest, the worker's address, the result."""
    worker = importlib.import_module("distributed").get_worker()
    return cluster.code_digest(), str(worker.address), work(plan, tile)


def _checked(future: Any, address: str, distributed: ModuleType) -> ShardResult:
    try:
        digest, worker, result = future.result()
    except distributed.KilledWorker as error:
        raise CannotRun(
            f"--scheduler {address}: a shard took its workers with it, one after the other ({error})"
        ) from None
    except ModuleNotFoundError as error:
        raise cluster.cannot_import(address, error) from None
    cluster.refuse_other_code(address, worker, digest, cluster.code_digest())
    assert isinstance(result, ShardResult)
    return result
