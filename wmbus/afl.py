"""Authentication and fragmentation layer (EN 13757-7): ``90 AFLL FCL(2) [MCL] [KI 2] [MCR 4] [MAC n] [ML 2]``.

FCL says which fields follow, MCL what the MAC covers and how long it is.  Everything is little endian but the MAC.
The MAC is over ``MCL | KI | MCR | ML`` (those present) and every byte from the next layer's CI to the end; L, C, the
link address, the whole ELL, AFLL and FCL are outside it, so a receiver must not believe those.

The rule kept here: AFLL, the flags and the MAC length the MCL names must agree to the byte.
"""

from __future__ import annotations

from dataclasses import dataclass

from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.security import MAC_BYTES

CI_AFL = 0x90

FCL_MORE = 0x4000
FCL_MCL = 0x2000
FCL_ML = 0x1000
FCL_MCR = 0x0800
FCL_MAC = 0x0400
FCL_KI = 0x0200
FCL_FRAGMENT = 0x00FF

MCL_ML = 0x40
MCL_MCR = 0x20
MCL_AT = 0x0F


@dataclass(slots=True)
class Afl:
    """One AFL header; absent fields are None.  ``offset`` is its CI's place, ``end`` where the next layer begins."""

    fcl: int
    mcl: int | None = None
    ki: int | None = None
    mcr: int | None = None
    mac: bytes | None = None
    ml: int | None = None
    offset: int = 10
    end: int = 27

    @property
    def at(self) -> int | None:
        """Authentication type: the kind and length of the MAC, as the *sender* names it."""
        return None if self.mcl is None else self.mcl & MCL_AT

    @property
    def more_fragments(self) -> bool:
        return bool(self.fcl & FCL_MORE)

    @property
    def fragment(self) -> int:
        """Fragment number; 0 for a message that is not fragmented, else counting from 1."""
        return self.fcl & FCL_FRAGMENT

    @property
    def fragmented(self) -> bool:
        """The message has more than one fragment."""
        return bool(self.fcl & (FCL_MORE | FCL_FRAGMENT))

    def covered(self) -> bytes:
        """The header's own part of what the MAC covers: ``MCL | KI | MCR | ML``."""
        out = b"" if self.mcl is None else bytes((self.mcl,))
        if self.ki is not None:
            out += self.ki.to_bytes(2, "little")
        if self.mcr is not None:
            out += self.mcr.to_bytes(4, "little")
        if self.ml is not None:
            out += self.ml.to_bytes(2, "little")
        return out

    def wire(self) -> bytes:
        """CI, AFLL and all fields.  Raises CannotEncode if the flags and the fields disagree."""
        present = ((FCL_MCL, self.mcl), (FCL_KI, self.ki), (FCL_MCR, self.mcr), (FCL_MAC, self.mac), (FCL_ML, self.ml))
        for flag, field in present:
            if bool(self.fcl & flag) != (field is not None):
                raise CannotEncode(f"FCL {self.fcl:04X} and the fields given disagree on bit {flag:04X}")
        body = self.fcl.to_bytes(2, "little")
        if self.mcl is not None:
            body += bytes((self.mcl,))
        if self.ki is not None:
            body += self.ki.to_bytes(2, "little")
        if self.mcr is not None:
            body += self.mcr.to_bytes(4, "little")
        if self.mac is not None:
            body += self.mac
        if self.ml is not None:
            body += self.ml.to_bytes(2, "little")
        return bytes((CI_AFL, len(body))) + body


def parse_afl(frame: bytes, offset: int) -> Afl:
    """Read the header whose CI (90) stands at ``offset``.  Raises BadTelegram (bad-afl)."""
    if len(frame) < offset + 4:
        raise BadTelegram(Reason.BAD_AFL, "the AFL ends before its control field", offset)
    end = offset + 2 + frame[offset + 1]
    if end > len(frame):
        raise BadTelegram(Reason.BAD_AFL, f"AFLL {frame[offset + 1]} reaches past the end of the frame", offset + 1)
    fcl = frame[offset + 2] | frame[offset + 3] << 8
    at = offset + 4
    mcl = ki = mcr = ml = None
    mac = None
    if fcl & FCL_MCL:
        if at >= end:
            raise BadTelegram(Reason.BAD_AFL, "no room for the MCL that FCL announces", at)
        mcl = frame[at]
        at += 1
    if fcl & FCL_KI:
        ki = int.from_bytes(frame[at : at + 2], "little")
        at += 2
    if fcl & FCL_MCR:
        mcr = int.from_bytes(frame[at : at + 4], "little")
        at += 4
    ml_bytes = 2 if fcl & FCL_ML else 0
    if fcl & FCL_MAC:
        mac_bytes = end - at - ml_bytes
        # The last fragment of a message has the MAC but not the MCL that names its length.
        if mac_bytes < 0 or (mcl is not None and MAC_BYTES.get(mcl & MCL_AT) != mac_bytes):
            raise BadTelegram(Reason.BAD_AFL, f"{mac_bytes} bytes are left for a MAC of AT {(mcl or 0) & MCL_AT}", at)
        mac = frame[at : at + mac_bytes]
        at += mac_bytes
    if ml_bytes:
        ml = int.from_bytes(frame[at : at + 2], "little")
        at += 2
    if at != end:
        raise BadTelegram(Reason.BAD_AFL, f"AFLL {frame[offset + 1]} and the fields disagree by {end - at} bytes", at)
    return Afl(fcl, mcl, ki, mcr, mac, ml, offset, end)
