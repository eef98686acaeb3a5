"""A fuzz run: workers side by side, their tallies added up, the table with rates, findings by name.

A worker is a process that goes with this one. If one dies (a crash in compiled code), that is a finding as well: the
same seed, targets and workers come to the same place.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from bench import run_directory
from bench.columns import in_columns
from bench.fuzz import broken_promises as findings
from bench.fuzz import campaign, corpus
from bench.fuzz.campaign import Tally
from bench.fuzz.target import TARGETS, TargetKind
from bench.run_errors import CannotRun
from sim.core.clock import wall_now, wall_s
from sim.core.parent import die_with_parent

KEPT_EXIT, BROKEN_EXIT = 0, 1
NIGHT_H: Final = 10.0
_HOURS: Final = 0.02


def run(
    *, hours: float | None, cases: int | None, seed: int, names: Sequence[str] | None, workers: int | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Returns the exit code: 1 when there are findings. Raises UnknownPart, RunDirectoryError, CannotRun."""
    kinds = [TARGETS.find(name) for name in dict.fromkeys(names)] if names else list(TARGETS.parts().values())
    out = run_directory.make("fuzz")
    run_directory.release(out)
    many = workers or os.cpu_count() or 1
    begun_s = wall_s()
    seconds_s = None if cases is not None else (hours or _HOURS) * 3_600
    share = None if cases is None else -(-cases // many)
    tally, died = _side_by_side(_Task([kind.id for kind in kinds], seed, out, seconds_s, share), many)
    wall_took_s = wall_s() - begun_s
    for worker, code in died.items():
        tally.found[f"worker {worker} died, exit code {code}"] = (
            "the same --seed, --target and --workers come to it again"
        )
    body = {
        "kind": "fuzz", "version": run_directory.VERSION, "commit": run_directory.commit(),
        "at": wall_now().isoformat(timespec="seconds"), "seed": seed, "workers": many, "took_s": round(wall_took_s, 1),
        **vars(tally),
    }  # fmt: skip
    run_directory.write_json(out / "fuzz.json", body)
    print(json.dumps(body, indent=1) if as_json else "\n".join(_lines(tally, kinds, wall_took_s, many, out)))
    return BROKEN_EXIT if tally.found else KEPT_EXIT


def replay(path: Path) -> int:
    """Play a finding again; 1 when it still breaks something. Raises CannotRun, UnknownPart."""
    with redirect_stdout(sys.stderr):
        what = findings.replay(path)
    print(f"{path}: {'alive, and genuine service kept' if what is None else 'still broken: ' + what}")
    return KEPT_EXIT if what is None else BROKEN_EXIT


def distil(text: str) -> int:
    """Put those of a run's new cases that reach something new into the project's corpus. Raises CannotRun."""
    run_folder = next(
        (p for p in (Path(text), run_directory.place() / "fuzz" / text) if (p / "fuzz.json").exists()), None
    )
    if run_folder is None:
        raise CannotRun(f"{text!r} is no fuzz run: a directory with a fuzz.json is expected")
    for kind in TARGETS.parts().values():
        new = [
            kept for path in sorted((run_folder / "corpus").glob(f"{kind.id}-*.jsonl"))
            for kept in corpus.load(path.stem, path.parent)
        ]  # fmt: skip
        if not new:
            continue
        with TemporaryDirectory(prefix="wmbench-fuzz-") as folder:
            target = kind.make(Path(folder))
            kept = corpus.distilled(kind, target, [*corpus.load(kind.id), *new])
            target.close()
        corpus.save(kind.id, kept)
        print(f"{kind.id}: {len(kept)} cases kept, of {len(new)} new ones and those before")
    return KEPT_EXIT


# --- processes -------------------------------------------------------------------------------------------------


class _Task(NamedTuple):
    """What each worker does: so many seconds of these targets, or so many cases."""

    names: list[str]
    seed: int
    out: Path
    seconds_s: float | None
    share: int | None


def _side_by_side(task: _Task, many: int) -> tuple[Tally, dict[int, int | None]]:
    """(what all did, exit codes of those that died)."""
    context = multiprocessing.get_context("spawn")
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is this process's to hear
    crew: dict[Connection, tuple[int, Any]] = {}
    try:
        for worker in range(many):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, task, worker, os.getpid()), daemon=True)
            process.start()
            theirs.close()
            crew[ours] = worker, process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    latest: dict[int, Tally] = {}
    died: dict[int, int | None] = {}
    try:
        while crew:
            for pipe in wait(list(crew)):
                assert isinstance(pipe, Connection)
                worker, process = crew[pipe]
                try:
                    latest[worker], done = pipe.recv()
                except (EOFError, OSError):
                    process.join()
                    died[worker] = process.exitcode
                    done = True
                if done:
                    del crew[pipe]
                    process.join()
                _progress(latest)
    except KeyboardInterrupt:
        print("\nwmbench: interrupted; what was played so far counts", file=sys.stderr)
    finally:
        for _, process in crew.values():
            process.kill()
            process.join()
    whole = Tally()
    for tally in latest.values():
        whole.add(tally)
    return whole, died


