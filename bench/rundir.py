"""runs/<name>/<time>/: what a run leaves behind. run.json is the index, everything else is named in it."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

from sim.clock import wall_now

ROOT = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"


class RunDirectoryError(Exception):
    """A run directory cannot be made or found; the message names the way out."""


def make(name: str, base: Path | None = None) -> Path:
    """A new directory under runs/, and the `latest` link set to it. Raises RunDirectoryError."""
    runs = base or ROOT / "runs"
    folder = runs / re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-")
    stamp = wall_now().strftime("%Y-%m-%dT%H-%M-%S")
    try:
        for extra in ["", *(f"-{n}" for n in range(2, 100))]:
            directory = folder / (stamp + extra)
            try:
                directory.mkdir(parents=True)
                break
            except FileExistsError:
                continue
        link(folder / "latest", directory)
        link(runs / "latest", directory)
    except OSError as error:
        raise RunDirectoryError(
            f"cannot make a run directory in {runs}: {error.strerror}. Free some space or give another place with "
            "--runs DIR."
        ) from None
    return directory


def link(name: Path, target: Path) -> None:
    """Point `name` at `target`, atomically."""
    fresh = name.with_name(f".{name.name}-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(target, name.parent))
    os.replace(fresh, name)


def find(text: str, base: Path | None = None) -> Path:
    """The run directory a person means: a path, a name under runs/ (its latest run), or "latest"."""
    runs = base or ROOT / "runs"
    for candidate in (Path(text), runs / text, runs / text / "latest"):
        if (candidate / "run.json").exists():
            return candidate.resolve()
    raise RunDirectoryError(
        f"there is no run {text!r}: give a directory with a run.json, a name under {runs}, or latest"
    )


def write_json(path: Path, body: Any) -> None:
    """Whole or not at all: a reader never sees half a file."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(body, indent=1, default=str) + "\n", encoding="utf-8")
    os.replace(fresh, path)


def gather(
    directory: Path, *, name: str, title: str, command: str, started: datetime, interrupted: bool
) -> dict[str, Any]:
    """run.json from the scenario.json files that the scenarios left."""
    scenarios = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(directory.glob("*/scenario.json"))]
    scenarios.sort(key=lambda s: s["order"])
    outcomes = {s["outcome"] for s in scenarios}
    if interrupted:
        outcome = "interrupted"
    elif outcomes & {"failed", "error"}:
        outcome = "failed"
    elif "inconclusive" in outcomes or not outcomes - {"skipped"}:
        outcome = "inconclusive"
    else:
        outcome = "passed"
    endpoints = sorted({w["endpoint"] for s in scenarios for w in s["worlds"]})
    run = {
        "version": 1,
        "name": name,
        "title": title,
        "started": started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "duration_s": round((wall_now() - started).total_seconds(), 2),
        "command": command,
        "wmbench": VERSION,
        "commit": commit(),
        "python": platform.python_version(),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "endpoint": ", ".join(endpoints),
        "seed": scenarios[0]["seed"] if scenarios else 0,
        "outcome": outcome,
        "left_out": [f"{s['id']}: {s['message']}" for s in scenarios if s["outcome"] == "skipped"],
        "scenarios": scenarios,
    }
    write_json(directory / "run.json", run)
    return run


def commit() -> str:
    """The checkout's short commit, with + when files differ; "unknown" outside git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"
