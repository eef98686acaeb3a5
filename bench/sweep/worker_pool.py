"""What carries out the jobs of a run: this process, processes beside it, or a cluster (bench.sweep.scheduler).

A job is a shard of a city with one seed: a pure function of its arguments (`sim.city.conduct.play`), so it can be done
anywhere, in any order, and again. The rule kept here: a job whose process dies is done again, twice at most, by another
one, and the result is the same; an error that a job raises is its caller's. A caller that stops listening
(Ctrl-C) leaves no process behind, and processes go with their controller.
"""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from bench.run_errors import CannotRun
from bench.spawned import Spawned, answer_orders
from sim.city.conduct import ShardResult, play
from sim.city.plan import CityPlan

RETRIES: Final = 2
Tile = tuple[slice, slice]
Work = Callable[[CityPlan, Tile], ShardResult]


@dataclass(frozen=True, slots=True)
class Job:
    """One shard of one point with one seed."""

    point: int
    seed: int
    shard: int
    plan: CityPlan
    tile: Tile

    @property
    def key(self) -> tuple[int, int, int]:
        """(point, seed, shard)."""
        return self.point, self.seed, self.shard


Done = tuple[Job, ShardResult]


def here(jobs: Sequence[Job], workers: int, work: Work = play) -> Generator[Done, None, None]:
    """Results as they come, from so many processes of this machine; one worker is this process itself. Raises CannotRun
    when a job's process died three times, and what a job raises."""
    if min(workers, len(jobs)) <= 1:
        yield from ((job, work(job.plan, job.tile)) for job in jobs)
        return
    waiting, deaths = deque(jobs), Counter[tuple[int, int, int]]()
    crew = [_Worker(work) for _ in range(min(workers, len(jobs)))]
    try:
        while waiting or any(worker.job for worker in crew):
            for worker in crew:
                if worker.job is None and waiting:
                    worker.begin(waiting.popleft())
            busy = {worker.pipe: worker for worker in crew if worker.job is not None}
            for pipe in wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]
                job, answer = worker.finish()
                if answer is None:
                    deaths[job.key] += 1
                    if deaths[job.key] > RETRIES:
                        raise CannotRun(_DEAD.format(tries=RETRIES + 1, code=worker.exit_code))
                    waiting.appendleft(job)
                    crew[crew.index(worker)] = _Worker(work)
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    yield job, answer
    finally:
        for worker in crew:
            worker.stop()


_DEAD: Final = (
    "a process died {tries} times at the same shard (exit code {code}; -9: killed, often for lack of memory). Use "
    "fewer --workers, or more shards"
)


class _Worker(Spawned):
    """A process that does one job after the other."""

    def __init__(self, work: Work) -> None:
        super().__init__(_serve, work)
        self.job: Job | None = None

    def begin(self, job: Job) -> None:
        self.job = job
        with contextlib.suppress(OSError):  # dead already: finish() finds out
            self.pipe.send((job.plan, job.tile))

    def finish(self) -> tuple[Job, Any]:
        """The job with its result, with what it raised, or with None when the process died over it."""
        job, self.job = self.job, None
        assert job is not None
        try:
            return job, self.pipe.recv()
        except (EOFError, OSError):
            self.await_end()
            return job, None


def _serve(pipe: Connection, work: Work) -> None:
    """What a worker does."""
    answer_orders(pipe, lambda order: pipe.send(work(*order)))
