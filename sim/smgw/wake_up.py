"""The administrator's wake-up: one signed datagram, after which a gateway calls the address that it was configured
with.

    "WMWU" | version 1 | length of id | id | seconds since 1970 (8 bytes) | nonce (8) | ECDSA signature, DER

Layout, port, window and rate are of this model: no text that fixes them could be opened. The order of looking is
header, recipient, signature, time, not seen before, not too often; nothing is answered, whatever arrives. No address
stands in it, so whoever forges one could not even choose who is called.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

MAGIC: Final = b"WMWU\x01"
WINDOW_S: Final = 30
"""How far its time may be from the gateway's clock."""
LEAST_S: Final = 30
"""Between two calls."""
MOST_BYTES: Final = 256
NONCE_BYTES: Final = 8
_KEPT: Final = 1_024

Verify = Callable[[bytes, bytes], bool]
"""(signed bytes, signature) -> the administrator signed them."""


def encode(recipient: str, at_s: int, nonce: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """A datagram. Raises ValueError for an id or a nonce that does not fit."""
    name = recipient.encode()
    if not 0 < len(name) <= 64 or len(nonce) != NONCE_BYTES:
        raise ValueError("an id of 1 to 64 bytes and a nonce of 8")
    body = MAGIC + bytes((len(name),)) + name + at_s.to_bytes(8, "big") + nonce
    return body + sign(body)


@dataclass
class WakeUps:
    """A gateway's judgement. `heed` says what became of a datagram: "woken", or why not: "header", "recipient",
    "signature", "time", "seen", "rate". `remember` False is the weakness that forgets what it has seen, and does not
    count calls; `check` False the one that believes whatever names a recipient, its own or another."""

    recipient: str
    verify: Verify
    remember: bool = True
    check: bool = True
    _seen: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    _last_s: int | None = None

    def heed(self, datagram: bytes, now_s: int) -> str:
        head = len(MAGIC)
        if len(datagram) > MOST_BYTES or datagram[:head] != MAGIC or len(datagram) < head + 1:
            return "header"
        end = head + 1 + datagram[head]
        signed = end + 8 + NONCE_BYTES
        if len(datagram) <= signed:
            return "header"
        if not self.check:
            return "woken"
        if datagram[head + 1 : end] != self.recipient.encode():
            return "recipient"
        if not self.verify(datagram[:signed], datagram[signed:]):
            return "signature"
        if abs(int.from_bytes(datagram[end : end + 8], "big") - now_s) > WINDOW_S:
            return "time"
        if self.remember:
            body = datagram[:signed]
            if body in self._seen:
                return "seen"
            self._seen[body] = None
            if len(self._seen) > _KEPT:
                self._seen.popitem(last=False)
            if self._last_s is not None and 0 <= now_s - self._last_s < LEAST_S:
                return "rate"
        self._last_s = now_s
        return "woken"
