"""`./wmbench cost PLAN`: what a plan costs a year and a meter, from a TOML file with its traffic and every price."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.options import Commands

if TYPE_CHECKING:
    from sim.billing.plan_spec import Plan


def add(commands: Commands) -> None:
    """`cost` on the command line."""
    cost = commands.add_parser("cost")
    cost.add_argument("plan", metavar="PLAN", type=Path, help="a TOML file, as in scenarios/plans")
    cost.add_argument("--backhaul", metavar="ID", help="a file of sim/network/backhauls: what it adds to messages and "
                      "connections, instead of the plan's packet_bytes and handshake_bytes")  # fmt: skip
    cost.add_argument("--json", action="store_true")
    cost.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Raises SpecError, UnknownPart."""
    from sim.billing.plan_cost import answer, as_json, told
    from sim.billing.plan_spec import load
    from sim.core.quoting import hidden

    plan = load(arguments.plan)
    of = answer(plan if arguments.backhaul is None else over(plan, arguments.backhaul))
    print(json.dumps(as_json(of), indent=1) if arguments.json else "\n".join(map(hidden, told(of))))
    return 0


def over(plan: Plan, id_: str) -> Plan:
    """The plan with what a backhaul adds. Raises UnknownPart."""
    from sim.network.backhaul import backhaul

    path, sent = backhaul(id_), plan.sent()
    message = path.message(sent.payload_bytes, sent.topic_bytes).bytes - sent.payload_bytes - sent.topic_bytes
    traffic = replace(plan.traffic, packet_bytes=message, handshake_bytes=path.connection().bytes)
    return replace(plan, traffic=traffic)
