"""`fuzz` on the command line: how long, which targets, one finding again, a run's cases into the project's corpus."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.options import Commands, Once, above_zero, add_runs, count, seed, workers


def add(commands: Commands) -> None:
    """Hang `fuzz` into the command line."""
    one = commands.add_parser("fuzz")
    length = one.add_mutually_exclusive_group()
    length.add_argument("--hours", type=above_zero(1_000), metavar="N",
                        help="so long (0.02 without --cases: a minute and a bit)")  # fmt: skip
    length.add_argument("--cases", type=count(1, 10**12), metavar="N", help="so many, the same ones each time")
    length.add_argument("--replay", type=Path, metavar="FILE", help="play a saved finding again")
    length.add_argument("--distil", metavar="RUN", help="of a fuzz run's new cases, those that add to the corpus")
    one.add_argument("--seed", type=seed, action=Once, default=1)
    one.add_argument(
        "--target", action="append", metavar="NAME", help="only this one; may be given again (default: all)"
    )
    one.add_argument("-n", "--workers", type=workers, metavar="N", help="processes side by side (default: one a core)")
    one.add_argument("--json", action="store_true")
    add_runs(one)
    one.set_defaults(command=_fuzz)


def _fuzz(arguments: argparse.Namespace) -> int:
    from bench.fuzz import fuzz_run  # imported when asked for: `list` need not wait for portal and compiler

    if arguments.replay is not None:
        return fuzz_run.replay(arguments.replay)
    if arguments.distil is not None:
        return fuzz_run.distil(arguments.distil)
    return fuzz_run.run(
        hours=arguments.hours, cases=arguments.cases, seed=arguments.seed, names=arguments.target,
        workers=arguments.workers, as_json=arguments.json,
    )  # fmt: skip
