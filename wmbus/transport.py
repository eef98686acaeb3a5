"""Transport layer (EN 13757-7): which header follows the CI, and the configuration field inside it.

    72 long    ID(4) M(2) Ver Type ACC STS CFG(2)      the address of the meter, when a radio module speaks for it
    7A short   ACC STS CFG(2)
    78 none

CFG bits 12-8 are the security mode.  Modes 0 and 5 keep the number N of encrypted 16-byte blocks in bits 7-4, mode 7
too and adds one extension byte; mode 10 adds two and a message counter; mode 13 counts bytes in bits 7-0 and adds one
byte, the kind of protocol.  CFG is authenticated only where a MAC or a
CCM tag covers it: in mode 5 any sender can change it.
"""

from __future__ import annotations

from dataclasses import dataclass

from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.link import Address

CI_LONG, CI_SHORT, CI_NONE = 0x72, 0x7A, 0x78
CI_TLS_TO_METER, CI_TLS_SHORT, CI_TLS_LONG = 0x5F, 0x9E, 0x9F

TLS = frozenset({0x5E, CI_TLS_TO_METER, CI_TLS_SHORT, CI_TLS_LONG})
"""CIs of TLS itself in security mode 13: its handshake and alerts (see mode13)."""
LONG = frozenset({0x5B, 0x5F, 0x60, 0x64, 0x6B, 0x6C, 0x6F, 0x72, 0x73, 0x75, 0x7C, 0x7E, 0x80, 0x84, 0x8B, 0x9F})
SHORT = frozenset({0x5A, 0x5E, 0x61, 0x65, 0x6A, 0x6D, 0x6E, 0x74, 0x7A, 0x7B, 0x7D, 0x7F, 0x85, 0x88, 0x8A, 0x9E})
NO_HEADER = frozenset({0x50, 0x51, 0x52, 0x69, 0x70, 0x71, 0x78, 0x79})
RECORDS = frozenset({0x5A, 0x5B, 0x51, 0x72, 0x78, 0x7A})
"""CIs whose payload is a sequence of full data records."""
TO_METER = frozenset({0x5A, 0x5B, 0x80})
"""CIs of what is sent to a meter: commands with records, and a transport layer alone."""
ANSWERS = frozenset({0x8A, 0x8B})
"""CIs of a transport layer alone from a meter: it acknowledges, and says nothing of what it measures."""
COMPACT = frozenset({0x73, 0x79, 0x7B})
"""CIs whose payload is a compact frame: format signature, full-frame CRC, values."""
MANUFACTURER = frozenset(range(0xA0, 0xB8))
"""CIs that a manufacturer fills as it likes; no header can be assumed."""

EXTENSION_BYTES = {7: 1, 10: 2, 13: 1}
COUNTER_BYTES = 4

CFG_B, CFG_A, CFG_S = 0x8000, 0x4000, 0x2000
"""Modes 0 and 5: bidirectional, accessible, synchronous."""
CFG_Z = 0x2000
"""Modes 7 and 10: a message counter follows in the transport layer."""

STS_LOW_POWER, STS_PERMANENT_ERROR, STS_TEMPORARY_ERROR = 0x04, 0x08, 0x10


@dataclass(slots=True)
class Transport:
    """One transport header.

    ``address`` only with a long header; ``acc``, ``sts``, ``cfg`` None without one.  ``ext`` holds the configuration
    extension bytes, ``counter`` the message counter of the transport layer.  ``offset`` is the CI's place, ``end``
    where the payload begins.
    """

    ci: int
    acc: int | None = None
    sts: int | None = None
    cfg: int | None = None
    address: Address | None = None
    ext: bytes = b""
    counter: int | None = None
    offset: int = 10
    end: int = 15

    @property
    def mode(self) -> int:
        """Security mode, 0 when there is no header to name one."""
        return 0 if self.cfg is None else self.cfg >> 8 & 31

    @property
    def encrypted_blocks(self) -> int:
        """N of CFG: 16-byte blocks that are encrypted (modes 5 and 7)."""
        return 0 if self.cfg is None else self.cfg >> 4 & 15

    @property
    def encrypted_bytes(self) -> int:
        """N of CFG in mode 13: bytes of TLS records."""
        return 0 if self.cfg is None else self.cfg & 255

    @property
    def protocol_kind(self) -> int:
        """What mode 13 carries (extension bits 3-0)."""
        return self.ext[0] & 15 if self.ext else 0

    @property
    def kdf(self) -> int:
        """Key derivation of mode 7 (extension bits 5-4): 1 is KDF-A."""
        return self.ext[0] >> 4 & 3 if self.ext else 0

    def wire(self) -> bytes:
        """CI and header.  Raises CannotEncode."""
        if self.ci in NO_HEADER or self.ci in MANUFACTURER:
            return bytes((self.ci,))
        if self.acc is None or self.sts is None or self.cfg is None:
            raise CannotEncode(f"CI {self.ci:02X} has a header: acc, sts and cfg are needed")
        out = bytes((self.ci,))
        if self.ci in LONG:
            if self.address is None:
                raise CannotEncode(f"CI {self.ci:02X} has a long header: an address is needed")
            wire = self.address.wire()
            out += wire[2:6] + wire[:2] + wire[6:]
        out += bytes((self.acc, self.sts)) + self.cfg.to_bytes(2, "little") + self.ext
        if self.counter is not None:
            out += self.counter.to_bytes(COUNTER_BYTES, "little")
        return out


def parse_transport(frame: bytes, offset: int) -> Transport:
    """Read the header whose CI stands at ``offset``.  Raises BadTelegram (unknown-ci, bad-header)."""
    if offset >= len(frame):
        raise BadTelegram(Reason.BAD_HEADER, "the frame ends before a transport layer", offset)
    ci = frame[offset]
    at = offset + 1
    address = None
    if ci in LONG:
        if len(frame) < at + 8:
            raise BadTelegram(Reason.BAD_HEADER, f"CI {ci:02X}: the long header is cut off", offset)
        address = Address.from_wire(frame[at + 4 : at + 6] + frame[at : at + 4] + frame[at + 6 : at + 8])
        at += 8
    elif ci not in SHORT:
        if ci in NO_HEADER or ci in MANUFACTURER:
            return Transport(ci, offset=offset, end=at)
        raise BadTelegram(Reason.UNKNOWN_CI, f"CI {ci:02X} names no layer this program knows", offset)
    if len(frame) < at + 4:
        raise BadTelegram(Reason.BAD_HEADER, f"CI {ci:02X}: the header is cut off", offset)
    acc, sts = frame[at], frame[at + 1]
    cfg = frame[at + 2] | frame[at + 3] << 8
    at += 4
    ext = b""
    counter = None
    mode = cfg >> 8 & 31
    if mode in EXTENSION_BYTES:
        size = EXTENSION_BYTES[mode]
        ext = frame[at : at + size]
        at += size
        if cfg & CFG_Z and mode in (7, 10):
            counter = int.from_bytes(frame[at : at + COUNTER_BYTES], "little")
            at += COUNTER_BYTES
        if at > len(frame):
            raise BadTelegram(Reason.BAD_HEADER, f"mode {mode}: the configuration extension is cut off", offset)
    return Transport(ci, acc, sts, cfg, address, ext, counter, offset, at)
