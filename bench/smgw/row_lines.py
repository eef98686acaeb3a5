"""A line of JSON in, a line out: the streams of `smgw`. What is refused has an `error`, and the stream goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bench.frame.decode import parsed, stream
from bench.frame.hex_text import BadText, telegram_bytes
from sim.pki.authority import PkiError
from sim.pki.sealed_content import ContentError

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def answered(answer: Answer) -> int:
    """Standard input, line by line; the exit code."""
    return stream(lambda line: row_line(line, answer))


def row_line(line: bytes | None, answer: Answer) -> str:
    """What a row is answered, with its id."""
    given: dict[str, Any] = {}
    try:
        given = parsed(line)
        out = answer(given)
    except BadText as error:
        out = {"error": error.as_json()}
    except ContentError as error:
        out = {"error": {"reason": error.reason, "detail": error.detail}}
    except PkiError as error:
        out = {"error": {"reason": "key", "detail": str(error)}}
    return json.dumps({"id": given.get("id"), **out})


def in_hex(row: dict[str, Any], name: str, what: str = "") -> bytes:
    """The bytes of a member. Raises BadText."""
    if not isinstance(row.get(name), str):
        raise BadText("bad-line", f'no member "{name}" {what}in hex')
    return telegram_bytes(row[name])
