"""Hex and keys as people paste them, and lines as streams bring them.

A telegram comes out of a log with spaces, bars, an 0x in front, in capitals: all of that is hex. What is not is
refused with the place. Lines are read as they come and never held longer than a telegram can be, so that neither a
slow sender waits nor a wrong file fills the memory.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from bench import broken_pipe
from sim.lines.reception import BadLine, hex_bytes

MAX_LINE_BYTES = 1 << 16
MAX_INPUT_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 16
KEY_BYTES = 16


class BadText(ValueError):
    """Not hex, not a key, not JSON. `reason` is the code, `offset` the place in the text."""

    def __init__(self, reason: str, detail: str, offset: int = 0) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.offset = offset

    def as_json(self) -> dict[str, Any]:
        """The member `error` of an answer."""
        return {"reason": self.reason, "detail": self.detail, "offset": self.offset}


def telegram_bytes(text: str) -> bytes:
    """Hex -> bytes. Raises BadText (bad-hex)."""
    try:
        return hex_bytes(text)
    except BadLine as error:
        raise BadText("bad-hex", str(error), error.offset) from None


def key_bytes(text: object) -> bytes | None:
    """Hex -> 16 bytes; None and "" are no key. Raises BadText (bad-key)."""
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise BadText("bad-key", f"a key is 32 hex digits or null, not {type(text).__name__}")
    try:
        key = telegram_bytes(text)
    except BadText as error:
        raise BadText("bad-key", f"a key is 32 hex digits: {error.detail}", error.offset) from None
    if len(key) != KEY_BYTES:
        raise BadText("bad-key", f"a key is 32 hex digits, here {2 * len(key)}")
    return key


def whole_stdin() -> str:
    """All of standard input, up to a megabyte. Raises BadText (too-long, bad-text)."""
    if sys.stdin is None:
        return ""
    if sys.stdin.isatty():
        print("reading standard input; Ctrl-D ends it", file=sys.stderr)
    data = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
    if len(data) > MAX_INPUT_BYTES:
        raise BadText("too-long", f"more than {MAX_INPUT_BYTES} bytes are no telegram; --jsonl reads many", len(data))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadText("bad-text", "binary, not text; give the telegram in hex", error.start) from None


def batches(descriptor: int, most_bytes: int = MAX_LINE_BYTES) -> Iterator[list[bytes | None]]:
    """The lines of a stream without their ends, as many at a time as have arrived; None for one that is too long."""
    rest = b""
    skipping = False
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        first, *others = (rest + chunk).split(b"\n")
        lines: list[bytes | None] = [first, *others]
        rest = (others or [first])[-1]
        lines.pop()
        if skipping and lines:
            lines[0] = None
            skipping = False
        if len(rest) > most_bytes or skipping:
            rest, skipping = b"", True
        yield [None if line is None or len(line) > most_bytes else line for line in lines]
    if rest or skipping:
        yield [None if skipping else rest]


def write_lines(lines: Iterable[str]) -> bool:
    """Print and flush; False when the reader has gone, and a stream has no reason to go on."""
    stream = sys.stdout
    out = getattr(stream, "buffer", None)
    if out is None:  # pragma: no cover  a test's own stream
        stream.writelines(f"{line}\n" for line in lines)
        return True
    try:
        out.write("".join([f"{line}\n" for line in lines]).encode())
        out.flush()
    except BrokenPipeError:
        if isinstance(stream, broken_pipe.Pipe):
            stream.drop()
        return False
    return True
