"""Extended link layer I-IV (EN 13757-4): communication control, access number, and for some a receiver or a session.

    8C  I    CC ACC
    8D  II   CC ACC SN(4) PayloadCRC(2)
    8E  III  CC ACC M2(2) A2(6)
    8F  IV   CC ACC M2(2) A2(6) SN(4) PayloadCRC(2)

Bits 31-29 of SN say how the rest is encrypted: 0 not, 1 AES-CTR.  From the payload CRC on everything is then
ciphertext, so without a key nothing after SN can be read.  Nothing in this layer is ever covered by a MAC.
"""

from __future__ import annotations

from dataclasses import dataclass

from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.link import Address

CI_I, CI_II, CI_III, CI_IV = 0x8C, 0x8D, 0x8E, 0x8F
_SIZES_CLEAR = {CI_I: 3, CI_II: 7, CI_III: 11, CI_IV: 15}

AES_CTR = 1


@dataclass(slots=True)
class Ell:
    """One extended link layer header.

    ``receiver`` is the second address (8E, 8F); ``sn`` the session number field as a 32-bit number (8D, 8F);
    ``crc`` the payload CRC, None while it is encrypted.  ``offset`` is where the header's CI stands, ``end`` where
    the next layer, or the ciphertext, begins.
    """

    ci: int
    cc: int
    acc: int
    receiver: Address | None = None
    sn: int | None = None
    crc: int | None = None
    offset: int = 10
    end: int = 13

    @property
    def encryption(self) -> int:
        """0 none, 1 AES-CTR, others reserved."""
        return 0 if self.sn is None else self.sn >> 29

    @property
    def synchronous(self) -> bool:
        """The sender keeps the synchronous timing whose interval follows ACC (bit S of CC)."""
        return bool(self.cc & 0x20)

    def wire(self) -> bytes:
        """The header's bytes; the payload CRC only when it is in the clear.  Raises CannotEncode."""
        out = bytes((self.ci, self.cc, self.acc))
        if self.ci in (CI_III, CI_IV):
            if self.receiver is None:
                raise CannotEncode(f"ELL {self.ci:02X} needs a receiver address")
            out += self.receiver.wire()
        if self.ci in (CI_II, CI_IV):
            if self.sn is None:
                raise CannotEncode(f"ELL {self.ci:02X} needs a session number")
            out += self.sn.to_bytes(4, "little")
            if self.crc is not None:
                out += self.crc.to_bytes(2, "little")
        return out


def parse_ell(frame: bytes, offset: int) -> Ell:
    """Read the header whose CI stands at ``offset``.  Raises BadTelegram (bad-ell) when it is cut off."""
    ci = frame[offset]
    size = _SIZES_CLEAR[ci]
    end = offset + size
    if len(frame) < end:
        raise BadTelegram(Reason.BAD_ELL, f"ELL {ci:02X} needs {size} bytes, {len(frame) - offset} left", offset)
    if ci == CI_I:
        return Ell(ci, frame[offset + 1], frame[offset + 2], None, None, None, offset, end)
    receiver = None
    sn = None
    crc = None
    at = offset + 3
    if ci in (CI_III, CI_IV):
        receiver = Address.from_wire(frame[at : at + 8])
        at += 8
    if ci in (CI_II, CI_IV):
        sn = int.from_bytes(frame[at : at + 4], "little")
        if sn >> 29 == 0:
            if len(frame) < end + 2:
                raise BadTelegram(Reason.BAD_ELL, f"ELL {ci:02X} ends before its payload CRC", end)
            crc = int.from_bytes(frame[end : end + 2], "little")
            end += 2
    return Ell(ci, frame[offset + 1], frame[offset + 2], receiver, sn, crc, offset, end)
