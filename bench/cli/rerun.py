"""Run a run again with the same seeds and compare histories by digest. Equal digests: the same world, bit for bit.

With another engine than the run's own, equal digests say that both engines have made the same world."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

from bench import run_directory
from bench.cli import runner
from bench.cli.play import ID_PREFIX as PLAYED
from bench.cli.play import play_again
from bench.exit_codes import INTERRUPTED_EXIT
from bench.options import Options

UNFINISHED = ("interrupted", "error", "skipped")


def replay(name: str, *, as_json: bool, engine: str | None = None) -> int:
    """With the run's own engine or another. 0 when every world's digest is the same, 1 when one differs, 130 when
    interrupted. Raises RunDirectoryError."""
    old_directory = run_directory.find(name)
    old = run_directory.read(old_directory)
    finished = [s for s in old["scenarios"] if s["worlds"] and s["outcome"] not in UNFINISHED]
    if not finished:
        raise run_directory.RunDirectoryError(
            f"{old_directory}: no scenario of this run was finished; there is nothing to compare"
        )
    new: list[dict[str, Any]] = []
    for one in (s for s in finished if s["id"].startswith(PLAYED)):
        new += run_directory.read(play_again(one["replay"], engine))["scenarios"]
    for seed in sorted({s["seed"] for s in finished if not s["id"].startswith(PLAYED)}):
        ran = runner.run(_choice(old, [s for s in finished if s["seed"] == seed], seed, engine))
        if ran.code == INTERRUPTED_EXIT or ran.directory is None:
            return ran.code
        new += run_directory.read(ran.directory)["scenarios"]
    rows = compare(finished, new)
    different = [row for row in rows if row["old"] != row["new"]]
    if as_json:
        print(json.dumps({"run": str(old_directory), "same": not different, "worlds": rows}, indent=1))
    else:
        for row in rows:
            same = "same" if row["old"] == row["new"] else f"DIFFERENT: {row['new']}"
            print(f"{row['old']}  {same}  {row['scenario']} (seed {row['seed']}, defences {row['defences']})")
        if different and old["commit"] != run_directory.commit():
            print(
                f"the run was made by commit {old['commit']}, this is {run_directory.commit()}: "
                "a difference may be the code's"
            )
    return 1 if different else 0


def _choice(old: dict[str, Any], scenarios: list[dict[str, Any]], seed: int, engine: str | None) -> runner.Choice:
    options = options_of(scenarios[0]["replay"])
    return runner.Choice(
        entries=runner.select([s["id"] for s in scenarios]),
        name=f"replay-{old['name']}",
        title=f"Replay of {old['name']}, seed {seed}",
        command=runner.command_line(),
        options=replace(options, engine=engine or options.engine),
        seeds=(seed,),
    )


def options_of(command: str) -> Options:
    """--endpoint, --set and --engine of the command that a scenario says reproduces it."""
    words = shlex.split(command)
    endpoint, engine = (words[words.index(one) + 1] if one in words else None for one in ("--endpoint", "--engine"))
    return Options(endpoint, tuple(words[i + 1] for i, word in enumerate(words) if word == "--set"), engine)


def compare(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Digests side by side, one row a world; a world that was not run again has None."""
    fresh = {(s["id"], s["seed"], w["variant"]): w["digest"] for s in new for w in s["worlds"]}
    return [
        {
            "scenario": s["id"],
            "seed": s["seed"],
            "defences": w["variant"],
            "old": w["digest"],
            "new": fresh.get((s["id"], s["seed"], w["variant"])),
        }
        for s in old
        for w in s["worlds"]
    ]
