"""`./wmbench gateway VERB NAME`: real gateways, as inventory.toml says what is on the desk.

enrol NAME    its certificate, the authority's, and a page to type in
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from bench.options import Commands
from bench.run_errors import CannotRun
from sim.desk import inventory

INVENTORY: Final = Path("inventory.toml")
REQUEST_MOST_BYTES: Final = 65_536


def add(commands: Commands) -> None:
    """`gateway` on the command line."""
    gateway = commands.add_parser("gateway", help="real gateways on the desk: enrol")
    verbs = gateway.add_subparsers(dest="verb", required=True, metavar="VERB")
    enrol = verbs.add_parser("enrol", help="make or sign a gateway's certificate, and write what to type into it")
    _add_name(enrol)
    enrol.add_argument("--csr", metavar="FILE", type=Path, help="its signing request: its key stays in it")
    enrol.add_argument("--out", metavar="DIR", type=Path, help="where to (default: enrolled/NAME)")
    enrol.add_argument("--json", action="store_true")
    enrol.set_defaults(command=command_enrol)


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


def _request(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(REQUEST_MOST_BYTES)
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror}; name the file with the box's signing request") from None
