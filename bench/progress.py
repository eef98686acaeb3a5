"""What a person sees while a run goes on: a bar on a terminal, a quiet line a scenario elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from sim.core.clock import NS_PER_HOUR

if TYPE_CHECKING:
    from sim.world import World

_MARKS = {"passed": "[green]passed", "failed": "[red]FAILED", "error": "[red]ERROR", "skipped": "[yellow]left out",
          "inconclusive": "[yellow]INCONCLUSIVE", "interrupted": "[yellow]interrupted"}  # fmt: skip


class Progress:
    """Written to standard error, so that --json on standard output stays clean."""

    def __init__(self, *, enabled: bool, bars: bool = True, console: Console | None = None) -> None:
        self.enabled = enabled
        self._may_draw = bars
        self.console = console or Console(stderr=True, highlight=False)
        self._bars: Bars | None = None
        self._task: Any = None
        self._title = ""

    def scenario(self, title: str) -> None:
        self._title = title

    def world(self, label: str, meters: int) -> Callable[[World, int, int], None] | None:
        """A callback (world, now_ns, end_ns) for each window; None when nobody looks."""
        if not self.enabled or not self._may_draw or not self.console.is_terminal:
            return None
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._bars.start()
        self._task = self._bars.add_task(f"{_short(self._title)}, {label}", total=1.0, state=f"{meters} meters")

        def on_window(world: World, now_ns: int, end_ns: int) -> None:
            if self._bars is not None:
                state = f"{now_ns / NS_PER_HOUR:.1f} h, {world.frames_sent} sent"
                self._bars.update(self._task, completed=now_ns / max(end_ns, 1), state=state)

        return on_window

    def world_done(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def done(self, outcome: str, duration_s: float) -> None:
        if self.enabled:
            self.world_done()
            self.console.print(f"{_MARKS[outcome]:<14}[/] {escape(self._title)} [dim]({duration_s:.1f} s)")


def _short(title: str, limit: int = 24) -> str:
    """A title that leaves room for its bar on a terminal of 80 columns."""
    return title if len(title) <= limit else title[: limit - 1].rstrip() + "…"
