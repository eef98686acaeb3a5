"""`smgw sml decode` and `smgw hdlc decode`: frames in hex -> objects, one or a stream.

What is refused has an `error` with reason, words and offset, beside what could be read.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any, TypeAlias

from bench.frame.hex_text import BadText, telegram_bytes, whole_stdin
from bench.run_errors import CannotRun
from bench.smgw.row_lines import answered, in_hex
from reports.wording import plain
from sim.smgw import hdlc, sml_file
from sim.smgw.refusals import BadFrame

Reader: TypeAlias = Callable[[bytes], dict[str, Any]]


def sml(arguments: argparse.Namespace) -> int:
    """Exit code 0: read, 1: refused; a stream is always 0."""
    return _decode(arguments, lambda data: read_sml(data, arguments.crc))


def hdlc_(arguments: argparse.Namespace) -> int:
    """The same, of frames of the wired bus."""
    return _decode(arguments, read_hdlc)


def read_sml(data: bytes, crc: str) -> dict[str, Any]:
    """A file's messages and values; with `error` where they are not as they must be. Raises BadFrame."""
    file = sml_file.split(data, crc)
    out = sml_file.as_json(file)
    try:
        sml_file.check(file)
    except BadFrame as error:
        out["error"] = error.as_json()
    return out


def read_hdlc(data: bytes) -> dict[str, Any]:
    """A frame's fields, whether its flags are there or not. Raises BadFrame."""
    if len(data) > 2 and data[0] == data[-1] == hdlc.FLAG:
        data = data[1:-1]
    return hdlc.as_json(data, hdlc.decode(data))


def _decode(arguments: argparse.Namespace, read: Reader) -> int:
    if arguments.jsonl:
        if arguments.hex:
            raise CannotRun("--jsonl reads its frames from standard input: leave out HEX, or --jsonl")
        return answered(lambda row: _answer(in_hex(row, "hex", "with the frame "), read))
    try:
        data = telegram_bytes(" ".join(arguments.hex) if arguments.hex else whole_stdin())
    except BadText as error:
        raise CannotRun(f"{error.detail} (at {error.offset}); a frame is given in hex") from None
    out = _answer(data, read)
    if arguments.json:
        print(json.dumps(out))
    else:
        for name, value in out.items():
            rows = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
            for row in rows:
                shown = "  ".join(f"{k} {v}" for k, v in row.items()) if isinstance(row, dict) else row
                print(plain(f"{name:<14} {shown}"))
    return 1 if "error" in out else 0


def _answer(data: bytes, read: Reader) -> dict[str, Any]:
    try:
        return read(data)
    except BadFrame as error:
        return {"error": error.as_json()}
