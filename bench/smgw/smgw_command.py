"""The verbs of `smgw`."""

from __future__ import annotations

import argparse

from bench.options import Commands
from sim.core.crc16 import KINDS


def add(commands: Commands) -> None:
    """Hang `smgw` and its verbs into the command line."""
    smgw = commands.add_parser("smgw", help="parts of the BSI's gateway by themselves: tariff, sml, hdlc, cms, lint")
    verbs = smgw.add_subparsers(dest="verb", required=True, metavar="VERB")
    tariff = verbs.add_parser("tariff", help="what leaves the gateway, of a rule set and readings (object on stdin)")
    tariff.add_argument("--jsonl", action="store_true", help="a row a line in, a line out")
    tariff.add_argument("--json", action="store_true", help="one object for programs")
    tariff.set_defaults(command=_tariff)
    for name, what, command in (
        ("sml", "files of meters in SML 1.04", _sml),
        ("hdlc", "frames of the wired meter bus", _hdlc),
    ):
        frames = verbs.add_parser(name, help=what).add_subparsers(dest="what", required=True, metavar="VERB")
        decode = frames.add_parser("decode", help="one in hex, or a stream")
        decode.add_argument("hex", nargs="*", metavar="HEX", help="default: from stdin")
        decode.add_argument("--json", action="store_true", help="one object for programs")
        decode.add_argument("--jsonl", action="store_true", help='lines {"id": ..., "hex": HEX} in, objects out')
        if name == "sml":
            decode.add_argument("--crc", choices=sorted(KINDS), default="X25", help="the meter's kind (X25)")
        decode.set_defaults(command=command)


# Imported when asked for: `list` need not wait for numpy and ciphers.


def _sml(arguments: argparse.Namespace) -> int:
    from bench.smgw import frame_doors

    return frame_doors.sml(arguments)


def _hdlc(arguments: argparse.Namespace) -> int:
    from bench.smgw import frame_doors

    return frame_doors.hdlc_(arguments)


def _tariff(arguments: argparse.Namespace) -> int:
    from bench.smgw import tariff_door

    return tariff_door.tariff(arguments)
