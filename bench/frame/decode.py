"""`frame decode`: a telegram byte by byte for people, as one object for programs, or a stream of them.

A line of a stream that is no telegram at all gets the same kind of object as a telegram that is refused: an `error`
with reason, words and offset, beside whatever could be read. Compact frames open as soon as a full frame of the same
stream taught their format.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from bench.frame.hex_text import MAX_LINE_BYTES, BadText, batches, key_bytes, telegram_bytes, whole_stdin, write_lines
from bench.run_errors import CannotRun
from wmbus.as_json import to_json, to_line
from wmbus.compact import Formats
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.explain import DEVICE_TYPES, Note, annotate
from wmbus.link import strip_crcs
from wmbus.receiver import Switches

LENIENT: Switches = {
    "honour_sender_mac": True, "require_mac": False, "accept_clear_tail": True, "accept_n_zero": True,
    "accept_already_decrypted": True,
}  # fmt: skip
_BYTES_A_ROW = 12


def decode(arguments: argparse.Namespace) -> int:
    """Exit code 0: read, 1: refused; a stream is always 0. Raises CannotRun for what is not hex or no key."""
    switches: Switches = LENIENT if arguments.lenient else {}
    try:
        key = key_bytes(arguments.key)
    except BadText as error:
        raise CannotRun(f"--key: {error.detail}") from None
    if arguments.jsonl:
        if arguments.hex:
            raise CannotRun("--jsonl reads its telegrams from standard input: leave out HEX, or --jsonl")
        decoder = Decoder(key, strict=not arguments.lenient, switches=switches)
        return stream(decoder.line)
    try:
        data = telegram_bytes(" ".join(arguments.hex) if arguments.hex else whole_stdin())
    except BadText as error:
        raise CannotRun(f"{error.detail} (at {error.offset}); a telegram is given in hex, as in 2E44...") from None
    if not data:
        raise CannotRun("no telegram: give one in hex, as an argument or on standard input")
    out = to_json(data, key, strict=not arguments.lenient, **switches)
    if arguments.json:
        print(json.dumps(out))
    else:
        print_annotated(data, key, out, switches)
    return 1 if "error" in out else 0


# --- a stream --------------------------------------------------------------------------------------------------


def stream(answer: Callable[[bytes | None], str]) -> int:
    """One line out for each line in, written as soon as no more have arrived."""
    if sys.stdin is None:
        return 0
    for lines in batches(sys.stdin.fileno()):
        if not write_lines([answer(line) for line in lines]):
            break
    return 0


class Decoder:
    """Lines {"telegram", "key"} -> objects as text. `key` is for lines without the member."""

    def __init__(self, key: bytes | None, *, strict: bool, switches: Switches) -> None:
        self._key = key
        self._strict, self._switches, self._formats = strict, switches, Formats()

    def line(self, line: bytes | None) -> str:
        """The object for one line, as text; None: a line that was too long. Errors are in the object."""
        try:
            given = parsed(line)
            text = given.get("telegram")
            if not isinstance(text, str):
                raise BadText("bad-line", 'no member "telegram" with the telegram in hex')
            data = telegram_bytes(text)
        except BadText as error:
            return json.dumps({"error": error.as_json()})
        try:
            key = key_bytes(given["key"]) if "key" in given else self._key
        except BadText as error:
            out = to_json(data, None, strict=self._strict, formats=self._formats, **self._switches)
            return json.dumps({**out, "error": error.as_json()})
        return to_line(data, key, strict=self._strict, formats=self._formats, **self._switches)


def parsed(line: bytes | None) -> dict[str, Any]:
    """A line's object. Raises BadText (too-long, bad-json, bad-line)."""
    if line is None:
        raise BadText("too-long", f"a line of more than {MAX_LINE_BYTES} bytes", MAX_LINE_BYTES)
    try:
        given = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadText("bad-json", "binary, not UTF-8 text", error.start) from None
    except json.JSONDecodeError as error:
        raise BadText("bad-json", error.msg, error.pos) from None
    except (ValueError, RecursionError):
        raise BadText("bad-json", "numbers or nesting beyond all measure") from None
    if not isinstance(given, dict):
        raise BadText("bad-line", f"an object is needed, not {type(given).__name__}")
    return given


# --- for people ------------------------------------------------------------------------------------------------


def print_annotated(data: bytes, key: bytes | None, out: dict[str, Any], switches: Switches) -> None:
    """A heading, every byte with its meaning, and what was refused."""
    crcs = {"A": ", CRCs of format A removed", "B": ", CRCs of format B removed"}.get(str(out.get("frame_format")), "")
    try:
        bare = strip_crcs(data)
        a = parse(bare).address
        name = f"{a.manufacturer} {a.id}, version {a.version}, {DEVICE_TYPES.get(a.device_type, 'reserved')}"
        mac = ", MAC right" if out.get("mac_ok") else ""
        print(f"{name}; security {out.get('security')}{mac}; {len(bare)} bytes{crcs}")
        for note in annotate(bare, key, **switches):
            for row in _rows(note):
                print(row)
    except BadTelegram:
        print(f"{len(data)} bytes that are no telegram: {data[:_BYTES_A_ROW].hex(' ').upper()} ...")
    if "error" in out:
        error = out["error"]
        print(f"refused: {error['reason']} at byte {error['offset']}: {error['detail']}{_way_out(error['reason'])}")


def _rows(note: Note) -> list[str]:
    shown = note.data.hex(" ").upper()
    width = 3 * _BYTES_A_ROW
    first, *others = [shown[at : at + width].rstrip() for at in range(0, len(shown), width)] or [""]
    rows = [f"{note.offset:4d}  {first:<{width}} {note.layer}  {note.meaning}"]
    return rows + [f"      {row}" for row in others]


def _way_out(reason: str) -> str:
    return {
        "key-missing": "; give the meter's key with --key",
        "wrong-key": "; is --key this meter's?",
        "mac-wrong": "; is --key this meter's?",
        "mac-too-short": "; --lenient reads it all the same",
        "mac-missing": "; --lenient reads it all the same",
        "clear-tail": "; --lenient reads it all the same",
        "not-encrypted": "; --lenient reads it all the same",
        "duplicate-record": "; --lenient reads it all the same",
        "bad-record": "; --lenient reads what stands before it",
        "length-mismatch": "; is the hex complete?",
    }.get(reason, "")
