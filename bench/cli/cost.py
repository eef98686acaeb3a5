"""`./wmbench cost PLAN`: what a plan costs a year and a meter, from a TOML file with its traffic and every price."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.options import Commands


def add(commands: Commands) -> None:
    """`cost` on the command line."""
    cost = commands.add_parser("cost", help="what a plan costs a year, line by line, from its file with every price")
    cost.add_argument("plan", metavar="PLAN", type=Path, help="a TOML file, as in scenarios/plans")
    cost.add_argument("--json", action="store_true")
    cost.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Raises SpecError."""
    from sim.billing.plan_cost import answer, as_json, told
    from sim.billing.plan_spec import load
    from sim.core.quoting import hidden

    of = answer(load(arguments.plan))
    print(json.dumps(as_json(of), indent=1) if arguments.json else "\n".join(map(hidden, told(of))))
    return 0
