"""`./wmbench gateway VERB NAME`: real gateways, as inventory.toml says what is on the desk.

enrol NAME    its certificate, the authority's, and a page to type in
check NAME    the contract suite: does it keep what its entry claims?
card NAME     the card's attacks on one that holds the meters' keys
record NAME   listen to what it publishes, and propose how to read it
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Final

from bench import named_files, row_suite, run_directory
from bench.exit_codes import INCONCLUSIVE_EXIT
from bench.options import Commands, add_runs, count, host_and_port, seconds
from bench.run_errors import CannotRun
from sim.core.clock import wall_now
from sim.desk import inventory
from sim.endpoint.port import Address, Identity

INVENTORY: Final = Path("inventory.toml")
REQUEST_MOST_BYTES: Final = 65_536
SOAK_H: Final = 72.0


def add(commands: Commands) -> None:
    """`gateway` on the command line."""
    gateway = commands.add_parser("gateway")
    verbs = gateway.add_subparsers(dest="verb", required=True, metavar="VERB")
    enrol = verbs.add_parser("enrol", help="make or sign a gateway's certificate, and write what to type into it")
    _add_name(enrol)
    enrol.add_argument("--csr", metavar="FILE", type=Path, help="its signing request: its key stays in it")
    enrol.add_argument("--out", metavar="DIR", type=Path, help="where to (default: enrolled/NAME)")
    enrol.add_argument("--json", action="store_true")
    enrol.set_defaults(command=command_enrol)
    check = verbs.add_parser("check", help="the contract suite: does it keep what its entry claims?")
    _add_name(check)
    check.add_argument("--rows", metavar="ROW,ROW", default="", help="only these; `list rows` has all")
    check.add_argument("--outage", type=seconds, metavar="S", default=120.0, help="how long a broker is away (120)")
    check.add_argument("--frames", type=count(1, 1_000_000), metavar="N", default=5_000,
                       help="in the row of one in a thousand (5000)")  # fmt: skip
    check.add_argument("--patience", type=seconds, metavar="S", default=10.0, help="silence that means lost (10)")
    check.add_argument("--soak", type=seconds, metavar="HOURS", nargs="?", const=SOAK_H, default=0.0,
                       help=f"the row of hours of work, alone unless others are named ({SOAK_H:g} h)")  # fmt: skip
    check.add_argument("--times", type=count(1, 1_000_000), metavar="N", default=1,
                       help="each row so often, to find unstable ones")  # fmt: skip
    check.add_argument("--side-by-side", type=count(1, 1_000_000), metavar="N", default=0,
                       help="rows at once, where it can be")  # fmt: skip
    check.add_argument("--json", action="store_true", help="print run.json when done")
    add_runs(check)
    check.set_defaults(command=command_check)
    card = verbs.add_parser("card", help="the card's attacks on one that holds the meters' keys, judged by its values")
    _add_name(card)
    card.add_argument("--json", action="store_true", help="print card.json when done")
    add_runs(card)
    card.set_defaults(command=command_card)
    record = verbs.add_parser("record", help="listen to what a gateway publishes, and propose an entry that reads it")
    _add_name(record, optional=True)
    record.add_argument("--seconds", metavar="N", type=seconds, default=60.0, help="how long to listen (60)")
    record.add_argument("--feed", action="store_true", help="start it and feed it meanwhile: what comes back is proof")
    record.add_argument("--broker", metavar="HOST:PORT", type=host_and_port, help="one that runs already, not our own")
    record.add_argument("--ca", metavar="FILE", type=Path, help="with --broker: the authority of a broker with TLS")
    record.add_argument("--certificate", metavar="FILE", type=Path, help="with --broker: ours")
    record.add_argument("--key", metavar="FILE", type=Path, help="with --broker: its key")
    record.add_argument("--out", metavar="FILE", type=Path, help="write the entry there too")
    record.add_argument("--messages", metavar="FILE", type=Path, help="keep what was heard, a line of JSON each")
    record.set_defaults(command=command_record)


def _add_name(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    words = "in the inventory, or a ready entry"
    if optional:
        parser.add_argument("gateway", metavar="NAME", nargs="?", help=f"{words}; or none: loopback, clear")
    else:
        parser.add_argument("gateway", metavar="NAME", help=words)
    parser.add_argument(
        "--inventory", metavar="FILE", type=Path, default=INVENTORY, help=f"what is on the desk ({INVENTORY})"
    )


def command_enrol(arguments: argparse.Namespace) -> int:
    from bench.desk import enrol_kit

    entry = inventory.find(arguments.gateway, arguments.inventory)
    request = None
    if arguments.csr is not None:
        request = named_files.read(arguments.csr, REQUEST_MOST_BYTES, "name the file with the box's signing request")
    kit = enrol_kit.write(entry, arguments.out or Path("enrolled") / entry.name, request)
    if arguments.json:
        print(json.dumps({"files": [str(file) for file in kit.files], "settings": kit.rows}, indent=1))
        return 0
    for what, value in kit.rows:
        print(f"{what:<22} {value}")
    print(f"page: {kit.files[0]}")
    return 0


def command_check(arguments: argparse.Namespace) -> int:
    from bench.cli.runner import command_line
    from bench.desk import contract_suite as suite
    from bench.desk.depth import Depth
    from reports import check_text

    entry = inventory.find(arguments.gateway, arguments.inventory)
    rows = suite.rows_named(row_suite.named(arguments.rows), soak=bool(arguments.soak))
    depth = Depth(arguments.outage, arguments.frames, arguments.patience, arguments.soak)
    directory = run_directory.make(f"check-{entry.name}")
    check = suite.Check(
        entry, rows, directory, depth, times=arguments.times, side_by_side=arguments.side_by_side,
        say=lambda one, done, all_: print(f"{done}/{all_} {one.answer:<14} {one.row}", file=sys.stderr, flush=True),
    )  # fmt: skip
    body = row_suite.kept(check, command_line())
    return row_suite.shown(body, directory, check_text.lines, as_json=arguments.json)


def command_card(arguments: argparse.Namespace) -> int:
    from bench.cli.runner import command_line, shown
    from bench.desk.card import table
    from reports import card_page

    entry = inventory.find(arguments.gateway, arguments.inventory)
    directory = run_directory.make(f"card-{entry.name}")
    started = wall_now()
    card = table.Card(entry, directory / card_page.PLACE, say=lambda one: print(
        f"{one.verdict:<14} {one.card}: {one.variant} {one.security}", file=sys.stderr, flush=True))  # fmt: skip
    try:
        card.run()
    finally:
        body = {**table.as_json(card), **run_directory.made_by(started), "command": command_line()}
        run_directory.write_json(directory / card_page.FILE, body, reserve=directory)
        card_page.write(directory)
        run_directory.release(directory)
    if arguments.json:
        print(json.dumps(body))
    else:
        print("\n".join(card_page.lines(body)))
        print(f"report: {shown(directory / 'report.html')}")
    count = table.counted(card.answers)
    return INCONCLUSIVE_EXIT if count["INCONCLUSIVE"] > count["SUCCEEDED"] + count["PREVENTED"] else 0


def command_record(arguments: argparse.Namespace) -> int:
    from bench.desk import record
    from sim.desk.propose import propose

    named = arguments.gateway is not None
    entry = inventory.find(arguments.gateway, arguments.inventory) if named else record.unnamed()
    if arguments.broker is None:
        if arguments.ca or arguments.certificate or arguments.key:
            raise CannotRun("--ca, --certificate and --key are for a --broker; the desk's own has its certificates")
        got = record.at_the_desk(entry, arguments.seconds, _say, feed=arguments.feed)
    elif arguments.feed:
        raise CannotRun("--feed starts the gateway at the desk's own broker; leave --broker away, or feed it yourself")
    else:
        us = Identity(f"wmbench-record-{os.getpid()}", arguments.certificate, arguments.key, arguments.ca)
        got = record.at_given(record.GivenBroker(Address(*arguments.broker), us), arguments.seconds, _say)
    if arguments.messages is not None:
        with named_files.writing():
            got.write(arguments.messages)
    _say(f"{len(got.heard)} messages, {len(got.fed)} telegrams fed" + (", and that was enough" if got.full else ""))
    if got.lost:
        _say(f"the session with {got.broker} was lost: {ascii(got.lost)[1:-1]}")
    found = propose(got.heard, got.fed)
    if found is None:
        what = "nothing in them looks like telegrams or values" if got.heard else "see that it publishes to this broker"
        said = f" It last said: {ascii(got.said)[1:-1]}." if got.said else ""
        print(f"INCONCLUSIVE: {len(got.heard)} messages; {what}.{said} --messages FILE keeps them; longer: --seconds N")
        return INCONCLUSIVE_EXIT
    tls = bool(arguments.ca) if arguments.broker is not None else entry.listen.tls
    text = found.toml(dataclasses.replace(entry, listen=dataclasses.replace(entry.listen, broker=True, tls=tls)))
    if found.decoded:
        _say("it publishes values, which it reads; whether they are true is for a check with keys and names")
    else:
        _say(f"{found.telegrams} telegrams read by it" + (f", {found.fed_found} of those fed" if got.fed else ""))
    print(text, end="")
    if arguments.out is not None:
        with named_files.writing():
            arguments.out.write_text(text, encoding="ascii")
    return 0


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
