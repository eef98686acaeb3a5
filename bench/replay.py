"""Run a run again with the same seeds and compare histories by digest. Equal digests: the same world, bit for bit."""

from __future__ import annotations

import argparse
import json
from typing import Any

from bench import rundir
from bench.scenario import SCENARIOS


def replay(name: str, *, as_json: bool) -> int:
    """0 when every world's digest is the same, 1 when one differs; raises RunDirectoryError."""
    from bench.cli import run_pytest

    old_directory = rundir.find(name)
    old = json.loads((old_directory / "run.json").read_text(encoding="utf-8"))
    finished = [s for s in old["scenarios"] if s["worlds"]]
    if not finished:
        raise rundir.RunDirectoryError(
            f"{old_directory}: no scenario of this run was finished; there is nothing to compare"
        )
    new: list[dict[str, Any]] = []
    for seed in sorted({s["seed"] for s in finished}):
        options = options_of(finished[0]["replay"])
        arguments = argparse.Namespace(seed=seed, k=None, workers=None, json=False, **options)
        paths = [str(SCENARIOS / s["id"]) for s in finished if s["seed"] == seed]
        run_pytest(arguments, paths, name=f"replay-{old['name']}", title=f"Replay of {old['name']}, seed {seed}")
        new += json.loads((rundir.find(f"replay-{old['name']}") / "run.json").read_text(encoding="utf-8"))["scenarios"]
    rows = compare(finished, new)
    different = [row for row in rows if row["old"] != row["new"]]
    if as_json:
        print(json.dumps({"run": str(old_directory), "same": not different, "worlds": rows}, indent=1))
    else:
        for row in rows:
            same = "same" if row["old"] == row["new"] else f"DIFFERENT: {row['new']}"
            print(f"{row['old']}  {same}  {row['scenario']} (seed {row['seed']}, defences {row['defences']})")
        if different and old["commit"] != rundir.commit():
            print(
                f"the run was made by commit {old['commit']}, this is {rundir.commit()}: a difference may be the code's"
            )
    return 1 if different else 0


def options_of(command: str) -> dict[str, Any]:
    """--endpoint and --set of the command that a scenario says reproduces it."""
    words = command.split()
    endpoint = words[words.index("--endpoint") + 1] if "--endpoint" in words else None
    settings = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
    return {"endpoint": endpoint, "set": settings}


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
