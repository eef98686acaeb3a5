"""`./wmbench attack portal NAME`: what does a product that decodes store, of what somebody without keys can send?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import row_suite, run_directory
from bench.broker.broker_target import found_address
from bench.cli.gateway import INVENTORY
from bench.options import Commands, add_runs, seconds, seed
from sim.desk import inventory
from sim.desk.inventory import GatewayEntry
from sim.feeders.lines.http_post import HttpPostSpec
from sim.feeders.lines.mqtt_publish import MqttPublishSpec


def add(verbs: Commands) -> None:
    """`portal` below `attack`."""
    portal = verbs.add_parser("portal", help="a product that decodes: replay, forgery, downgrade; by what it stored")
    portal.add_argument("portal", metavar="NAME", help="in the inventory, or a ready entry (wmbusmeters-portal)")
    portal.add_argument("--inventory", metavar="FILE", type=Path, default=INVENTORY, help=f"({INVENTORY})")
    portal.add_argument("--i-own-this", action="store_true", help="for a product at a private address")
    portal.add_argument("--rows", metavar="ROW,ROW", default="", help="only these; `list portal-rows` has all")
    portal.add_argument("--patience", type=seconds, metavar="S", default=10.0, help="silence that means refused (10)")
    portal.add_argument("--seed", type=seed, metavar="N", default=1, help="of the meters' keys (1)")
    portal.add_argument("--keys-out", metavar="FILE", type=Path, help="write the meters' keys, and end")
    portal.add_argument("--json", action="store_true", help="print run.json")
    add_runs(portal)
    portal.set_defaults(command=command_portal)


def command_portal(arguments: argparse.Namespace) -> int:
    from bench.cli.runner import command_line
    from bench.product.portal_meters import key_list, meters_for
    from bench.product.portal_suite import PortalAttack, rows_named
    from sim.portal.keyring import write_private

    rows = rows_named(row_suite.named(arguments.rows))
    if arguments.keys_out is not None:
        write_private(arguments.keys_out, key_list(meters_for(rows, arguments.seed)))
        print(arguments.keys_out)
        return 0
    entry = inventory.find(arguments.portal, arguments.inventory)
    refuse_others(entry, own=arguments.i_own_this)
    directory = run_directory.make(f"portal-{entry.name}")
    attack = PortalAttack(entry, rows, directory, seed=arguments.seed, patience_s=arguments.patience, say=_say)
    body = row_suite.kept(attack, command_line())
    return row_suite.shown(body, directory, lines, as_json=arguments.json)


def refuse_others(entry: GatewayEntry, *, own: bool) -> None:
    """Where its telegrams go over a network, the address must be one that may be tried. Raises CannotRun."""
    for feed in entry.feed:
        line = getattr(feed, "line", None)
        if isinstance(line, HttpPostSpec):
            parts = urlsplit(line.url)
            if parts.hostname:  # what is no URL is named when the line is opened
                found_address(parts.hostname, parts.port or 80, own=own)
        elif isinstance(line, MqttPublishSpec):
            found_address(line.host, line.port, own=own)


def _say(judged: Any, done: int, all_: int) -> None:
    print(f"{done}/{all_} {judged.answer:<14} {judged.id}", file=sys.stderr, flush=True)


def lines(run: Mapping[str, Any]) -> Iterator[str]:
    """A line a row and mode; one sentence where nothing could be judged."""
    from reports import check_text
    from reports.wording import plain

    if (why := run["check"]["silent"]) and not any(row["answer"] != "INCONCLUSIVE" for row in run["scenarios"]):
        yield f"INCONCLUSIVE: {plain(why)}"
        return
    yield plain(run["title"])
    for row in run["scenarios"]:
        name = row["row"].removesuffix(f"-{row['mode']}")
        yield f"{row['answer']:<14} {name:<20} {row['mode']}  {'+'.join(row['threats']):<8} {plain(row['message'])}"
    yield check_text.summary(run)
