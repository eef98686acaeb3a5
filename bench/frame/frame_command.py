"""`frame`: telegrams by themselves, without a world: read one, make one, sample a fleet's, put them on the air as IQ.

    frame_text     hex and keys as people paste them
    frame_decode   telegram -> layers and records, for people or as JSON, one or a stream
    frame_encode   JSON -> telegram: what decode --json printed, or a meter type and values
    frame_sample   telegrams of simulated meters with the true values they carry
    frame_iq       telegrams -> samples that a software radio would have recorded

The rule kept here: a stream goes on whatever comes in, one line out for each line in; a single telegram that cannot
be read is exit code 1, and a command that cannot be carried out is 2, as everywhere.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.options import Once, count, seed
from sim.core.vocabulary import SECURITIES

READ, REFUSED = 0, 1


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Hang `frame` and its verbs into the command line."""
    frame = commands.add_parser("frame")
    verbs = frame.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_decode(verbs.add_parser("decode", help="a telegram byte by byte, or as JSON"))
    _add_encode(verbs.add_parser("encode", help="a telegram from JSON, or from a meter type's values"))
    _add_sample(verbs.add_parser("sample", help="telegrams of simulated meters and the true values in them"))
    _add_iq(verbs.add_parser("iq", help="telegrams as IQ samples of a software radio"))


def _add_decode(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "hex", nargs="*", metavar="HEX", help="one telegram, or the line a tool printed of it (default: from stdin)"
    )
    one.add_argument("--key", metavar="HEX", help="its meter's key; with --jsonl, for lines that have none")
    one.add_argument("--json", action="store_true", help="one object for programs")
    one.add_argument("--jsonl", action="store_true", help='lines {"telegram": HEX, "key": HEX|null} in, objects out')
    one.add_argument("--strict", action="store_true", help="refuse what a strict receiver refuses")
    one.add_argument(
        "--already-decrypted", "--lenient", action="store_true", dest="already_decrypted",
        help="the payload is in the clear although the header says it is encrypted, as logs have it",
    )  # fmt: skip
    one.set_defaults(command=_decode)


def _add_encode(one: argparse.ArgumentParser) -> None:
    one.add_argument("object", nargs="?", metavar="JSON", help="as decode --json prints it (default: from stdin)")
    one.add_argument("--type", metavar="ID", help="a meter type (list meters); what --set does not say is sampled")
    one.add_argument("--set", action="append", default=[], metavar="VALUE=N", help="with --type: a value of the type")
    one.add_argument("--key", metavar="HEX")
    one.add_argument("--security", choices=SECURITIES)
    one.add_argument("--acc", type=int, metavar="N", help="access number")
    one.add_argument("--counter", type=int, metavar="N", help="message counter of mode 7")
    one.add_argument("--sts", type=int, metavar="N", help="status byte")
    one.add_argument("--id", metavar="DIGITS", help="eight digits")
    one.add_argument("--crc", choices=["none", "A", "B"], default="none", help="CRCs of this frame format")
    one.add_argument("--seed", type=seed, action=Once, default=1, help="with --type: of the values and the key")
    one.add_argument("--json", action="store_true", help='{"telegram": HEX, "key": HEX|null} for decode --jsonl')
    one.add_argument("--jsonl", action="store_true", help="objects in, one a line; such lines out")
    one.set_defaults(command=_encode)


def _add_sample(one: argparse.ArgumentParser) -> None:
    one.add_argument("--type", metavar="ID", required=True, help="a meter type (list meters), or all")
    one.add_argument("--security", choices=SECURITIES, default="mode5")
    one.add_argument("--count", type=count(1, 10_000_000), default=1, metavar="N")
    one.add_argument("--seed", type=seed, action=Once, default=1)
    one.add_argument("--jsonl", action="store_true", help="an object a line; without it the telegrams only")
    one.set_defaults(command=_sample)


def _add_iq(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "hex", nargs="+", metavar="HEX",
        help="a telegram; HEX@start_ms=5,level_db=-6,offset_hz=1000,mode=C1A says what is its own",
    )  # fmt: skip
    one.add_argument("--mode", choices=["T1", "C1A", "C1B", "S1", "S1M"], default="T1")
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="- is standard output")
    one.add_argument("--format", choices=["cu8", "cs8", "cs16", "cf32"], help="default: by the name's suffix")
    one.add_argument("--rate-hz", type=float, default=1.6e6, help="samples a second (1.6e6)")
    one.add_argument("--offset-hz", type=float, default=0.0, help="of every telegram from the recording's centre")
    one.add_argument("--deviation-hz", type=float, help="the mode's own is 50e3")
    one.add_argument("--chip-rate-hz", type=float, help="a T-mode meter's may be 10 %% off")
    one.add_argument("--snr-db", type=float, default=20.0, help="inf is no noise (20)")
    one.add_argument("--repeat", type=count(1, 10_000_000), default=1, metavar="N", help="everything so often")
    one.add_argument("--gap-ms", type=float, default=100.0, help="silence between telegrams (100)")
    one.add_argument("--collide", action="store_true", help="all telegrams at once")
    one.add_argument("--jammer-db", type=float, metavar="DB", help="a carrier, its level against a telegram's")
    one.add_argument("--jammer-hz", type=float, default=13e3, help="where the carrier is (13e3)")
    one.add_argument("--seed", type=seed, action=Once, default=1, help="of the noise")
    one.set_defaults(command=_iq)



def _decode(arguments: argparse.Namespace) -> int:
    from bench.frame import decode

    return decode.decode(arguments)


def _encode(arguments: argparse.Namespace) -> int:
    from bench.frame import encode

    return encode.encode(arguments)


def _sample(arguments: argparse.Namespace) -> int:
    from bench.frame import sample

    return sample.sample(arguments)


def _iq(arguments: argparse.Namespace) -> int:
    from bench.frame import iq_file

    return iq_file.iq(arguments)
