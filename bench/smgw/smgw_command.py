"""The verbs of `smgw`."""

from __future__ import annotations

import argparse

from bench.options import Commands


def add(commands: Commands) -> None:
    """Hang `smgw` and its verbs into the command line."""
    smgw = commands.add_parser("smgw", help="parts of the BSI's gateway by themselves: tariff, sml, hdlc, cms, lint")
    verbs = smgw.add_subparsers(dest="verb", required=True, metavar="VERB")
    tariff = verbs.add_parser("tariff", help="what leaves the gateway, of a rule set and readings (object on stdin)")
    tariff.add_argument("--jsonl", action="store_true", help="a row a line in, a line out")
    tariff.add_argument("--json", action="store_true", help="one object for programs")
    tariff.set_defaults(command=_tariff)


# Imported when asked for: `list` need not wait for numpy and ciphers.


def _tariff(arguments: argparse.Namespace) -> int:
    from bench.smgw import tariff_door

    return tariff_door.tariff(arguments)
