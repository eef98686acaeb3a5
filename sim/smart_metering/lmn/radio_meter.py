"""A radio meter of security profile C: what it says when its time has come, and its side of the sessions.

`demand` begins a cycle; each frame that it hears then is answered by `hear`; `again` says the last one once more where
nothing came. In a session it says its registers once a cycle, as they are when it is asked. It speaks to the gateway
whose certificate it has. `plain` lets it speak in mode 0 without TLS, which is the weakness.

Seconds and bytes in, bytes out: what reaches whom, and when, is the caller's business.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sim.pki.authority import Pair
from sim.smart_metering.lmn import radio_frames
from sim.smart_metering.lmn.radio_frames import FCB, REQ_UD2, SND_NKE, SND_UD
from sim.smart_metering.lmn.radio_registers import Counted, records_of
from sim.smart_metering.lmn.radio_sessions import Sessions
from sim.smart_metering.lmn.tls_channel import context
from wmbus import mode13
from wmbus.afl import FCL_MCL, FCL_ML, MCL_ML, Afl
from wmbus.dissect import Telegram, parse
from wmbus.errors import BadTelegram, Reason
from wmbus.fragments import Reassembly, cut
from wmbus.link import Address
from wmbus.transport import Transport

_SAID_KEPT: Final = 8


@dataclass
class _Sending:
    """Frames of one message, and how many of them were said."""

    frames: list[bytes]
    at: int = 0


@dataclass(frozen=True, slots=True)
class SaidValues:
    """Registers in the message of this number. `last`: its last frame, access number 0."""

    number: int
    counted: Counted
    last: bytes


class RadioMeter:
    """`registers(now_s)`: what it has counted. `own`, `gateway`: its pair, and the paired gateway's certificate."""

    def __init__(
        self, address: Address, own: Pair, gateway: bytes, registers: Callable[[int], Counted], *, plain: bool = False
    ) -> None:
        self.address, self.plain = address, plain
        self.said: deque[SaidValues] = deque(maxlen=_SAID_KEPT)
        self.counts: Counter[str] = Counter()
        """"refused: <reason>" of frames and messages; those of sessions are in `sessions`."""
        self.sessions = Sessions(context(own, gateway, server=True), gateway, server=True)
        self._registers = registers
        self._said = 0
        self._acc = 0
        self.lose_power()

    def lose_power(self) -> None:
        """What was not kept is gone: the session, and whatever was under way."""
        self.sessions.forget()
        self._reassembly = Reassembly()
        self._sending: _Sending | None = None
        self._fcb: int | None = None
        self._last = b""
        self._asked = False

    # --- a cycle ----------------------------------------------------------------------------------------------------

    def demand(self, now_s: int) -> bytes:
        """Begin a cycle. What was under way in the one before it is dropped, and the session with it."""
        if (self._sending is not None or self._reassembly.is_open) and not self.sessions.handshaking:
            self.sessions.break_off()
        self.sessions.drop_handshake()
        self.sessions.outgoing.clear()
        self._sending, self._reassembly = None, Reassembly()
        self._fcb, self._asked = None, False
        self._acc = (self._acc + 1) % 256
        channel = not self.plain and not self.sessions.is_live(now_s)
        self._last = radio_frames.demand(self.address, self._acc, channel=channel)
        return self._last

    def again(self) -> bytes:
        """What it said last: nothing answered."""
        return self._last

    def is_meant(self, frame: bytes) -> bool:
        """The frame names it as receiver."""
        return self._meant(frame) is not None

    def _meant(self, frame: bytes) -> Telegram | None:
        try:
            telegram = parse(frame)
        except BadTelegram:
            return None
        return telegram if telegram.ell is not None and telegram.ell.receiver == self.address else None

    def hear(self, frame: bytes, now_s: int) -> bytes | None:
        """Its answer. b"": it says nothing; None: that was all, and it listens no longer."""
        telegram = self._meant(frame)
        if telegram is None or telegram.ell is None:
            return b""
        c, acc = frame[1], telegram.ell.acc
        if c == SND_NKE:
            self._fcb = None
            self._confirmed()
            return None
        if c not in radio_frames.FROM_GATEWAY:
            self.counts["refused: no request"] += 1
            return b""
        if c & FCB == self._fcb:
            return self._last  # asked for once more
        self._fcb = c & FCB
        self._confirmed()
        if c & ~FCB == SND_UD:
            self._take(telegram, now_s)
            self._last = radio_frames.acknowledgement(self.address, acc)
        elif c & ~FCB == REQ_UD2:
            self._last = self._next(acc, now_s)
        return self._last

    def _confirmed(self) -> None:
        """What was said last was heard."""
        if self._sending is not None and self._sending.at == len(self._sending.frames):
            self._sending = None

    # --- what it hears ----------------------------------------------------------------------------------------------

    def _take(self, telegram: Telegram, now_s: int) -> None:
        try:
            whole = self._reassembly.add(telegram)
            if whole is None:
                return
            if whole.address != self.address:
                raise BadTelegram(Reason.BAD_HEADER, "a message to another meter", 0)
            message = mode13.message_of(whole)
        except BadTelegram as error:
            self.counts[f"refused: {error.reason.value}"] += 1
            return
        if message.records:
            self.sessions.take(message, now_s)

    # --- what it says -----------------------------------------------------------------------------------------------

    def _next(self, acc: int, now_s: int) -> bytes:
        """The next fragment; or that there is none."""
        if self._sending is None:
            self._sending = self._message(now_s)
        sending = self._sending
        if sending is None:
            return radio_frames.acknowledgement(self.address, acc)
        sending.at += 1
        return radio_frames.numbered(sending.frames[sending.at - 1], acc)

    def _message(self, now_s: int) -> _Sending | None:
        sessions = self.sessions
        if not sessions.outgoing and not self._asked and (self.plain or sessions.is_live(now_s)):
            self._asked = True
            counted = self._registers(now_s)
            if self.plain:
                frames = self._in_clear(records_of(counted))
            else:
                sessions.say(records_of(counted))
                frames = self._frames(*sessions.outgoing.popleft())
            self._said += 1
            self.said.append(SaidValues(self._said, counted, frames[-1]))
            return _Sending(frames)
        return _Sending(self._frames(*sessions.outgoing.popleft())) if sessions.outgoing else None

    def _frames(self, applied: bool, stream: bytes) -> list[bytes]:
        ci = radio_frames.CI_VALUES if applied else mode13.CI_TLS_SHORT
        fill = 0 if applied else mode13.fill_for(stream)
        body = mode13.body_of(stream, self._acc, ci, fill=fill)
        return mode13.frames_of(self._front, body, radio_frames.PART_BYTES)

    @property
    def _front(self) -> bytes:
        return radio_frames.meter_front(self.address, radio_frames.RSP_UD)

    def _in_clear(self, records: bytes) -> list[bytes]:
        body = Transport(radio_frames.CI_VALUES, self._acc, 0, 0).wire() + records
        afl = Afl(FCL_MCL | FCL_ML, mcl=MCL_ML, ml=len(body))
        return cut(self._front, afl, body, radio_frames.PART_BYTES)
