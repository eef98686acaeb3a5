"""`frame decode`: a telegram byte by byte for people, as one object for programs, or a stream of them.

Fragments that follow each other are joined, and the message that they make is shown behind the last one.

What is pasted may be bare hex or a line of any tool that sim.lines knows. Every readable record is shown, and what is
odd beside it; `--strict` refuses what a strict receiver would. A line of a stream that is no telegram at all gets the
same kind of object as a telegram that is refused: an `error` with reason, words and offset, beside whatever could be
read. Compact frames open as soon as a full frame of the same stream taught their format.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from bench.frame.hex_text import MAX_LINE_BYTES, BadText, batches, key_bytes, telegram_bytes, whole_stdin, write_lines
from bench.frame.joiner import Joined, Joiner
from bench.run_errors import CannotRun
from reports.wording import plain
from sim.lines.codecs.port import CODECS, Bad
from sim.lines.reception import Mode, Reception, Stamp
from sim.lines.recognise import AnyReader, inside, of_line, read
from wmbus.as_json import message_json, to_json
from wmbus.as_lines import AsLines
from wmbus.compact import Formats
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.explain import DEVICE_TYPES, Note, annotate, notes_of
from wmbus.link import HEADER_BYTES
from wmbus.receiver import Switches
from wmbus.recover import recover, second

SHOWING: Switches = {
    "honour_sender_mac": True, "require_mac": False, "accept_clear_tail": True, "accept_n_zero": True,
}  # fmt: skip
"""What is read all the same, and told as odd."""
_BYTES_A_ROW = 12
_NOT_STRICT = "; without --strict it is read all the same"


def decode(arguments: argparse.Namespace) -> int:
    """Exit code 0: read, 1: refused; a stream is always 0. Raises CannotRun for what is not hex or no key."""
    switches: Switches = {} if arguments.strict else {**SHOWING}
    if arguments.already_decrypted:
        switches["accept_already_decrypted"] = True
    try:
        key = key_bytes(arguments.key)
    except BadText as error:
        raise CannotRun(f"--key: {error.detail}") from None
    if arguments.jsonl:
        if arguments.hex:
            raise CannotRun("--jsonl reads its telegrams from standard input: leave out HEX, or --jsonl")
        decoder = Decoder(key, strict=arguments.strict, switches=switches)
        return stream(decoder.line)
    try:
        text = " ".join(arguments.hex) if arguments.hex else whole_stdin()
        heard = pasted(text)
    except BadText as error:
        raise CannotRun(f"{error.detail} (at {error.offset}); a telegram is given in hex, as in 2E44...") from None
    if not heard:
        raise CannotRun("no telegram: give one in hex, as an argument or on standard input")
    formats, joiner = Formats(), Joiner()
    worst = 0
    for number, one in enumerate(heard):
        out = {**to_json(one.data, key, strict=arguments.strict, formats=formats, **switches), **said_by_line(one)}
        worst = max(worst, 1 if "error" in out else 0)
        if arguments.json:
            print(json.dumps(out))
        else:
            if number:
                print()
            print_annotated(one.data, key, out, switches)
        joined = joiner.add(one.data)
        if joined is not None:
            print_joined(joined, key, switches, strict=arguments.strict, as_json=arguments.json)
            worst = 0 if joined.whole else 1
    return worst


def print_joined(joined: Joined, key: bytes | None, switches: Switches, *, strict: bool, as_json: bool) -> None:
    """The message that fragments made, or why they make none."""
    telegram = joined.whole
    if as_json:
        told = {"error": joined.refused} if telegram is None else message_json(telegram, key, strict=strict, **switches)
        print(json.dumps({"joined": joined.fragments, **told}))
        return
    if telegram is None:
        error = joined.refused
        print(f"\nno message: {error['reason']}: {error['detail']}")
        return
    print(f"\nmessage of {joined.fragments} fragments; security {telegram.security}; {len(telegram.raw)} bytes")
    for note in notes_of(telegram, key, **switches):
        for row in _rows(note):
            print(plain(row))


def pasted(text: str) -> list[Reception]:
    """The telegrams in what somebody pasted: hex in any form, or lines of a tool. Raises BadText."""
    try:
        bare = telegram_bytes(text)
    except BadText as error:
        told = error
        heard = [got.what for got in read(text)]
    else:
        if not bare:
            return []
        heard = inside(Reception(bare))
        told = BadText("bad-hex", "no telegram in it", 0)
    found = [one for one in heard if isinstance(one, Reception)]
    if not found:
        words = [one.words for one in heard if isinstance(one, Bad)]
        tool = len(words) == 1 and of_line(text.strip().encode("utf-8", "replace"))
        raise BadText(told.reason, words[0], told.offset) if tool and tool.id != "hex" else told
    return [part for one in found for part in _apart(one)]


def _apart(one: Reception) -> list[Reception]:
    """Two telegrams that were glued together, as two."""
    try:
        behind = second(one.found)
    except BadTelegram:
        return [one]
    return [one, *_apart(Reception(behind, one.rssi_dbm, one.stamp, mode=one.mode))] if behind else [one]


def said_by_line(one: Reception) -> dict[str, Any]:
    """What the line said beside the telegram, for programs: `reception`, missing where it was bare hex."""
    said = {
        "rssi_dbm": one.rssi_dbm,
        "time": None if one.stamp is None else one.stamp.text,
        "mode": one.mode,
        "notes": list(one.notes),
    }
    known = {name: value for name, value in said.items() if value}
    return {"reception": known} if known else {}


_TIME: Final = Stamp("\0", 0, dated=False)  # no line's text


@lru_cache(maxsize=4096)
def _said_around(rssi_dbm: float | None, mode: Mode | None, notes: tuple[str, ...]) -> tuple[str, str]:
    """What stands before and after the time in ``said_by_line`` as text: a stream has few levels and many times."""
    said = json.dumps(said_by_line(Reception(b"", rssi_dbm, _TIME, mode=mode, notes=notes)))
    before, _, after = said[1:-1].partition(json.dumps(_TIME.text))
    return f", {before}", after


def _said_text(one: Reception) -> str:
    """``said_by_line`` as text: members that follow others of an object."""
    if one.stamp is None:
        said = said_by_line(one)
        return f", {json.dumps(said)[1:-1]}" if said else ""
    before, after = _said_around(one.rssi_dbm, one.mode, one.notes)
    return f"{before}{json.dumps(one.stamp.text)}{after}"


# --- a stream --------------------------------------------------------------------------------------------------


def stream(answer: Callable[[bytes | None], str], most_bytes: int = MAX_LINE_BYTES) -> int:
    """One line out for each line in, written as soon as no more have arrived; None is a line that was longer."""
    if sys.stdin is None:
        return 0
    for lines in batches(sys.stdin.fileno(), most_bytes):
        if not write_lines([answer(line) for line in lines]):
            break
    return 0


class Decoder:
    """Lines {"telegram", "key"} -> objects as text. `key` is for lines without the member."""

    def __init__(self, key: bytes | None, *, strict: bool, switches: Switches) -> None:
        self._key = key
        self._strict, self._switches, self._formats = strict, switches, Formats()
        self._written = AsLines(strict=strict, formats=self._formats, switches=switches)
        self._lines = AnyReader()

    def line(self, line: bytes | None) -> str:
        """The object for one line, as text; None: a line that was too long. Errors are in the object."""
        given: dict[str, Any] = {}
        try:
            if line is not None and line[:1] != b"{" and line.isascii() and self._lines.claims(line):
                data, heard = self._of_tool(line)
            else:
                given = self._given(line)
                text = given.get("telegram")
                if not isinstance(text, str):
                    raise BadText("bad-line", 'no member "telegram" with the telegram in hex')
                data, heard = self._telegram(text)
        except BadText as error:
            return json.dumps({"error": error.as_json()})
        said = "" if heard is None else _said_text(heard)
        found = None if heard is None else heard.found_or_none
        try:
            key = key_bytes(given["key"]) if "key" in given else self._key
        except BadText as error:
            out = to_json(data, None, strict=self._strict, formats=self._formats, **self._switches)
            return json.dumps({**out, **({} if heard is None else said_by_line(heard)), "error": error.as_json()})
        return self._written.line(data, key, found=found, beside=said)

    def _given(self, line: bytes | None) -> dict[str, Any]:
        """The line's object; bare hex, or a line of another tool, as {"telegram": the line}. Raises BadText."""
        if line is not None and not line.lstrip().startswith(b"{") and (_bare(line) or self._lines.knows(line)):
            return {"telegram": line.decode("utf-8", "replace")}
        try:
            given = parsed(line)
        except BadText:
            if line is None or of_line(line) in (None, CODECS.find("json")):
                raise
            return {"telegram": line.decode("utf-8", "replace")}
        if line is not None and "data" in given and "telegram" not in given:
            given["telegram"] = line.decode()
        return given

    def _telegram(self, text: str) -> tuple[bytes, Reception | None]:
        """Its bytes, and what a tool said with them. Most telegrams are bare hex of the right length; a tool's line is
        read with those before it, for it may need them (a row of names, a level); anything else goes the long way.
        Raises BadText."""
        try:
            data = bytes.fromhex(text)
        except ValueError:
            data = b""
        if data and len(data) == data[0] + 1:
            return data, None
        line = b"" if data or "\n" in text else text.encode("utf-8", "replace")
        if line and self._lines.claims(line):
            return self._of_tool(line)
        heard: list[Reception | Bad] = [*pasted(text)]
        return self._first(heard) if heard else (data, None)

    def _of_tool(self, line: bytes) -> tuple[bytes, Reception | None]:
        """Raises BadText."""
        return self._first([got.what for got in self._lines.line(line)])

    @staticmethod
    def _first(heard: list[Reception | Bad]) -> tuple[bytes, Reception | None]:
        for one in heard:
            if isinstance(one, Reception):
                return one.data, one
        words = [one.words for one in heard if isinstance(one, Bad)]
        raise BadText("bad-line", words[0] if words else "no telegram in this line")


