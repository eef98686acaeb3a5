"""What AES-CTR in the extended link layer gives away and lets through without its key. No attack by itself.

    8D CC ACC SN(4) | ciphertext of: payload CRC(2) CI ACC STS CFG(2) records

The keystream is a function of key, address, CC and session number (EN 13757-4), so two telegrams under one session
number are encrypted with the same bytes, and their XOR is that of their plaintexts. No MAC covers anything. The
payload CRC is no secret and is linear up to a constant: it can be moved along with the bits that are turned over.
"""

from __future__ import annotations

from typing import Final

from wmbus.ell import AES_CTR, CI_II, Ell
from wmbus.errors import BadTelegram
from wmbus.link import Address, crc16
from wmbus.sender import profile_b
from wmbus.telegram import parse, seal
from wmbus.transport import CI_SHORT, Transport

CRC_BYTES: Final = 2
HEADER_BYTES: Final = 5  # CI ACC STS CFG
ACC_AT: Final = CRC_BYTES + 1  # places in the ciphertext
UNITS_AT: Final = CRC_BYTES + HEADER_BYTES + 2  # behind 036E
UNITS_BYTES: Final = 3
CLOCK_AT: Final = UNITS_AT + UNITS_BYTES + 2  # behind 046D
PROFILE_B: Final = (17, 3)
"""Bytes that mode 7 has more: an authentication layer before the header; an extension of it and 2F2F before records."""
ENCRYPTED: Final = AES_CTR << 29


def session_number(minute: int, session: int = 0) -> int:
    """SN of an encrypted telegram: how it is encrypted, a count of minutes (25 bits), the session (4 bits)."""
    return ENCRYPTED | (minute & 0x1FF_FFFF) << 4 | session & 15


def sealed_in_ell(
    meter: Address, acc: int, records: bytes, key: bytes, sn: int, *, counter: int | None = None
) -> bytes:
    """A meter's telegram under AES-CTR in its link layer; inside it a short header in mode 0 and the records, or with a
    `counter` mode 7 with its MAC. Raises CannotEncode."""
    ell = Ell(CI_II, 0x20, acc, sn=sn)
    if counter is None:
        return seal(0x44, meter, records, Transport(CI_SHORT, acc, 0, 0), key=key, ell=ell)
    transport, afl, plaintext = profile_b(acc, 0, records, counter)
    return seal(0x44, meter, plaintext, transport, key=key, ell=ell, afl=afl)


def ciphertext_of(frame: bytes) -> tuple[bytes, bytes] | None:
    """(all that the keystream is made from but the key, ciphertext); None where it is no such telegram."""
    try:
        telegram = parse(frame)
    except BadTelegram:
        return None
    ell = telegram.ell
    if ell is None or ell.sn is None or ell.encryption != AES_CTR:
        return None
    return frame[2:10] + bytes((ell.cc,)) + ell.sn.to_bytes(4, "little"), telegram.payload


def xor(one: bytes, other: bytes) -> bytes:
    """As long as the shorter."""
    return bytes(a ^ b for a, b in zip(one, other, strict=False))


def turned(frame: bytes, changes: dict[int, bytes], acc: int) -> bytes:
    """The telegram with bits of its ciphertext turned over, another access number in the link layer, and the payload
    CRC moved along. `changes`: place in the ciphertext -> bits."""
    telegram = parse(frame)
    flip = bytearray(len(telegram.payload))
    for at, bits in changes.items():
        flip[at : at + len(bits)] = bits
    # crc(a ^ b) = crc(a) ^ crc(b) ^ crc(0 ...): of equal lengths, since the CRC begins with nought and ends inverted.
    behind = bytes(flip[CRC_BYTES:])
    flip[:CRC_BYTES] = (crc16(behind) ^ crc16(bytes(len(behind)))).to_bytes(CRC_BYTES, "little")
    out = bytearray(frame)
    out[12] = acc  # L C M2 ID4 V T | 8D CC ACC
    out[telegram.payload_offset :] = xor(telegram.payload, bytes(flip))
    return bytes(out)
