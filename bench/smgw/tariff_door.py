"""`smgw tariff`: rules and readings in, what leaves out; one row, or a line for each line of a stream."""

from __future__ import annotations

import argparse
import json
from decimal import Decimal, InvalidOperation
from typing import Final

from bench.frame.decode import parsed, stream
from bench.frame.hex_text import BadText, whole_stdin
from bench.run_errors import CannotRun
from reports.wording import plain
from sim.smgw.tariff_rows import answer

ROW_MOST_BYTES: Final = 1 << 24


def tariff(arguments: argparse.Namespace) -> int:
    """Exit code 0: something leaves, 1: refused; a stream is always 0."""
    if arguments.jsonl:
        return stream(_line, ROW_MOST_BYTES)
    try:
        row = parsed(whole_stdin().encode(), ROW_MOST_BYTES, _exact)
    except BadText as error:
        raise CannotRun(f"{error.detail} (at {error.offset}); a row is an object with supplier and readings") from None
    out = answer(row)
    if arguments.json:
        print(out)
        return 1 if "error" in json.loads(out) else 0
    given = json.loads(out, parse_float=str, parse_int=str)
    if "error" in given:
        print(plain(f"refused: {given['error']['reason']}: {given['error']['detail']}"))
        return 1
    for one in given["registers"]:
        print(plain(f"{one['obis']:<18} {one['amount'] or 'no value'}" + (f"  at {one['at']}" if "at" in one else "")))
    return 0


def _line(line: bytes | None) -> str:
    try:
        return answer(parsed(line, ROW_MOST_BYTES, _exact))
    except BadText as error:
        return json.dumps({"id": None, "error": error.as_json()})


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("a number beyond all measure") from None