def _bare(line: bytes) -> bool:
    """Whether this is a telegram in hex and nothing else: no format need be asked."""
    try:
        data = bytes.fromhex(line.decode("ascii"))
    except ValueError:
        return False
    return len(data) > HEADER_BYTES and len(data) == data[0] + 1


def parsed(
    line: bytes | None, most_bytes: int = MAX_LINE_BYTES, number: Callable[[str], object] = float
) -> dict[str, Any]:
    """A line's object; `number` reads what has a decimal point. Raises BadText (too-long, bad-json, bad-line)."""
    if line is None:
        raise BadText("too-long", f"a line of more than {most_bytes} bytes", most_bytes)
    try:
        given = json.loads(line.decode("utf-8"), parse_float=number)
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
    """A heading, every byte with its meaning, what was odd, what was refused. Nothing from outside is printed raw."""
    for line in _annotated(data, key, out, switches):
        print(plain(line))


def _annotated(data: bytes, key: bytes | None, out: dict[str, Any], switches: Switches) -> Iterator[str]:
    crcs = {"A": ", CRCs of format A removed", "B": ", CRCs of format B removed"}.get(str(out.get("frame_format")), "")
    try:
        bare = recover(data).frame
        a = parse(bare, headers_only=True).address
        name = f"{a.manufacturer} {a.id}, version {a.version}, {DEVICE_TYPES.get(a.device_type, 'reserved')}"
        mac = ", MAC right" if out.get("mac_ok") else ""
        part = out.get("afl", {}).get("fragment")
        security = f"security {out.get('security')}"
        if part is not None:
            security = f"fragment {part}" + (f", {security}" if part == 1 and "tls" in out else "")
        yield f"{name}; {security}{mac}; {len(bare)} bytes{crcs}"
        for note in annotate(bare, key, **switches):
            yield from _rows(note)
    except BadTelegram:
        yield f"{len(data)} bytes that are no telegram: {data[:_BYTES_A_ROW].hex(' ').upper()} ..."
    for own in out.get("maker_values", []):
        shown = "no value" if own["value"] is None else f"{own['value']}{' ' * bool(own['unit'])}{own['unit']}"
        storage = f", storage {own['storage_number']}" if own["storage_number"] else ""
        yield f"maker's: {own['quantity']} = {shown}{storage}"
    reception = out.get("reception", {})
    form = {"rssi_dbm": "{} dBm", "time": "at {}", "mode": "in {}"}
    said = [words.format(reception[name]) for name, words in form.items() if name in reception]
    if said:
        yield f"received: {', '.join(said)}"
    yield from (f"note: {note}" for note in reception.get("notes", []))
    for odd in out.get("odd", []):
        yield f"odd: {odd['reason']} at byte {odd['offset']}: {odd['detail']}"
    if "error" in out:
        error = out["error"]
        yield f"refused: {error['reason']} at byte {error['offset']}: {error['detail']}{_way_out(error['reason'])}"


def _rows(note: Note) -> list[str]:
    shown = note.data.hex(" ").upper()
    width = 3 * _BYTES_A_ROW
    first, *others = [shown[at : at + width].rstrip() for at in range(0, len(shown), width)] or [""]
    rows = [f"{note.offset:4d}  {first:<{width}} {note.layer}  {note.meaning}"]
    return rows + [f"      {row}" for row in others]


def _way_out(reason: str) -> str:
    return {
        "key-missing": "; give the meter's key with --key",
        "wrong-key": "; is --key this meter's? --already-decrypted reads what somebody decrypted before",
        "mac-wrong": "; is --key this meter's?",
        "mac-too-short": _NOT_STRICT,
        "mac-missing": _NOT_STRICT,
        "clear-tail": _NOT_STRICT,
        "not-encrypted": _NOT_STRICT,
        "duplicate-record": _NOT_STRICT,
        "bad-record": "; without --strict what stands before it is read",
        "length-mismatch": "; is the hex complete?",
    }.get(reason, "")
