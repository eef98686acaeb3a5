"""What a person sees while a run goes on: a bar on a terminal, a quiet line a scenario elsewhere.

With workers on a terminal each has a bar. A worker draws nothing: it writes how far its world is to a small file in the
run directory (`Beat`), which the controller reads several times a second (`Watch`).
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.core.clock import NS_PER_HOUR

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars

    from sim.world import World

_MARKS = {"passed": "[green]passed", "failed": "[red]FAILED", "error": "[red]ERROR", "skipped": "[yellow]left out",
          "inconclusive": "[yellow]INCONCLUSIVE", "interrupted": "[yellow]interrupted"}  # fmt: skip

ENDED = "wmbench ended"  # property of a worker's report: the line that is the controller's to print


class Progress:
    """Written to standard error, so that --json on standard output stays clean."""

    def __init__(self, *, enabled: bool, bars: bool = True, console: Console | None = None) -> None:
        self.enabled = enabled
        self._may_draw = bars
        self._console = console
        self._bars: Bars | None = None
        self._task: Any = None
        self._title = ""

    @property
    def console(self) -> Console:
        """Where it is written."""
        if self._console is None:
            from rich.console import Console  # a worker with a beat writes nothing

            self._console = Console(stderr=True, highlight=False)
        return self._console

    def scenario(self, title: str) -> None:
        """A scenario begins."""
        self._title = title

    def world(self, label: str, meters: int) -> Callable[[World, int, int], None] | None:
        """A callback (world, now_ns, end_ns) for each window; None without a terminal or log."""
        if not self.enabled or not self._may_draw or not self.console.is_terminal:
            return None
        self._bars = _bars(self.console)
        self._bars.start()
        self._task = self._bars.add_task(f"{_short(self._title)}, {label}", total=1.0, state=f"{meters} meters")

        def on_window(world: World, now_ns: int, end_ns: int) -> None:
            if self._bars is not None:
                self._bars.update(self._task, completed=now_ns / max(end_ns, 1), state=_state(world, now_ns))

        return on_window

    def world_done(self) -> None:
        """Remove the bar of the world that has ended."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def done(self, outcome: str, duration_s: float) -> None:
        """Print the scenario's outcome and its duration in seconds."""
        if self.enabled:
            from rich.markup import escape

            self.world_done()
            self.console.print(f"{_MARKS[outcome]:<14}[/] {escape(self._title)} [dim]({duration_s:.1f} s)")


class Beat:
    """A worker's side of Progress: `path` shows the controller how far the world is, `ended` (title, outcome, seconds)
    what line to print."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._title = ""
        self.ended: tuple[str, str, float] | None = None

    def scenario(self, title: str) -> None:
        self._title, self.ended = title, None

    def world(self, label: str, meters: int) -> Callable[[World, int, int], None]:
        self._write(label, 0.0, f"{meters} meters")
        return lambda world, now_ns, end_ns: self._write(label, now_ns / max(end_ns, 1), _state(world, now_ns))

    def _write(self, label: str, part: float, state: str) -> None:
        with contextlib.suppress(OSError):  # a full disk is reported by what matters
            self._path.write_text(json.dumps([f"{_short(self._title)}, {label}", part, state]), encoding="utf-8")

    def world_done(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def done(self, outcome: str, duration_s: float) -> None:
        self.world_done()
        self.ended = self._title, outcome, duration_s


class Watch:
    """The controller's side: a bar for each beat in `directory`, until `close`."""

    PATTERN = ".progress-{worker}"
    EVERY_S = 0.2

    def __init__(self, directory: Path, console: Console) -> None:
        self._directory = directory
        self._bars = _bars(console)
        self._tasks: dict[str, Any] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._bars.start()
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(self.EVERY_S):
            self._look()

    def _look(self) -> None:
        found = {path.name: path for path in self._directory.glob(self.PATTERN.format(worker="*"))}
        for name in self._tasks.keys() - found.keys():
            self._bars.remove_task(self._tasks.pop(name))
        for name, path in sorted(found.items()):
            try:
                title, part, state = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):  # it is being written
                continue
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(title, total=1.0, state=state)
            self._bars.update(self._tasks[name], description=title, completed=part, state=state)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._bars.stop()
        for path in self._directory.glob(self.PATTERN.format(worker="*")):  # of a worker that died
            path.unlink(missing_ok=True)


def _bars(console: Console) -> Bars:
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    return Bars(
        TextColumn("{task.description}"),
        BarColumn(bar_width=14),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _state(world: World, now_ns: int) -> str:
    return f"{now_ns / NS_PER_HOUR:.1f} h, {world.frames_sent} sent"


def _short(title: str, limit: int = 24) -> str:
    """A title that leaves room for its bar on a terminal of 80 columns."""
    return title if len(title) <= limit else title[: limit - 1].rstrip() + "…"
