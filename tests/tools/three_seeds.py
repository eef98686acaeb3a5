"""Every scenario over three seeds, held against the threat list: each scenario passes, each threat has a verdict, each
verdict that is unlike the hypothesis a reason, each part of the talk's claims a figure from the files that it names.

    python -m tests.tools.three_seeds          makes the run first: `./wmbench test night`
    python -m tests.tools.three_seeds RUN      a directory with run.json

What is not so is said in a line each, exit code 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bench.cli.catalogue import scenario_entries
from reports import claims, coverage

ROOT: Final = Path(__file__).resolve().parents[2]
SEEDS: Final = (1, 2, 3)


def complaints(run: Mapping[str, Any], declared: Mapping[str, list[str]]) -> Iterator[str]:
    """`declared`: scenario -> its threats."""
    yield from _outcomes(run["scenarios"])
    known = [one for one in run["scenarios"] if one["id"] in declared]
    body = {**run, "scenarios": known}
    for row in coverage.threat_matrix([body], declared=declared):
        if not row.verdicts and not {"passed", "failed"} & set(row.outcomes.values()):
            yield f"{row.id}: {row.status}"
        if row.unlike and not row.differs:
            yield f"{row.id}: {row.beside_hypothesis}; say it under differs in threats.toml"
        if row.differs and row.verdicts and not row.unlike:
            yield f"{row.id}: threats.toml says why runs differ from its hypothesis, and they do not"
    yield from _parts(claims.judge(claims.newest([body], declared)))


def _outcomes(scenarios: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What did not pass; what was left out is no failure and is listed in the run."""
    for one in scenarios:
        if one["outcome"] not in ("passed", "skipped"):
            said = (str(one.get("message", "")).splitlines() or [""])[0]
            yield f"{one['id']}, seed {one['seed']}: {one['outcome']}: {said}"


def _parts(told: Iterable[claims.Told]) -> Iterator[str]:
    for one in told:
        for text in one.missing:
            yield f"claim {one.stated.title!r}: {text}"
        for figure in one.figures:
            if figure.open == claims.NO_NUMBER:
                yield f"claim {one.stated.title!r}, {figure.part}: {figure.what}, of which no figure speaks: variants"
        for part in one.stated.parts:
            made = {figure.scenario.partition("::")[0] for figure in one.figures if figure.part == part.says}
            if made and made != set(part.made_by):
                figures = f"its figures are of {', '.join(sorted(made))}; made_by has others"
                yield f"claim {one.stated.title!r}, {part.says}: {figures}"


def made(folder: Path) -> Path:
    """The run of all scenarios, below this folder. Raises SystemExit where there is none."""
    command = [sys.executable, "-m", "bench", "run", "all", "--runs", str(folder)]
    for seed in SEEDS:
        command += ["--seed", str(seed)]
    code = subprocess.call(command, cwd=ROOT)
    run = folder / "latest"
    if not (run / "run.json").exists():
        raise SystemExit(f"three_seeds: {' '.join(command)} left no run, exit code {code}")
    return run


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.three_seeds")
    parser.add_argument("run", nargs="?", type=Path)
    directory = parser.parse_args(words).run
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = json.loads(((directory or made(Path(folder))) / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SystemExit(f"three_seeds: {directory}: {error}; name a directory with run.json") from None
    declared = {entry["id"]: entry["threats"] for entry in scenario_entries(ROOT / "scenarios")}
    found = list(complaints(run, declared))
    print("\n".join(found) or "every scenario passes, and the threat list says what was found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
