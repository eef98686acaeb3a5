"""WebSocket (RFC 6455) as much as MQTT over it needs, for both sides, and the head of an HTTP/1.1 message. Pure.

MQTT's packets are a stream here: frames begin and end anywhere in them (mqtt-v3.1.1, 6). A client masks what it sends,
a server does not (RFC 6455, 5.3); a mask hides nothing, it keeps old proxies from taking payloads for requests.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_ACCEPT: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
HEAD_BYTES: Final = 16_384
FRAME_BYTES: Final = 1 << 20


class BadFrame(ValueError):
    """These bytes are no HTTP head, or no WebSocket frame."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line and the headers of an HTTP message, names in small letters."""

    line: str
    headers: dict[str, str]


def head(data: bytes) -> tuple[Head, bytes] | None:
    """(head, what follows it); None while it is not whole. Raises BadFrame."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > HEAD_BYTES:
            raise BadFrame(f"a head of more than {HEAD_BYTES} bytes")
        return None
    try:
        first, *lines = data[:end].decode("ascii").split("\r\n")
    except UnicodeDecodeError:
        raise BadFrame("a head that is not ASCII") from None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadFrame("a header without a name")
        if name.lower() in headers:
            raise BadFrame("a header that comes twice")
        headers[name.lower()] = value.strip()
    return Head(first, headers), data[end + 4 :]


def accept(key: str) -> str:
    """What a server answers to Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1((key + _ACCEPT).encode(), usedforsecurity=False).digest()).decode()


class Frames:
    """One side of a connection after the handshake. `mask`: four bytes for the next frame; None: we are the server, and
    what comes must be masked."""

    def __init__(self, mask: Callable[[], bytes] | None = None) -> None:
        self.ended = False
        self.replies = bytearray()  # pongs, and the answer to a close: to be sent as they stand
        self._mask = mask
        self._held = bytearray()

    def feed(self, data: bytes) -> bytes:
        """The payload that has arrived. Raises BadFrame."""
        self._held += data
        payload = bytearray()
        while not self.ended and (frame := self._take()) is not None:
            kind, body = frame
            if kind in (BINARY, CONTINUATION):
                payload += body
            elif kind == PING:
                self.replies += self.encode(body, PONG)
            elif kind == CLOSE:
                self.replies += self.encode(body[:2], CLOSE)
                self.ended = True
            elif kind != PONG:
                raise BadFrame(f"a frame of kind {kind}, where MQTT wants binary ones")
        return bytes(payload)

    def encode(self, data: bytes, kind: int = BINARY) -> bytes:
        """One whole frame."""
        masked = 0x80 if self._mask is not None else 0
        if len(data) < 126:
            size = bytes([masked | len(data)])
        elif len(data) < 1 << 16:
            size = bytes([masked | 126]) + len(data).to_bytes(2, "big")
        else:
            size = bytes([masked | 127]) + len(data).to_bytes(8, "big")
        mask = self._mask() if self._mask is not None else b""
        return bytes([0x80 | kind]) + size + mask + (_masked(data, mask) if mask else data)

    def _take(self) -> tuple[int, bytes] | None:
        held = self._held
        if len(held) < 2:
            return None
        length, at = held[1] & 0x7F, 2
        if held[0] & 0x70:
            raise BadFrame("a frame with an extension that nobody agreed on")
        if length >= 126:
            wide = 2 if length == 126 else 8
            if len(held) < at + wide:
                return None
            length, at = int.from_bytes(held[at : at + wide], "big"), at + wide
        if length > FRAME_BYTES:
            raise BadFrame(f"a frame of {length} bytes; the limit is {FRAME_BYTES}")
        is_masked = bool(held[1] & 0x80)
        if is_masked != (self._mask is None):
            raise BadFrame("a client's frame is masked, a server's is not")
        start = at + (4 if is_masked else 0)
        if len(held) < start + length:
            return None
        body = bytes(held[start : start + length])
        if is_masked:
            body = _masked(body, bytes(held[at:start]))
        kind = held[0] & 0x0F
        del held[: start + length]
        return kind, body


def _masked(data: bytes, mask: bytes) -> bytes:
    """RFC 6455, 5.3; as one number, since payloads are long."""
    pattern = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pattern, "big")).to_bytes(len(data), "big")
