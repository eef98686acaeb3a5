"""Octets between the gateway and one meter over frames that may be lost or damaged: HDLC's normal response mode.

The bus has two wires for everybody, so a meter speaks only when it was asked. The gateway (primary) sends one frame
with the poll bit, the meter (secondary) answers with one. Numbers are modulo 8 and the window is one frame: what was
not acknowledged is sent again, what comes twice is taken once (ISO/IEC 13239, 5.5 and 6; the choice of it is this
model's).

    SNRM 93   begin anew, both numbers 0        UA 73   done
    DISC 53   end                               DM 1F   there is no such link, begin it first
    I    N(R) P/F N(S) 0, with octets           RR      N(R) P/F 0001, nothing to say
"""

from __future__ import annotations

from typing import Final

from sim.smgw.hdlc import Frame
from sim.smgw.lmn.bus import GATEWAY, frame

SNRM, UA, DISC, DM = 0x93, 0x73, 0x53, 0x1F
POLL: Final = 0x10
_RR: Final = 0x01
MODULUS: Final = 8
INFORMATION_MOST_BYTES: Final = 1_024
"""Ours: of one frame, so that no meter holds the bus for long (11 ms at 921 600 Bd)."""
SILENT_MOST: Final = 6
"""Ours: so many frames without an answer, and the link is down."""


class _End:
    """What both ends have in common. `device` and `spoken`: the meter's address."""

    def __init__(self, device: int, spoken: int) -> None:
        self.device, self.spoken = device, spoken
        self.repeats = 0
        """Frames that were sent again."""
        self._reset(up=False)

    def _reset(self, *, up: bool) -> None:
        self.up = up
        self._waiting = bytearray()
        self._came = bytearray()
        self._unacknowledged: bytes | None = None
        self._sent_once = False
        self._next_sent = self._next_taken = 0

    def say(self, data: bytes) -> None:
        """Octets for the other side, in order. What the link has when it ends is gone."""
        self._waiting += data

    def take(self) -> bytes:
        """Octets that came since the last time."""
        came = bytes(self._came)
        self._came.clear()
        return came

    @property
    def has_more(self) -> bool:
        """Something is not with the other side yet."""
        return bool(self._waiting) or self._unacknowledged is not None

    def _one(self) -> tuple[int, bytes]:
        """Control and information of what is to be sent now."""
        if self._unacknowledged is None and self._waiting:
            self._unacknowledged = bytes(self._waiting[:INFORMATION_MOST_BYTES])
            del self._waiting[:INFORMATION_MOST_BYTES]
            self._sent_once = False
        if self._unacknowledged is None:
            return self._next_taken << 5 | POLL | _RR, b""
        self.repeats += self._sent_once
        self._sent_once = True
        return self._next_taken << 5 | POLL | self._next_sent << 1, self._unacknowledged

    def _numbered(self, read: Frame) -> bool:
        """Take a frame with numbers; False: it is none of those here."""
        control = read.control
        information = not control & 1
        if not information and control & 0x0F != _RR:
            return False
        if self._unacknowledged is not None and control >> 5 == (self._next_sent + 1) % MODULUS:
            self._unacknowledged = None
            self._next_sent = control >> 5
        if information and control >> 1 & 7 == self._next_taken:
            self._came += read.information
            self._next_taken = (self._next_taken + 1) % MODULUS
        return True


class Primary(_End):
    """The gateway's end. Send `next`, hand what came to `heard`, again and again."""

    def __init__(self, device: int, spoken: int) -> None:
        super().__init__(device, spoken)
        self.silent = 0
        self.begun = 0
        """How often the link was begun."""
        self.idle = False
        """The last answer was that there is nothing to say, and nothing is under way to the meter."""

    @property
    def is_lost(self) -> bool:
        """The meter has not answered for too long."""
        return self.silent >= SILENT_MOST

    def next(self) -> Frame:
        """What is to be sent now."""
        control, information = self._one() if self.up else (SNRM, b"")
        return frame(self.device, GATEWAY, self.spoken, information, control)

    def heard(self, read: Frame | None) -> None:
        """What came as its answer; None: nothing, or something damaged. What is not of this meter is nothing."""
        asked = frame(GATEWAY, self.device, self.spoken, b"")
        self.idle = False
        if read is None or (read.destination, read.source) != (asked.destination, asked.source):
            self.silent += 1
            return
        if not self.up:
            if read.control == UA:
                waiting = bytes(self._waiting)
                self._reset(up=True)
                self._waiting += waiting  # said before the link was up
                self.begun += 1
                self.silent = 0
            else:
                self.silent += 1
            return
        if read.control == DM:
            self._reset(up=False)
        elif self._numbered(read):
            self.silent = 0
            self.idle = bool(read.control & 1) and not self.has_more
        else:
            self.silent += 1

    def end(self) -> Frame:
        """Down, and what tells the meter so."""
        self._reset(up=False)
        return frame(self.device, GATEWAY, self.spoken, b"", DISC)


class Secondary(_End):
    """A meter's end."""

    def __init__(self, device: int, spoken: int) -> None:
        super().__init__(device, spoken)
        self.begun = 0
        """How often the gateway began it anew: what was above it begins anew too."""

    def answer(self, read: Frame) -> Frame | None:
        """To a frame with the poll bit; None: what came is to be looked at, and then `poll` is the answer."""
        if read.control == SNRM:
            self._reset(up=True)
            self.begun += 1
            return self._frame(UA)
        if read.control == DISC:
            was = self.up
            self._reset(up=False)
            return self._frame(UA if was else DM)
        if not self.up or not self._numbered(read):
            return self._frame(DM)
        return None

    def poll(self) -> Frame:
        """The answer to a frame with numbers, when what came was looked at."""
        control, information = self._one()
        return self._frame(control, information)

    def _frame(self, control: int, information: bytes = b"") -> Frame:
        return frame(GATEWAY, self.device, self.spoken, information, control)
