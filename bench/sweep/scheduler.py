"""Jobs on a dask.distributed cluster that runs already: `--scheduler tcp://HOST:8786`.

The library is an optional extra, imported only when asked for. The rule kept here: a result counts only if the code
that made it is this checkout's; each comes with a digest of sim/ and wmbus/ as the worker has them. A shard whose
worker died goes to another one, as the cluster's own setting allows (distributed.scheduler.allowed-failures).

Its workers must be able to import the checkout: PYTHONPATH=CHECKOUT CHECKOUT/.venv/bin/dask worker tcp://HOST:8786
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import logging
import re
from collections.abc import Generator, Sequence
from types import ModuleType
from typing import Any, Final

from bench import run_directory
from bench.run_errors import CannotRun
from bench.sweep.worker_pool import Done, Job, Tile, Work
from sim.city.conduct import ShardResult, play
from sim.city.plan import CityPlan

CONNECT_S: Final = 10
ADDRESS: Final = re.compile(r"((tcp|tls|ws|wss)://)?(\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\]]+):\d{1,5}")
WORKERS_NEED: Final = "they run as PYTHONPATH=CHECKOUT CHECKOUT/.venv/bin/dask worker ADDRESS"


def on(address: str, jobs: Sequence[Job], work: Work = play) -> Generator[Done, None, None]:
    """Results as they come. Raises CannotRun: no library, no scheduler there, no workers, other code, a shard that took
    too many workers with it; and what a job raises."""
    distributed = library()
    if not ADDRESS.fullmatch(address):  # dask would look for it half a minute, and end with a stack trace
        raise CannotRun(f"--scheduler {address}: this is no address of a scheduler; one is tcp://HOST:8786")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise CannotRun(f"--scheduler {address}: no dask scheduler answers there ({error})") from None
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise CannotRun(f"--scheduler {address}: it has no workers; {WORKERS_NEED}")
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
    return code_digest(), str(worker.address), work(plan, tile)


@functools.cache
def code_digest() -> str:
    """Of the simulation as it stands here."""
    whole = hashlib.blake2b(digest_size=8)
    for folder in ("sim", "wmbus"):
        for path in sorted((run_directory.ROOT / folder).rglob("*.py")):
            whole.update(str(path.relative_to(run_directory.ROOT)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def library() -> ModuleType:
    """dask.distributed. Raises CannotRun."""
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise CannotRun(
            "--scheduler needs dask.distributed, an optional extra: install it with ./wmbench setup scale"
        ) from None


def _checked(future: Any, address: str, distributed: ModuleType) -> ShardResult:
    try:
        digest, worker, result = future.result()
    except distributed.KilledWorker as error:
        raise CannotRun(
            f"--scheduler {address}: a shard took its workers with it, one after the other ({error})"
        ) from None
    except ModuleNotFoundError as error:
        raise CannotRun(f"--scheduler {address}: a worker cannot import {error.name}; {WORKERS_NEED}") from None
    if digest != code_digest():
        raise CannotRun(
            f"--scheduler {address}: worker {worker} runs other code ({digest}) than this checkout ({code_digest()}): "
            "bring its checkout to the same commit and start it again"
        )
    assert isinstance(result, ShardResult)
    return result
