"""Wired M-Bus (EN 13757-2): the long frame `68 L L 68 | C A CI ... | checksum 16`, checksum the sum from C on.

A wired meter answers with a long header, so its bytes say as much as a radio telegram: the telegram made of it has the
header's address as its link address, and a note says that it never was on the air. What is written is an answer
(RSP-UD) of a meter with primary address 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sim.lines.codecs._blocks import NO_BLOCK, TORN, Block, BlockReader
from sim.lines.codecs.port import Bad, Codec
from sim.lines.reception import Reception
from wmbus.dissect import parse
from wmbus.transport import CI_LONG, LONG

_START, _STOP = 0x68, 0x16
_RSP_UD: Final = 0x08
_FRAME_BYTES: Final = 6  # 68 L L 68 ... checksum 16
_ADDRESS_AT: Final = 3  # of ID M Ver Type, behind C A CI
_L_LEAST, _L_MOST = 3, 246


def _at(data: bytes) -> Block:
    head = data[:4]
    if head[:1] != b"\x68" or (len(head) > 2 and head[1] != head[2]) or (len(head) > 3 and head[3] != _START):
        return NO_BLOCK
    if len(data) < 4 or len(data) < data[1] + _FRAME_BYTES:
        return TORN
    size = data[1] + _FRAME_BYTES
    body = data[4 : size - 2]
    if len(body) < _L_LEAST:
        return NO_BLOCK
    if data[size - 1] != _STOP:
        return _one_too_long(data, size)
    checksum = sum(body) & 0xFF
    if checksum != data[size - 2]:
        return Block(size, Bad(f"a wired M-Bus frame whose checksum is {data[size - 2]:02X}, not {checksum:02X}"))
    return Block(size, _telegram(body))


def _one_too_long(data: bytes, size: int) -> Block:
    """Some meters count their L without one byte; checksum and stop show where the frame really ends."""
    if len(data) <= size:
        return TORN
    body = data[4 : size - 1]
    if data[size] != _STOP or sum(body) & 0xFF != data[size - 1]:
        return NO_BLOCK
    said = _telegram(body)
    if isinstance(said, Reception):
        said = replace(said, notes=(*said.notes, f"its L says {data[1]} bytes, {len(body)} are there"))
    return Block(size + 1, said)


def _telegram(body: bytes) -> Reception | Bad:
    c_field, primary, ci = body[:3]
    if ci not in LONG or len(body) < _ADDRESS_AT + 8:
        return Bad(f"a wired M-Bus frame of address {primary} with CI {ci:02X}, which does not carry a meter's address")
    id_maker, version_type = body[_ADDRESS_AT : _ADDRESS_AT + 6], body[_ADDRESS_AT + 6 : _ADDRESS_AT + 8]
    rest = bytes((c_field,)) + id_maker[4:] + id_maker[:4] + version_type + body[2:]
    if len(rest) > 255:
        return Bad(f"a wired M-Bus frame of {len(rest)} bytes, more than a telegram holds")
    note = f"a wired M-Bus frame (68 L L 68), primary address {primary}; it never was on the air"
    return Reception(bytes((len(rest),)) + rest, crc_ok=True, notes=(note,))


def _claims(data: bytes) -> bool:
    return len(data) >= 4 and data[0] == data[3] == _START and data[1] == data[2]


def _write(one: Reception) -> bytes:
    """Raises BadTelegram, and ValueError for what a wired frame cannot carry: an ELL, an AFL, too many bytes."""
    telegram = parse(one.frame)
    transport = telegram.transport
    if transport is None or telegram.ell is not None or telegram.afl is not None:
        raise ValueError("a wired M-Bus frame carries no extended link layer and no AFL")
    wire = telegram.address_wire
    header = bytes((transport.acc or 0, transport.sts or 0)) + (transport.cfg or 0).to_bytes(2, "little")
    if transport.ext or transport.counter is not None:
        raise ValueError("a wired M-Bus frame has no configuration extension here")
    ci = transport.ci if transport.ci in LONG else CI_LONG
    body = bytes((_RSP_UD, 0, ci)) + wire[2:6] + wire[:2] + wire[6:] + header + telegram.payload
    if len(body) > _L_MOST:
        raise ValueError(f"a wired M-Bus frame holds {_L_MOST} bytes, not {len(body)}")
    return bytes((_START, len(body), len(body), _START)) + body + bytes((sum(body) & 0xFF, _STOP))


CODEC = Codec("wired", "wired M-Bus, 68 L L 68", _claims, lambda: BlockReader(_at), _write, binary=True)
