"""Questions and answers of the WAN as bytes: HTTP/1.1 with a length, and nothing else of it.

What sockets without cells carry is written by Python's own client and server; this is for lines that have none of
these, and both sides read what the other wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, NamedTuple

from sim.smart_metering.wan.tls import WanError

BODY_MOST_BYTES: Final = 1 << 24
HEAD_MOST_BYTES: Final = 4_096
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length"


class Reply(NamedTuple):
    """`status`: of HTTP."""

    status: int
    body: bytes = b""


class Question(NamedTuple):
    method: str
    path: str
    body: bytes = b""


Answer = Callable[[str, str, str, bytes], Reply]
"""(party, method, path, body)."""


def request(asked: Question) -> bytes:
    head = f"{asked.method} {asked.path} HTTP/1.1\r\nContent-Length: {len(asked.body)}\r\n\r\n"
    return head.encode("ascii") + asked.body


def response(reply: Reply) -> bytes:
    phrase = HTTPStatus(reply.status).phrase
    head = f"HTTP/1.1 {reply.status} {phrase}\r\nContent-Length: {len(reply.body)}\r\n\r\n"
    return head.encode("ascii") + reply.body


def read_request(message: bytes) -> Question:
    """A whole one. Raises WanError (message)."""
    first, body = _parts(message)
    words = first.split(b" ")
    if len(words) != 3 or words[2] != b"HTTP/1.1" or not all(words):
        raise WanError("message", "its first line is no question")
    try:
        return Question(words[0].decode("ascii"), words[1].decode("ascii"), body)
    except UnicodeDecodeError:
        raise WanError("message", "its first line is not ASCII") from None


def read_response(message: bytes) -> Reply:
    """A whole one. Raises WanError (message)."""
    first, body = _parts(message)
    words = first.split(b" ", 2)
    if len(words) < 2 or words[0] != b"HTTP/1.1" or not (words[1].isdigit() and len(words[1]) == 3):
        raise WanError("message", "its first line is no answer")
    return Reply(int(words[1]), body)


def _parts(message: bytes) -> tuple[bytes, bytes]:
    """The first line, and the body."""
    head, found, body = message.partition(_END)
    if not found or len(head) > HEAD_MOST_BYTES:
        raise WanError("message", f"no head of at most {HEAD_MOST_BYTES} bytes")
    first, *fields = head.split(b"\r\n")
    lengths = [value.strip() for name, _, value in (field.partition(b":") for field in fields) if
               name.lower() == _LENGTH]  # fmt: skip
    if lengths != [str(len(body)).encode()]:
        raise WanError("message", f"{len(body)} bytes follow its head, which names another length")
    if len(body) > BODY_MOST_BYTES:
        raise WanError("message", f"a body has at most {BODY_MOST_BYTES} bytes")
    return first, body
