"""`./wmbench sweep FILE`: many worlds, one table. Each point, seed and shard is one job, done by processes here or on a
dask.distributed cluster; what comes out is the same either way.

A run directory holds the request (run.json), each finished shard (points.jsonl), the result (sweep.json) and the page
(report.html). `--resume RUN` does what is missing of it. Exit code 1: an expectation does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import run_directory, worlds
from bench.exit_codes import FAILED_EXIT
from bench.options import Commands, add_runs, processes, seed
from bench.run_errors import CannotRun
from sim.core import own

if TYPE_CHECKING:
    from bench.sweep.grid import Sweep
    from bench.sweep.worker_pool import Done, Job



def add(commands: Commands) -> None:
    """`sweep` on the command line."""
    sweep = commands.add_parser("sweep")
    sweep.add_argument("file", nargs="?", metavar="FILE", help="a name (list sweeps), or a TOML file")
    sweep.add_argument("--resume", metavar="RUN", help="do what is missing of a sweep that was cut short")
    hands = sweep.add_mutually_exclusive_group()
    hands.add_argument("--workers", type=processes, metavar="N", help="processes (as many as there are cores)")
    hands.add_argument("--scheduler", metavar="ADDRESS", help="of a dask.distributed cluster, as tcp://HOST:8786")
    sweep.add_argument("--seeds", type=seed, nargs="+", default=[], metavar="SEED", help="instead of the file's")
    sweep.add_argument("--json", action="store_true", help="print sweep.json when done")
    sweep.add_argument("--no-report", action="store_true", help="leave out report.html")
    add_runs(sweep)
    sweep.set_defaults(command=command)



def command(arguments: argparse.Namespace) -> int:
    """Raises SpecError, CannotRun, RunDirectoryError, OSError."""
    from bench.sweep import grid

    if bool(arguments.file) == bool(arguments.resume):
        raise CannotRun("give a sweep's file, or --resume RUN, and not both: ./wmbench sweep density")
    if arguments.resume:
        directory, sweep = taken_up(arguments.resume, arguments.seeds)
        request = run_directory.read(directory)
    else:
        sweep = grid.read(grid.find(arguments.file), tuple(arguments.seeds))
        directory = run_directory.make(f"sweep-{sweep.path.stem}")
        request = requested(sweep)
        run_directory.write_json(directory / "run.json", request)
    hands = arguments.workers or len(os.sched_getaffinity(0))
    body = carried_out(sweep, directory, request, hands, arguments.scheduler)
    if not arguments.no_report:
        from reports import sweep_page

        sweep_page.write(directory)
    if arguments.json:
        print(json.dumps(body, indent=1))
    else:
        from bench.sweep import grid_text

        print("\n".join(grid_text.lines(body)))
        print(f"{'report' if not arguments.no_report else 'result'}: "
              f"{_shown(directory / ('sweep.json' if arguments.no_report else 'report.html'))}")  # fmt: skip
    return FAILED_EXIT if body["failed"] else 0


def requested(sweep: Sweep) -> dict[str, Any]:
    """run.json before anything has run: a run that is killed has it too."""
    seeds = list(sweep.spec.seeds)
    words = ["./wmbench", "sweep", _named(sweep.path), "--seeds", *map(str, seeds)]
    return {
        "version": 1, "kind": "sweep", "name": f"sweep-{sweep.path.stem}", "title": sweep.spec.title,
        "command": shlex.join(words), **run_directory.made_by(), "seed": seeds[0], "outcome": "interrupted",
        "left_out": [], "scenarios": [],
        "request": {
            "file": str(sweep.path.resolve()), "seeds": seeds, "hours": sweep.spec.hours, "depth": sweep.spec.depth,
            "outages": [sweep.spec.outages, sweep.spec.outage_s],
            "shards": [sweep.plan(point, seeds[0]).shard_count() for point in sweep.points],
            "worlds": [point.spec.digest for point in sweep.points],
        },
    }  # fmt: skip


def taken_up(name: str, seeds: list[int]) -> tuple[Path, Sweep]:
    """A run directory and its sweep, read again. Raises RunDirectoryError when it is not what it was."""
    from bench.sweep import grid

    directory = run_directory.find(name)
    old = run_directory.read(directory)
    if old.get("kind") != "sweep":
        raise run_directory.RunDirectoryError(f"{directory} is no sweep: its run.json says nothing of one")
    if run_directory.at_work(directory):
        raise run_directory.RunDirectoryError(f"{directory}: a sweep is at work in it; wait for it or end it")
    if seeds:
        raise run_directory.RunDirectoryError(f"--resume goes on with the seeds of {directory}; leave out --seeds")
    sweep = grid.read(Path(old["request"]["file"]), tuple(old["request"]["seeds"]))
    new = requested(sweep)["request"]
    changed = [key for key in new if new[key] != old["request"][key]]
    if changed:
        raise run_directory.RunDirectoryError(
            f"{directory}: {sweep.path} or its world has changed since ({', '.join(changed)}); results of two "
            "different sweeps do not belong together: start it anew"
        )
    run_directory.hold(directory)
    return directory, sweep


def carried_out(
    sweep: Sweep, directory: Path, request: dict[str, Any], hands: int, scheduler: str | None
) -> dict[str, Any]:
    """Do what is missing, write sweep.json and run.json; returns the former. What ends it early leaves both the
    finished shards and run.json, which says so."""
    from bench.sweep import grid_result, point_log
    from bench.sweep.grid_progress import Progress
    from sim.core.clock import wall_s

    begun_s = wall_s()
    done = point_log.read(directory)
    log = point_log.Log(directory)
    missing = [job for job in jobs(sweep) if job.key not in done]
    progress = Progress(sweep, done)
    try:
        with closing(_doing(missing, hands, scheduler)) as finished:
            for job, result in finished:
                log.add(job, result)
                done[job.key] = result
                progress.saw(job)
    except BaseException as error:
        progress.stop()
        outcome = "interrupted" if isinstance(error, KeyboardInterrupt) else "error"
        if not done:  # nothing to go on with
            for name in (point_log.NAME, "run.json"):
                (directory / name).unlink(missing_ok=True)
            run_directory.unmake(directory)
            raise
        _settle(directory, request, outcome, wall_s() - begun_s)
        progress.say(f"{len(done)} of {progress.total} jobs are kept; go on with "
                     f"./wmbench sweep --resume {_shown(directory)}")  # fmt: skip
        raise
    progress.stop()
    body = grid_result.as_json(sweep, grid_result.results(sweep, done))
    run_directory.write_json(directory / "sweep.json", body, reserve=directory)
    _settle(directory, request, "failed" if body["failed"] else "passed", wall_s() - begun_s)
    return body


def jobs(sweep: Sweep) -> list[Job]:
    """Every shard of every point with every seed, in order."""
    from bench.sweep.worker_pool import Job
    from sim.city.plan import Blocks

    out = []
    for point in sweep.points:
        for one in sweep.spec.seeds:
            plan = sweep.plan(point, one)
            tiles = Blocks.of(point.spec).tiles(plan.shard_count())
            out += [Job(point.number, one, number, plan, tile) for number, tile in enumerate(tiles)]
    return out


def _doing(missing: list[Job], hands: int, scheduler: str | None) -> Generator[Done, None, None]:
    from bench.sweep import worker_pool

    if scheduler is None:
        return worker_pool.here(missing, hands)
    from bench.sweep.scheduler import on

    return on(scheduler, missing)


def _settle(directory: Path, request: dict[str, Any], outcome: str, took_s: float) -> None:
    """run.json at the end. `duration_s` adds up over resumed runs."""
    run_directory.release(directory)
    body = {**request, "outcome": outcome, "duration_s": round(request["duration_s"] + took_s, 2)}
    run_directory.write_json(directory / "run.json", body)


def _named(path: Path) -> str:
    """A shipped sweep by its name, another by its path."""
    return path.stem if path.resolve() in worlds.known(own.SWEEPS).values() else str(path)


def _shown(path: Path) -> str:
    from bench.cli.runner import shown

    return shown(path)
