"""Frames between a gateway and a radio meter whose messages are TLS (security mode 13), and what numbers them.

    meter     ACC-DMD  C 47   it has something to say, and listens; "a channel is asked for" where it has no session
    gateway   SND-UD   C 53   a fragment of a message                     meter  ACK     C 00
    gateway   REQ-UD2  C 5B   say the next fragment of yours              meter  RSP-UD  C 08, or ACK: there is none
    gateway   SND-NKE  C 40   that was all; nothing answers

The gateway speaks only after the meter did, within its window. One frame is under way: bit 5 of C (FCB) turns with each
new request, so a repeated one is answered with the same bytes again; an answer carries the access number of what it
answers. None of this is secured, and nothing is believed for it: TLS says what is true.

What each C field is for is the standard's (EN 13757-4); that a meter of profile C is served in this order, and that the
gateway's frames name it in an extended link layer III, is this model's.
"""

from __future__ import annotations

from typing import Final

from wmbus import mode13
from wmbus.ell import CI_I, CI_III, Ell
from wmbus.link import Address
from wmbus.transport import Transport

ACC_DMD, SND_UD, REQ_UD2, SND_NKE = 0x47, 0x53, 0x5B, 0x40
RSP_UD, ACK = 0x08, 0x00
FCB: Final = 0x20
FROM_GATEWAY: Final = frozenset({SND_UD, SND_UD | FCB, REQ_UD2, REQ_UD2 | FCB, SND_NKE})
FROM_METER: Final = frozenset({ACC_DMD, RSP_UD, ACK})
CI_TO_METER, CI_FROM_METER = 0x80, 0x8A
"""A transport layer alone."""
CI_VALUES: Final = 0x7A
PART_BYTES: Final = 200
"""Ours: bytes of a message in one fragment; with its headers a frame has at most 231."""
_ACC: Final = 12
_C: Final = 1


def meter_front(meter: Address, c_field: int) -> bytes:
    """C to the extended link layer I of a meter's frame; its access number is set when it is sent."""
    return bytes((c_field,)) + meter.wire() + Ell(CI_I, 0, 0).wire()


def gateway_front(gateway: Address, meter: Address, c_field: int) -> bytes:
    """C to the extended link layer III of a gateway's frame."""
    return bytes((c_field,)) + gateway.wire() + Ell(CI_III, 0, 0, receiver=meter).wire()


def numbered(frame: bytes, acc: int, c_field: int | None = None) -> bytes:
    """The same frame under another access number and C field."""
    c = frame[_C] if c_field is None else c_field
    return frame[:_C] + bytes((c,)) + frame[_C + 1 : _ACC] + bytes((acc,)) + frame[_ACC + 1 :]


def access_number(frame: bytes) -> int:
    """Of the extended link layer."""
    return frame[_ACC]


def _alone(front: bytes, transport: Transport) -> bytes:
    body = front + transport.wire()
    return bytes((len(body),)) + body


def demand(meter: Address, acc: int, *, channel: bool) -> bytes:
    """ACC-DMD. `channel`: it has no session."""
    kind = mode13.CHANNEL if channel else mode13.RECORDS
    transport = Transport(mode13.CI_TLS_SHORT, acc, 0, mode13.configuration(0), ext=bytes((kind,)))
    return numbered(_alone(meter_front(meter, ACC_DMD), transport), acc)


def acknowledgement(meter: Address, acc: int) -> bytes:
    """ACK: it was taken, or there is nothing to say."""
    transport = Transport(CI_FROM_METER, acc, 0, mode13.configuration(0), ext=bytes((mode13.RECORDS,)))
    return numbered(_alone(meter_front(meter, ACK), transport), acc)


def request(gateway: Address, meter: Address, c_field: int, acc: int) -> bytes:
    """REQ-UD2 or SND-NKE."""
    kind = bytes((mode13.RECORDS,))
    transport = Transport(CI_TO_METER, acc, 0, mode13.configuration(0), meter, kind)
    return numbered(_alone(gateway_front(gateway, meter, c_field), transport), acc)
