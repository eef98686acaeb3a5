"""The sessions of one end of a radio link: the one that is live, and the one whose handshake is under way.

Anybody with a transmitter can begin a handshake, and nobody without the paired key can end one. So a handshake stands
beside the live session and takes its place when it is over; one that fails leaves the live session as it was. A session
whose link broke off amid a message may be resumed, for as long as it would have lasted. A damaged record ends one for
good, as TLS has it: the next handshake is a full one.
"""

from __future__ import annotations

import ssl
from collections import Counter, deque
from collections.abc import Callable

from sim.smart_metering.lmn.tls_channel import LinkRefused, Resumable, TlsChannel
from wmbus import mode13
from wmbus.tls_records import APPLICATION, CLIENT_HELLO, TlsRecord


class Sessions:
    """`told(reason, detail)`: a session was refused, or ended. `outgoing`: (application data?, TLS records), in order;
    each is one message."""

    def __init__(
        self, made: ssl.SSLContext, peer: bytes, *, server: bool, told: Callable[[str, str], None] = lambda *_: None
    ) -> None:
        self._made, self._peer, self._server, self._told = made, peer, server, told
        self.live: TlsChannel | None = None
        self.outgoing: deque[tuple[bool, bytes]] = deque()
        self.counts: Counter[str] = Counter()
        """"full", "resumed": handshakes that ended well; "refused: <reason>"."""
        self._new: TlsChannel | None = None
        self._kept: TlsChannel | None = None
        self._resumable: Resumable | None = None

    def is_live(self, now_s: int) -> bool:
        """There is a session, and it is not over."""
        return self.live is not None and not self.live.is_over(now_s)

    @property
    def handshaking(self) -> bool:
        return self._new is not None

    def begin(self, now_s: int) -> None:
        """A handshake; as client it says hello."""
        of = self._resumable
        if of is not None and (self._server or now_s >= of.ends_s):
            of = None
        self._new = TlsChannel(self._made, self._peer, server=self._server, now_s=now_s, of=of)
        self._drain(self._new)

    def break_off(self) -> None:
        """Something was lost under way, so the live session cannot go on; it may be resumed."""
        self._kept = self.live or self._kept  # OpenSSL forgets a session whose connection is freed
        self.live = None

    def drop_handshake(self) -> None:
        """It broke off."""
        self._new = None

    def forget(self) -> None:
        """Everything: a power cut."""
        self.live = self._new = self._kept = self._resumable = None
        self.outgoing.clear()

    def say(self, data: bytes) -> None:
        """Under the live session."""
        assert self.live is not None, "there is no session"
        self.live.say(data)
        self._drain(self.live)

    def take(self, message: mode13.Message13, now_s: int) -> bytes:
        """What a message says under the live session. What it does to the handshake, or to the session, is done."""
        applied = message.records[0].kind == APPLICATION
        if self._server and not applied and _says_hello(message.records[0]):
            self.begin(now_s)
        channel = self.live if applied or self._new is None else self._new
        if channel is None:
            self._refuse("no session", "TLS records, and there is no session that they could be of")
            return b""
        try:
            said = channel.feed(message.stream)
        except LinkRefused as error:
            self._drain(channel)
            self._end(channel)
            self._refuse(error.reason, error.detail)
            return b""
        self._drain(channel)
        if channel is self._new and channel.up:
            self.live, self._new, self._resumable = channel, None, channel.resumable
            self.counts["resumed" if channel.resumed else "full"] += 1
        return said

    def _end(self, channel: TlsChannel) -> None:
        if channel is self._new:
            self._new = None
        else:
            self.live = None

    def _refuse(self, reason: str, detail: str) -> None:
        self.counts[f"refused: {reason}"] += 1
        self._told(reason, detail)

    def _drain(self, channel: TlsChannel) -> None:
        out = channel.out()
        if out:
            self.outgoing.extend(mode13.by_ci(out))


def _says_hello(record: TlsRecord) -> bool:
    return bool(record.messages) and record.messages[0].kind == CLIENT_HELLO
