"""`./wmbench --help`: the verbs by what people come to do. A verb's one line is that of its own parser."""

from __future__ import annotations

import argparse
import textwrap
from typing import Final

TASKS: Final = {
    "Test a product (QA)": (
        "run",
        "init",
        "pytest",
        "list",
        "show",
        "report",
        "replay",
        "gateway",
        "receiver",
        "frame",
        "aws",
        "smgw",
    ),
    "Review its security": ("threats", "compare", "defences", "attack", "pack", "fuzz", "keys"),
    "Plan its capacity": ("site", "size", "load", "cost", "city", "sweep", "bench"),
    "This installation": ("setup", "doctor", "test"),
}
_WIDTH: Final = 100
_COLUMN: Final = 12


def text(parser: argparse.ArgumentParser, lines: dict[str, str]) -> str:
    """The help of the command line. `lines`: verb -> what it is for; one that no task names stands at the end."""
    named = [verb for verbs in TASKS.values() for verb in verbs]
    tasks = {**TASKS, "More": tuple(verb for verb in lines if verb not in named)}
    out = [f"usage: {parser.prog} COMMAND ...", "", str(parser.description)]
    for task, verbs in tasks.items():
        if verbs:
            out += ["", f"{task}:", *(_row(verb, lines[verb]) for verb in verbs if verb in lines)]
    out += [
        "",
        "./wmbench COMMAND --help: its options. docs/tutorial.md begins at the beginning, docs/how-to/ has a page",
    ]
    out += ["a task, docs/reference/ says what each file, column and exit code means.", ""]
    return "\n".join(out)


def _row(verb: str, what: str) -> str:
    indent = " " * _COLUMN
    return textwrap.fill(what, _WIDTH, initial_indent=f"  {verb:<{_COLUMN - 2}}", subsequent_indent=indent)
