"""What a person sees while a sweep goes on: one bar on a terminal, a quiet line a finished point elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from sim.city.plan import Blocks

if TYPE_CHECKING:
    from bench.sweep.grid import Sweep
    from bench.sweep.worker_pool import Job


class Progress:
    """Written to standard error. `done`: keys of jobs finished before."""

    def __init__(self, sweep: Sweep, done: Iterable[tuple[int, int, int]], console: Console | None = None) -> None:
        self._sweep = sweep
        self._console = console or Console(stderr=True, highlight=False)
        self._open = Counter[int]()
        for point in sweep.points:
            shards = len(Blocks.of(point.spec).tiles(sweep.plan(point, 0).shard_count()))
            self._open[point.number] = shards * len(sweep.spec.seeds)
        self.total = sum(self._open.values())
        self._open.subtract(Counter(point for point, _, _ in done))
        self._bars: Bars | None = None
        self._task: Any = None
        if self._console.is_terminal:
            self._bars = Bars(
                TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn(),
                TextColumn("{task.fields[state]}"), TimeElapsedColumn(), console=self._console, transient=True,
            )  # fmt: skip
            self._bars.start()
            self._task = self._bars.add_task(
                escape(sweep.path.stem), total=self.total, completed=self.total - self._open.total(), state=""
            )

    def saw(self, job: Job) -> None:
        """A job is finished."""
        self._open[job.point] -= 1
        point = self._sweep.points[job.point]
        if self._bars is not None:
            self._bars.update(self._task, advance=1, state=escape(f"{point.name}, seed {job.seed}"))
        elif not self._open[job.point]:
            self.say(f"point {job.point + 1} of {len(self._sweep.points)} is done: {point.name}")

    def say(self, text: str) -> None:
        self._console.print(escape(text), soft_wrap=True)

    def stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
