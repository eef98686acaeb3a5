"""The verbs: what each is for, in which module its parser is, and, for `./wmbench --help`, by what people come to do.

A verb's module is imported when the verb is given, so that neither the help nor another command waits for it.
"""

from __future__ import annotations

import argparse
import textwrap
from typing import Final, NamedTuple


class Verb(NamedTuple):
    """`what`: its line in the help. `module`: whose `add` makes its parser; empty for those of main itself."""

    what: str
    module: str = ""


VERBS: Final = {
    "run": Verb("run scenarios (default: the five attacks of the card, a thousand meters)"),
    "list": Verb("what there is"),
    "show": Verb("one entry in full"),
    "threats": Verb("which threats are covered, with the last verdicts"),
    "report": Verb("make report.html of a run again"),
    "pack": Verb("one archive of a run for others, with SHA-256 sums and without keys"),
    "replay": Verb("run again with the same seeds and compare the histories"),
    "doctor": Verb("is this machine ready"),
    "frame": Verb("telegrams by themselves: decode, encode, sample, iq", "bench.frame.frame_command"),
    "city": Verb("a whole city as arrays: what is sent, heard and lost, and why", "bench.cli.city"),
    "sweep": Verb("many worlds, varied as a TOML file says, in one table", "bench.sweep.sweep_command"),
    "receiver": Verb("receivers: list, show, measure a program", "bench.receiver.receiver_command"),
    "gateway": Verb("real gateways on the desk: enrol, record, check", "bench.cli.gateway"),
    "bench": Verb("how fast it is on this machine, beside the goals", "bench.cli.benchmarks"),
    "keys": Verb("meter keys at rest: import, export, rotate, list; none is printed", "bench.cli.keys"),
    "cost": Verb("what a plan costs a year, line by line, from its file with every price", "bench.cli.cost"),
    "site": Verb("houses, meters and gateways from a list of addresses", "bench.cli.site_verb"),
    "size": Verb("how many gateways a site needs for a service, and where they hang", "bench.site.size_command"),
    "load": Verb(
        "what a broker and the portal carry before a sentence about readings breaks, and what was full",
        "bench.cli.load",
    ),
    "smgw": Verb("the BSI's gateway: tariff, sml, hdlc, cms, lint; serve puts it on ports", "bench.smgw.smgw_command"),
    "compare": Verb(
        "systems under the same attacks: verdicts, who sees what, what each costs",
        "bench.cli.compare",
    ),
    "init": Verb("a repository of your own: scenarios, attacks, meter types ... beside ours", "bench.cli.init"),
    "aws": Verb("AWS IoT Core's topic rules, shadows and policies, case by case", "bench.cli.aws"),
    "attack": Verb("a broker, or a portal, that is not ours under attack", "bench.cli.attack_verb"),
    "fuzz": Verb(
        "whatever arrives: alive, and genuine service kept; by structure and coverage",
        "bench.fuzz.fuzz_command",
    ),
    "defences": Verb(
        "the smallest sets of the portal's defences that stop every attack, and what each costs",
        "bench.defences.defences_command",
    ),
    "test": Verb("the project's own tests (tox); its options pass through"),
    "pytest": Verb("pytest in this environment, with scenarios; its options pass through"),
    "setup": Verb("make .venv and compile, once; scale, oscal, aws, aws-tests, solver: with an extra's packages"),
}
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


def text(parser: argparse.ArgumentParser) -> str:
    """The help of the command line. A verb that no task names stands at the end."""
    named = [verb for verbs in TASKS.values() for verb in verbs]
    tasks = {**TASKS, "More": tuple(verb for verb in VERBS if verb not in named)}
    out = [f"usage: {parser.prog} COMMAND ...", "", str(parser.description)]
    for task, verbs in tasks.items():
        if verbs:
            out += ["", f"{task}:", *(_row(verb, VERBS[verb].what) for verb in verbs)]
    out += [
        "",
        "./wmbench COMMAND --help: its options. docs/tutorial.md begins at the beginning, docs/how-to/ has a page",
    ]
    out += ["a task, docs/reference/ says what each file, column and exit code means.", ""]
    return "\n".join(out)


def _row(verb: str, what: str) -> str:
    indent = " " * _COLUMN
    return textwrap.fill(what, _WIDTH, initial_indent=f"  {verb:<{_COLUMN - 2}}", subsequent_indent=indent)