def _progress(latest: dict[int, Tally]) -> None:
    if sys.stderr.isatty():
        cases = sum(tally.cases for tally in latest.values())
        found = len({kind for tally in latest.values() for kind in tally.found})
        print(f"\r{cases} cases, {found} findings ", end="", file=sys.stderr, flush=True)


def _serve(pipe: Connection, task: _Task, worker: int, parent_pid: int) -> None:
    """What a worker does."""
    die_with_parent(parent_pid)
    end_s = wall_s() + (task.seconds_s or 0.0)

    def until(tally: Tally) -> bool:
        return tally.cases >= task.share if task.share is not None else wall_s() >= end_s

    kinds = [TARGETS.find(name) for name in task.names]
    with redirect_stdout(sys.stderr):
        tally = campaign.play(kinds, task.seed, worker, task.out, until, lambda so_far: pipe.send((so_far, False)))
    pipe.send((tally, True))


# --- words -----------------------------------------------------------------------------------------------------


def _lines(tally: Tally, kinds: Sequence[TargetKind], took_s: float, workers: int, out: Path) -> list[str]:
    cells = [("target", "by structure", "a core second", "guided", "a core second", "edges")]
    for kind in kinds:
        name = kind.id
        cells.append(
            (name, str(tally.drawn[name]), _rate(tally.drawn[name], tally.drawn_s[name]), str(tally.guided[name]),
             _rate(tally.guided[name], tally.guided_s[name]), str(tally.edges[name]))
        )  # fmt: skip
    lines = in_columns(cells, right=True)
    rates = tally.drawn.total() / took_s, tally.guided.total() / took_s
    night_s = NIGHT_H * 3_600
    lines.append(
        f"{rates[0]:.0f} cases/s by structure and {rates[1]:.0f}/s guided, {workers} workers on this machine as it is "
        f"now; in {NIGHT_H:.0f} hours {rates[0] * night_s:.1e} and {rates[1] * night_s:.1e}"
    )
    spent_s = tally.drawn_s.total() + tally.guided_s.total()
    if spent_s:
        each = [cases.total() / spent_s * night_s * workers for cases in (tally.drawn, tally.guided)]
        lines.append(f"with {workers} cores of its own: {each[0]:.1e} and {each[1]:.1e}, by processor time")
    for what, where in tally.found.items():
        again = f"./wmbench fuzz --replay {where}" if where.endswith(".json") else where
        lines.append(f"FOUND {what}\n  again: {again}")
    if not tally.found:
        lines.append("alive, and genuine service kept")
    lines.append(f"new cases: {out / 'corpus'}")
    return lines


def _rate(cases: float, seconds_s: float) -> str:
    return f"{cases / seconds_s:.0f}" if seconds_s else "-"
