"""The gateway's side of one radio meter of security profile C: what it answers to what it hears, and what it takes.

It never speaks first. A meter that demands access is asked; without a live session it begins a handshake. When the
meter has nothing more to say, or its values were taken, it is told so. Values are handed over whole, before the meter
is told that they were taken; so a power cut takes none that the meter believes to be here.

Rule kept here (`pinned`): the security mode is the one that was agreed, whatever a message says of itself. Without that
rule a message in mode 0 is believed, and so is one whose header says mode 13 and that carries no TLS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sim.pki.authority import Pair
from sim.pki.link_certificates import is_valid_at
from sim.smart_metering.lmn import radio_frames
from sim.smart_metering.lmn.radio_frames import ACC_DMD, ACK, FCB, REQ_UD2, RSP_UD, SND_NKE, SND_UD
from sim.smart_metering.lmn.radio_registers import Counted, counted_in
from sim.smart_metering.lmn.radio_sessions import Sessions
from sim.smart_metering.lmn.tls_channel import context
from wmbus import mode13
from wmbus.dissect import Telegram, parse
from wmbus.errors import BadTelegram, Reason
from wmbus.fragments import Reassembly
from wmbus.link import Address

REQUESTS_MOST: Final = 400
"""Ours, in one cycle: a handshake takes some thirty."""
Tell = Callable[[str, str], None]
"""(what, detail)."""


@dataclass(frozen=True, slots=True)
class RadioPairing:
    """A meter that the administrator named, and the certificates that were exchanged. `sealed` False: mode 0 was agreed
    with it, which is the weakness; `pinned` False: what a message says of itself is believed, another."""

    meter: Address
    own: Pair
    certificate: bytes
    sealed: bool = True
    pinned: bool = True


class RadioLink:
    """`take(counted, now_s)` keeps values, and returns when they are kept. Raises what `take` raises, and nothing for
    what is heard."""

    def __init__(
        self, gateway: Address, pairing: RadioPairing, take: Callable[[Counted, int], None], tell: Tell
    ) -> None:
        self.pairing, self._gateway, self._keep, self._tell = pairing, gateway, take, tell
        self.counts: Counter[str] = Counter()
        """"values"; "refused: <reason>" of frames and messages; those of sessions are in `sessions`."""
        made = context(pairing.own, pairing.certificate, server=False)
        self.sessions = Sessions(made, pairing.certificate, server=False, told=self._session_told)
        self._reassembly = Reassembly()
        self._parts: list[bytes] = []
        self._pending = b""
        self._demand: int | None = None
        self._answered: int | None = None
        self._fcb = 0
        self._acc = 0
        self._open = False
        self._requests = 0

    # --- what it hears ----------------------------------------------------------------------------------------------

    def hear(self, frame: bytes, now_s: int) -> bytes:
        """What it answers within the meter's window; b"": nothing."""
        try:
            telegram = parse(frame)
        except BadTelegram:
            return b""
        c = frame[1]
        if c in radio_frames.FROM_GATEWAY:
            return b""
        if telegram.link_address != self.pairing.meter or telegram.ell is None:
            return self._unasked(telegram, now_s)
        acc = telegram.ell.acc
        if c == ACC_DMD:
            return self._demanded(telegram, acc, now_s)
        if c not in radio_frames.FROM_METER:
            return self._unasked(telegram, now_s)
        if self._pending and acc == self._answered:
            return self._pending  # it did not hear what came of its answer
        if not self._open or acc != radio_frames.access_number(self._pending):
            self._refused(Reason.FRAGMENT.value, "an answer to nothing that was asked")
            return b""
        self._answered = acc
        asked = self._pending[1] & ~FCB
        if c == ACK and asked == SND_UD:
            self._parts.pop(0)
        elif c == ACK and asked == REQ_UD2:
            return self._next(now_s, more=False)
        elif c == RSP_UD and asked == REQ_UD2:
            return self._next(now_s, more=self._take(telegram, now_s))
        else:
            return self._pending
        return self._next(now_s, more=True)

    def _demanded(self, telegram: Telegram, acc: int, now_s: int) -> bytes:
        if acc == self._demand and self._pending:
            return self._pending  # it did not hear the answer
        try:
            kind = 0 if telegram.transport is None else self._kind(telegram)
        except BadTelegram as error:
            self._refused(error.reason.value, error.detail)
            return b""
        if (self._parts or self._reassembly.is_open) and not self.sessions.handshaking:
            self.sessions.break_off()  # amid a message of the live session
        self.sessions.drop_handshake()
        self.sessions.outgoing.clear()
        self._parts, self._reassembly = [], Reassembly()
        self._demand, self._answered, self._fcb, self._requests, self._open = acc, None, 0, 0, True
        if self.pairing.sealed and (kind == mode13.CHANNEL or not self.sessions.is_live(now_s)):
            if not is_valid_at(self.pairing.certificate, datetime.fromtimestamp(now_s, UTC)):
                self._session_told("certificate", "it is not valid now; a new pair is due")
                return b""
            self.sessions.begin(now_s)
        return self._next(now_s, more=True)

    @staticmethod
    def _kind(telegram: Telegram) -> int:
        transport = telegram.transport
        assert transport is not None
        if transport.mode != mode13.MODE or telegram.payload:
            raise BadTelegram(Reason.BAD_HEADER, "access is demanded, and more is said", transport.offset)
        return transport.protocol_kind

    # --- what it says -----------------------------------------------------------------------------------------------

    def _next(self, now_s: int, *, more: bool) -> bytes:
        """A fragment of its own, a question, or that this was all. `more`: the meter may have something to say."""
        if not self._parts and self.sessions.outgoing:
            self._parts = self._frames(*self.sessions.outgoing.popleft())
        self._requests += 1
        if self._requests > REQUESTS_MOST:
            self._refused("endless", f"more than {REQUESTS_MOST} requests in one cycle")
            return self._ended()
        if not self._parts and not more:
            return self._ended()
        self._fcb ^= FCB
        self._acc = (self._acc + 1) % 256
        if self._parts:
            self._pending = radio_frames.numbered(self._parts[0], self._acc, SND_UD | self._fcb)
        else:
            self._pending = radio_frames.request(self._gateway, self.pairing.meter, REQ_UD2 | self._fcb, self._acc)
        return self._pending

    def _ended(self) -> bytes:
        self._open = False
        acc = radio_frames.access_number(self._pending) if self._pending else self._acc
        self._pending = radio_frames.request(self._gateway, self.pairing.meter, SND_NKE, acc)
        return self._pending

    def _frames(self, applied: bool, stream: bytes) -> list[bytes]:
        meter = self.pairing.meter
        ci = 0x5B if applied else mode13.CI_TLS_TO_METER
        fill = 0 if applied else mode13.fill_for(stream)
        body = mode13.body_of(stream, self._acc, ci, meter, fill=fill)
        return mode13.frames_of(radio_frames.gateway_front(self._gateway, meter, SND_UD), body, radio_frames.PART_BYTES)

    # --- what it takes ----------------------------------------------------------------------------------------------

    def _take(self, telegram: Telegram, now_s: int) -> bool:
        """False: values were taken, and nothing more is wanted."""
        try:
            whole = self._reassembly.add(telegram)
            if whole is None:
                return True
            values = self._values(whole, now_s)
        except BadTelegram as error:
            self._refused(error.reason.value, error.detail)
            return False
        if not values:
            return bool(self.sessions.outgoing) or self.sessions.handshaking or self.sessions.is_live(now_s)
        self._kept(values, now_s)
        return False

    def _values(self, whole: Telegram, now_s: int) -> bytes:
        """The records in a message; b"": it has none for the gateway. Raises BadTelegram."""
        pairing = self.pairing
        if whole.mode != mode13.MODE:
            if pairing.sealed and pairing.pinned:
                raise BadTelegram(Reason.MODE_UNSUPPORTED, f"{whole.security}, agreed was mode 13", 0)
            if whole.mode or whole.transport is None:
                raise BadTelegram(Reason.MODE_UNSUPPORTED, f"{whole.security}, and there is no key for it", 0)
            return whole.payload
        try:
            message = mode13.message_of(whole)
        except BadTelegram:
            if pairing.pinned or whole.transport is None:
                raise
            return whole.payload  # what says mode 13 and is none
        return self.sessions.take(message, now_s) if message.records else b""

    def _kept(self, records: bytes, now_s: int) -> None:
        try:
            counted = counted_in(records)
        except BadTelegram as error:
            self._refused(error.reason.value, error.detail)
            return
        self._keep(counted, now_s)
        self.counts["values"] += 1

    def _unasked(self, telegram: Telegram, now_s: int) -> bytes:
        """A telegram in the meter's name that is none of a session."""
        if telegram.address != self.pairing.meter:
            return b""
        if self.pairing.pinned or telegram.transport is None or (telegram.afl is not None and telegram.afl.fragmented):
            self._refused(Reason.MODE_UNSUPPORTED.value, f"{telegram.security}, agreed was mode 13")
            return b""
        try:
            self._kept(self._values(telegram, now_s), now_s)
        except BadTelegram as error:
            self._refused(error.reason.value, error.detail)
        return b""

    def _refused(self, reason: str, detail: str) -> None:
        self.counts[f"refused: {reason}"] += 1
        self._tell(f"refused: {reason}", detail)

    def _session_told(self, reason: str, detail: str) -> None:
        self._tell("session refused", f"{reason}: {detail}")
