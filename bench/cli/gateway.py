"""`./wmbench gateway VERB NAME`: real gateways, as inventory.toml says what is on the desk.

enrol NAME    its certificate, the authority's, and a page to type in
check NAME    the contract suite: does it keep what its entry claims?
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from bench import run_directory
from bench.options import Commands
from bench.run_errors import CannotRun
from sim.desk import inventory

INVENTORY: Final = Path("inventory.toml")
REQUEST_MOST_BYTES: Final = 65_536
SOAK_H: Final = 72.0
FAILED_EXIT: Final = 1
INCONCLUSIVE_EXIT: Final = 6


def add(commands: Commands) -> None:
    """`gateway` on the command line."""
    gateway = commands.add_parser("gateway", help="real gateways on the desk: enrol, check")
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
    check.add_argument("--outage", type=_seconds, metavar="S", default=120.0, help="how long a broker is away (120)")
    check.add_argument("--frames", type=_count, metavar="N", default=5_000,
                       help="in the row of one in a thousand (5000)")  # fmt: skip
    check.add_argument("--patience", type=_seconds, metavar="S", default=10.0, help="silence that means lost (10)")
    check.add_argument("--soak", type=float, metavar="HOURS", nargs="?", const=SOAK_H, default=0.0,
                       help=f"the row of hours of work, alone unless others are named ({SOAK_H:g} h)")  # fmt: skip
    check.add_argument("--times", type=_count, metavar="N", default=1, help="each row so often, to find unstable ones")
    check.add_argument("--side-by-side", type=_count, metavar="N", default=0, help="rows at once, where it can be")
    check.add_argument("--json", action="store_true", help="print run.json when done")
    check.add_argument("--runs", metavar="DIR", type=Path, help=f"where runs are kept (${run_directory.PLACE}; runs/)")
    check.set_defaults(command=command_check)


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("gateway", metavar="NAME", help="in the inventory, or a ready entry")
    parser.add_argument(
        "--inventory", metavar="FILE", type=Path, default=INVENTORY, help=f"what is on the desk ({INVENTORY})"
    )


def command_enrol(arguments: argparse.Namespace) -> int:
    from bench.desk import enrol_kit

    entry = inventory.find(arguments.gateway, arguments.inventory)
    request = _request(arguments.csr) if arguments.csr is not None else None
    kit = enrol_kit.write(entry, arguments.out or Path("enrolled") / entry.name, request)
    if arguments.json:
        print(json.dumps({"files": [str(file) for file in kit.files], "settings": kit.rows}, indent=1))
        return 0
    for what, value in kit.rows:
        print(f"{what:<22} {value}")
    print(f"page: {kit.files[0]}")
    return 0


def command_check(arguments: argparse.Namespace) -> int:
    from bench.cli.runner import command_line, shown
    from bench.desk import contract_suite as suite
    from bench.desk.stand import Depth
    from reports import check_text

    entry = inventory.find(arguments.gateway, arguments.inventory)
    rows = suite.rows_named([name for name in arguments.rows.split(",") if name], soak=bool(arguments.soak))
    depth = Depth(arguments.outage, arguments.frames, arguments.patience, arguments.soak)
    directory = run_directory.make(f"check-{entry.name}")
    check = suite.Check(
        entry, rows, directory, depth, times=arguments.times, side_by_side=arguments.side_by_side,
        say=lambda one, done, all_: print(f"{done}/{all_} {one.answer:<14} {one.row}", file=sys.stderr, flush=True),
    )  # fmt: skip
    with suite.kept(check, command_line()):
        check.run()
    body = run_directory.read(directory)
    if arguments.json:
        print(json.dumps(body))
    else:
        print("\n".join(check_text.lines(body)))
        print(f"report: {shown(directory / 'report.html')}")
    return {"passed": 0, "failed": FAILED_EXIT, "inconclusive": INCONCLUSIVE_EXIT}[body["outcome"]]


def _seconds(text: str) -> float:
    try:
        seconds_s = float(text)
    except ValueError:
        seconds_s = -1.0
    if not 0.1 <= seconds_s <= 86_400.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds between 0.1 and 86400")
    return seconds_s


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 1 and 1000000")
    return int(text)


def _request(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(REQUEST_MOST_BYTES)
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror}; name the file with the box's signing request") from None
