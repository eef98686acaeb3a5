"""The verbs of `smgw`."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from bench.options import Commands
from sim.core.crc16 import KINDS


def add(commands: Commands) -> None:
    """Hang `smgw` and its verbs into the command line."""
    smgw = commands.add_parser("smgw")
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
    _add_cms(verbs.add_parser("cms", help="content for one receiver: open, make"))
    lint = verbs.add_parser("lint", help="an SM-PKI certificate against the rules of a profile")
    lint.add_argument("certificate", nargs="?", type=Path, metavar="CERT", help="PEM or DER")
    lint.add_argument("--profile", choices=("2017", "today"), default="today", help="(today)")
    lint.add_argument("--issuer", type=Path, metavar="CERT", help="the certificate above: did that one sign it")
    lint.add_argument("--json", action="store_true", help="one object for programs")
    lint.add_argument("--jsonl", action="store_true", help='lines {"id": ..., "der": HEX} in, objects out')
    lint.set_defaults(command=_lint)


    _add_serve(verbs.add_parser("serve", help="gateways, administrator, supplier on the loopback, until Ctrl-C"))


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--world", default="terrace-60", metavar="WORLD", help="whose meters and gateways (terrace-60)")
    serve.add_argument("--hours", type=float, default=26.0, metavar="H", help="of readings that are there already (26)")
    serve.add_argument("--seed", type=int, metavar="N", help="passwords and keys too; default: one nobody can guess")
    serve.add_argument("--port", type=int, default=0, metavar="PORT", help="first port of the HANs (free ones)")
    serve.add_argument("--json", action="store_true", help="one object for programs, on the first line")
    serve.set_defaults(command=_serve)


def _add_cms(cms: argparse.ArgumentParser) -> None:
    verbs = cms.add_subparsers(dest="what", required=True, metavar="VERB")
    take = verbs.add_parser("open", help="check the signature, then unseal")
    take.add_argument("file", nargs="?", type=Path, metavar="FILE", help="SignedData around AuthEnvelopedData, DER")
    take.add_argument("--cert", type=Path, metavar="FILE", help="the receiver's certificate")
    take.add_argument("--key", type=Path, metavar="FILE", help="and its key")
    take.add_argument("--signer", type=Path, metavar="FILE", help="the certificate of who must have signed it")
    take.add_argument("--unsigned", action="store_true", help="AuthEnvelopedData alone, of nobody knows whom")
    take.add_argument("--newer-than", type=_moment, metavar="TIME", help="refuse what was not signed after it")
    take.add_argument("--jsonl", action="store_true", help='lines {"der", "enc_cert", "enc_key_d", "sig_cert"} in hex')
    take.set_defaults(command=_cms_open)
    make = verbs.add_parser("make", help="seal for a receiver and sign")
    make.add_argument("file", type=Path, metavar="FILE", help="the content")
    make.add_argument("--to", type=Path, required=True, metavar="FILE", help="the receiver's certificate")
    make.add_argument("--signer", type=Path, required=True, metavar="FILE", help="the signer's certificate")
    make.add_argument("--key", type=Path, required=True, metavar="FILE", help="and its key")
    make.add_argument("--content", choices=("gcm", "cbc-cmac"), default="gcm")
    make.add_argument("--kdf", choices=("ecka-eg", "rfc5753"), default="ecka-eg", help="rfc5753: for OpenSSL")
    make.add_argument("--at", type=_moment, metavar="TIME", help="when it was signed (now)")
    make.set_defaults(command=_cms_make)
    for one in (take, make):
        one.add_argument("--out", type=Path, metavar="FILE", help="where to (standard output)")


def _moment(text: str) -> datetime:
    from bench.smgw import content_doors

    return content_doors.moment(text)


# Imported when asked for: `list` need not wait for numpy and ciphers.


def _cms_open(arguments: argparse.Namespace) -> int:
    from bench.smgw import content_doors

    return content_doors.cms_open(arguments)


def _cms_make(arguments: argparse.Namespace) -> int:
    from bench.smgw import content_doors

    return content_doors.cms_make(arguments)


def _lint(arguments: argparse.Namespace) -> int:
    from bench.smgw import content_doors

    return content_doors.lint_(arguments)


def _sml(arguments: argparse.Namespace) -> int:
    from bench.smgw import frame_doors

    return frame_doors.sml(arguments)


def _hdlc(arguments: argparse.Namespace) -> int:
    from bench.smgw import frame_doors

    return frame_doors.hdlc_(arguments)


def _serve(arguments: argparse.Namespace) -> int:
    from bench.smgw import serve_door

    return serve_door.serve(arguments)


def _tariff(arguments: argparse.Namespace) -> int:
    from bench.smgw import tariff_door

    return tariff_door.tariff(arguments)
