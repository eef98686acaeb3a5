"""runs/<name>/<time>/: what a run leaves behind. run.json is the index, everything else is named in it.

A run that fills the disk must still be able to say so: each run directory holds a reserve of some space, which is given
back when a file that matters cannot be written otherwise.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sim.core import own, whole_file
from sim.core.clock import wall_now
from sim.core.quoting import quoted

ROOT = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"
PLACE = "WMBENCH_RUNS"  # in the environment, so that workers write to the same place
RESERVE = ".reserve"
RESERVE_BYTES = 400_000
RUN, CARD, COMPARISON = "run.json", "card.json", "compare.json"
_HELD: dict[Path, int] = {}


class RunDirectoryError(Exception):
    """A run directory cannot be made or found; the message names the way out."""


def place() -> Path:
    """Where runs are kept: --runs DIR, else $WMBENCH_RUNS, else runs/ in the user's own repository or the checkout."""
    return Path(os.environ.get(PLACE) or (own.root() or ROOT) / "runs").absolute()


def folder_name(name: str) -> str:
    """`name` with only letters, digits, `_`, `.` and `-`, at most 100 of them."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:100] or "run"


def make(name: str, base: Path | None = None) -> Path:
    """A new directory under runs/, and the `latest` links set to it. Raises RunDirectoryError."""
    runs = base or place()
    folder = runs / folder_name(name)
    stamp = wall_now().strftime("%Y-%m-%dT%H-%M-%S")
    directory = folder / stamp
    try:
        for extra in ["", *(f"-{n}" for n in range(2, 100))]:
            directory = folder / (stamp + extra)
            try:
                directory.mkdir(parents=True)
                break
            except FileExistsError:
                if not folder.is_dir():
                    raise
                continue
        (directory / RESERVE).write_bytes(b"\0" * RESERVE_BYTES)
        hold(directory)
        link(folder / "latest", directory)
        link(runs / "latest", directory)
    except OSError as error:
        unmake(directory)
        raise RunDirectoryError(
            f"cannot make a run directory in {runs}: {error.strerror}. Free some space, make the place yours, or give "
            "another one with --runs DIR"
        ) from None
    return directory


def unmake(directory: Path) -> None:
    """Take away the directory of a run that came to nothing, so that `latest` does not lead to it."""
    release(directory)
    with contextlib.suppress(OSError):
        directory.rmdir()  # fails when there is something in it, and then it stays
        for latest in (directory.parent / "latest", directory.parent.parent / "latest"):
            if latest.is_symlink() and not latest.exists():
                latest.unlink()
                _link_newest(latest)
        directory.parent.rmdir()


def _link_newest(latest: Path) -> None:
    runs = [p.parent for pattern in ("*/run.json", "*/*/run.json") for p in latest.parent.glob(pattern)]
    real = [run for run in runs if not run.is_symlink()]
    if real:
        link(latest, max(real, key=lambda run: run.name))


def link(name: Path, target: Path) -> None:
    """Point `name` at `target`, atomically."""
    fresh = name.with_name(f".{name.name}-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(target, name.parent))
    os.replace(fresh, name)


def find(text: str, base: Path | None = None) -> Path:
    """The run directory a person means: a path, a name under runs/ (its latest run, card or comparison), or "latest".
    Also one that was killed before its run.json, when a scenario was finished. Raises RunDirectoryError."""
    runs, unfinished = base or place(), None
    for candidate in (Path(text), runs / text, runs / text / "latest", runs / folder_name(text) / "latest"):
        try:
            whole = any((candidate / name).exists() for name in (RUN, CARD, COMPARISON))
            there = whole or any(candidate.glob("*/scenario.json"))
        except (OSError, ValueError):  # too long for a name, or with a zero byte in it
            continue
        if there:
            return candidate.resolve()
        if at_work(candidate):
            raise RunDirectoryError(f"{candidate.resolve()} is still running, and nothing of it is finished")
        if candidate.is_dir() and candidate.resolve() != runs.resolve():
            unfinished = candidate.resolve()
    if unfinished is not None:
        raise RunDirectoryError(
            f"{unfinished} is there, and no scenario in it was finished: start that run again, or give another"
        )
    raise RunDirectoryError(
        f"there is no run {quoted(text)}: give a directory with a run.json, a name under {runs}, or latest"
    )


def newest_first() -> list[Path]:
    """Every run directory with a run.json, the newest first. Partial runs are among them, under names of their own or
    not: which verdict is the newest is for who reads them to say."""
    found = {path.parent for path in place().glob("*/*/run.json") if not path.parent.is_symlink()}
    return sorted(found, key=lambda directory: directory.name, reverse=True)


def read(directory: Path) -> dict[str, Any]:
    """Its run.json. Raises RunDirectoryError."""
    path = directory / "run.json"
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if at_work(directory):
            raise RunDirectoryError(f"{directory} is still running: it is complete when that has ended") from None
        raise RunDirectoryError(
            f"{directory} has no run.json: the run was killed. ./wmbench report {directory} gathers what was finished"
        ) from None
    except OSError as error:
        raise RunDirectoryError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise RunDirectoryError(f"{path} is damaged ({error}); run it again") from None
    if not isinstance(body, dict) or not isinstance(body.get("scenarios"), list):
        raise RunDirectoryError(f"{path} holds no run")
    return body


def release(directory: Path) -> None:
    """Give the reserve back; no process works in it any longer."""
    if directory in _HELD:
        os.close(_HELD.pop(directory))
    with contextlib.suppress(OSError):
        (directory / RESERVE).unlink(missing_ok=True)


def hold(directory: Path) -> None:
    """This process is at work in it, until `release` or its end, whatever ends it."""
    with contextlib.suppress(OSError):  # a file system without locks: then it cannot be known
        if directory not in _HELD:
            _HELD[directory] = os.open(directory, os.O_RDONLY)
        fcntl.flock(_HELD[directory], fcntl.LOCK_EX | fcntl.LOCK_NB)


def at_work(directory: Path) -> bool:
    """Whether a process holds it."""
    try:
        seen = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(seen, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(seen)
    return False


def write_json(path: Path, body: object, *, reserve: Path | None = None) -> None:
    """Whole or not at all: a reader never sees half a file. `reserve`: the run directory whose reserve may be used
    when the disk is full. Raises OSError."""
    try:
        _write(path, body)
    except OSError:
        if reserve is None:
            raise
        release(reserve)
        _write(path, body)


def _write(path: Path, body: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_file.write(path, json.dumps(body, indent=1, default=str) + "\n")


def gather(
    directory: Path, *, name: str, title: str, command: str, started: datetime, interrupted: bool, failures: int = 0,
    changed: Sequence[str] = (), firmware: str = "",
) -> dict[str, Any]:  # fmt: skip
    """run.json from the scenario.json files that the scenarios left. `failures`: how many pytest counted; more than
    there are files for means that one could not even write its file. `changed`: what the command line set in every
    world, as KEY=VALUE. `firmware`: of what is under test. Raises OSError."""
    from bench.versions import versions

    release(directory)
    scenarios = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(directory.glob("*/scenario.json"))]
    scenarios.sort(key=lambda s: s["order"])
    outcomes = {s["outcome"] for s in scenarios}
    bad = sum(s["outcome"] not in ("passed", "skipped") for s in scenarios)
    if interrupted or "interrupted" in outcomes:
        outcome = "interrupted"
    elif outcomes & {"failed", "error"} or failures > bad:
        outcome = "failed"
    elif "inconclusive" in outcomes or not outcomes - {"skipped"}:
        outcome = "inconclusive"
    else:
        outcome = "passed"
    endpoints, engines = (sorted({w[of] for s in scenarios for w in s["worlds"] if of in w})
                          for of in ("endpoint", "engine"))  # fmt: skip
    run = {
        "version": 1,
        "name": name,
        "title": title,
        "command": command,
        **made_by(started),
        "versions": versions(endpoints),
        "changed": list(changed),
        "firmware": firmware,
        "endpoint": ", ".join(endpoints),
        "engine": ", ".join(engines),
        "seed": scenarios[0]["seed"] if scenarios else 0,
        "outcome": outcome,
        "left_out": [f"{s['id']}: {s['message']}" for s in scenarios if s["outcome"] == "skipped"],
        "scenarios": scenarios,
    }
    write_json(directory / "run.json", run)
    return run


def made_by(started: datetime | None = None) -> dict[str, Any]:
    """When, by which wmbench, on what machine: part of every run.json. `duration_s` until now."""
    now = wall_now()
    started = started or now
    repository = own.root()
    return {
        "started": started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "duration_s": round((now - started).total_seconds(), 2),
        "wmbench": VERSION,
        "commit": commit(),
        "own_commit": commit(repository) if repository is not None else "",
        "python": platform.python_version(),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release()}",
    }


def gather_killed(directory: Path) -> dict[str, Any]:
    """run.json of a run that was killed, from the scenarios it had finished. Raises OSError, and RunDirectoryError for
    one that is still at it."""
    if at_work(directory):
        raise RunDirectoryError(f"{directory} is still running: its report comes when that has ended")
    started = datetime.fromtimestamp(directory.stat().st_ctime, UTC)
    name = directory.parent.name
    return gather(directory, name=name, title=f"{name}, killed", command="", started=started, interrupted=True)


def commit(folder: Path = ROOT) -> str:
    """The short commit of the checkout in which a folder lies, with + when files differ; "unknown" outside git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty=+"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"
