"""A format of sim.lines on a line: the serial dongles (im871a, amb8465, cul, rc1180), the lines that rtl_wmbus and
rtl_433 print, and every other format that has a writer.

Rules kept here. RSSI and broken CRCs are passed on as the format can: the byte of a dongle rounds to half a decibel, a
raw frame has no level, and only a format with a mark for it says that CRCs did not fit; the others pass no such frame,
as their receivers do not. A dongle that a gateway set to one mode hears no other. `mute` is a dongle that hangs: its
port is there, and it neither speaks nor answers. `unplug` takes the port away, `plug` brings it back with the dongle in
its first state.

An answer takes ANSWER_S, and the time that it and its command take on the dongle's line.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sim.core.clock import NS_PER_S, wall_now, wall_ns, wall_sleep
from sim.core.settings import name_from, one_of
from sim.feeders.handed import Handed
from sim.feeders.lines.port import LINES, LineError, LineSpec
from sim.feeders.port import FeederError, FeederKind, FeederSpec, FeedGround, Sent
from sim.lines.codecs.port import ANSWER_S, CODECS, Codec, Dongle
from sim.lines.reception import Reception, Stamp
from wmbus.recover import Recovered

_BITS_PER_BYTE: Final = 10  # of a serial line: start and stop bit
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _formats() -> tuple[str, ...]:
    return tuple(CODECS.parts())


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecSpec(FeederSpec):
    """`format`: one of sim.lines.codecs. `line`: what its bytes go over."""

    format: str = name_from(_formats)
    kind: str = "codec"
    line: LineSpec = one_of(LINES.specs, default="pty")


class CodecFeeder:
    """See port.Feeder."""

    def __init__(self, spec: CodecSpec, ground: FeedGround) -> None:
        self.codec: Codec = CODECS.find(spec.format)
        self.handed = Handed()
        self.mute = False
        self.dongle: Dongle | None = None
        """The dongle's state, as the gateway set it; None for a format without commands, and unplugged."""
        self.heard_bytes = 0
        """What the gateway said to it."""
        self._line = LINES.find(spec.line.kind).open(spec.line, ground.directory, self.codec.baud)
        self._bits_per_s = self.codec.baud or 0
        self._lock = threading.Lock()
        self._why_not = ""
        self._plugged = False

    # --- the port -------------------------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        return self._line.place

    @property
    def problem(self) -> str | None:
        if self.mute:
            return f"the {self.codec.id} at {self.place or 'standard input'} is mute: it neither speaks nor answers"
        return self._line.problem or self._why_not or None

    @property
    def broken(self) -> str:
        return str(self._line.broken)

    def start(self) -> None:
        try:
            self.plug()
        except LineError as error:
            raise FeederError(str(error)) from None

    def attach(self, standard_input: int) -> None:
        self._line.attach(standard_input)

    def feed(self, sent: Sent) -> bool:
        if self.mute or not self._plugged:
            return False
        data = self.bytes_of(sent)
        if not data:
            return False
        if not self._line.send(data):
            self.handed.lost += 1
            return False
        self.handed.late_ns.append(wall_ns() - sent.ended_ns)
        line_ns = len(data) * _BITS_PER_BYTE * NS_PER_S // self._bits_per_s if self._bits_per_s else 0
        self.handed.line_ns.append(line_ns)
        return True

    def stop(self) -> None:
        self.unplug()

    # --- what befalls a dongle ------------------------------------------------------------------------------------

    def unplug(self) -> None:
        """Its port vanishes. Idempotent."""
        self._plugged = False
        self._line.close()
        with self._lock:
            self.dongle = None

    def plug(self) -> None:
        """It is there again, as it was when new. Raises LineError."""
        if self._plugged:
            return
        with self._lock:
            self.dongle = self.codec.dongle() if self.codec.dongle is not None else None
        self._line.open(self._answer)
        self._plugged = True

    def inject(self, data: bytes) -> bool:
        """Put these bytes on the line as they are: half a frame, noise, two frames in one piece."""
        return self._line.send(data) > 0

    # --- below ----------------------------------------------------------------------------------------------------

    def _answer(self, came: bytes) -> bytes:
        self.heard_bytes += len(came)
        with self._lock:
            back = self.dongle.feed(came) if self.dongle is not None and not self.mute else b""
        if back and self._bits_per_s:
            wall_sleep(ANSWER_S + (len(came) + len(back)) * _BITS_PER_BYTE / self._bits_per_s)
        return back

    def bytes_of(self, sent: Sent) -> bytes:
        """A frame as it stands on the line. Empty where this interface passes no such frame on, and then `problem` says
        why."""
        dongle = self.dongle
        if dongle is not None and not dongle.hears(sent.mode):
            self._why_not = f"the gateway set its {self.codec.id} so that it does not hear {sent.mode}"
            return b""
        if not sent.crc_ok and not self.codec.says_broken:
            return b""
        self._why_not = ""
        at = wall_now()
        stamp = Stamp(at.isoformat(), (at - _EPOCH) // timedelta(microseconds=1) * 1_000, dated=True)
        one = Reception(sent.frame, sent.rssi_dbm, stamp, sent.crc_ok, sent.mode)
        vars(one)["found"] = Recovered(sent.frame, sent.format)  # these bytes, also where they are no telegram
        try:
            return self.codec.write(one)
        except ValueError as error:
            self._why_not = f"{self.codec.id} cannot say this frame: {error}"
            return b""


KIND = FeederKind("codec", "A format on a line: dongles, and what receivers print", CodecSpec, CodecFeeder)
