"""What gateways do to a telegram before they pass it on, each with a name, and undone here.

An inventory lists them from the outside in: `transform = ["base64", "IMST segments"]`. What the last one gives must be
a telegram without CRCs, L first, to the byte. A step says in one sentence why it cannot be undone, and never raises
anything else on bytes from outside.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import numpy as np

from sim.lines.codecs.port import CODECS, Bad
from sim.lines.reception import BadLine, hex_bytes
from sim.readers.lora import imst_segments, lobaro_parts
from sim.readers.undo import CannotUndo, Piece, Transform, Undo
from wmbus.dates import decode_i
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.link import HEADER_BYTES, strip_crcs
from wmbus.phy.codes import bits, decode_3of6
from wmbus.records import Record, parse_records
from wmbus.recover import recover


def _plain(undo: Callable[[bytes], bytes]) -> Callable[[], Undo]:
    return lambda: lambda piece: [replace(piece, data=undo(piece.data))]


def _hex(data: bytes) -> bytes:
    try:
        return hex_bytes(data.decode("ascii").strip())
    except UnicodeDecodeError as error:
        raise CannotUndo(f"byte {error.start} is no hex digit") from None
    except BadLine as error:
        raise CannotUndo(f"{error} (letter {error.offset + 1})") from None


def _base64(data: bytes) -> bytes:
    try:
        return base64.b64decode(data.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CannotUndo(f"not base64: {error}") from None


def _crcs(data: bytes) -> bytes:
    try:
        return strip_crcs(data)
    except BadTelegram as error:
        raise CannotUndo(str(error)) from None


def _l_less_two(data: bytes) -> bytes:
    try:
        found = recover(data)
    except BadTelegram as error:
        raise CannotUndo(str(error)) from None
    if found.rest or found.begin:
        raise CannotUndo("; ".join(one.words for one in found.odd))
    return found.frame


def _from_c(data: bytes) -> bytes:
    if not HEADER_BYTES <= len(data) <= 255:
        raise CannotUndo(f"{len(data)} bytes from the C field on are no telegram")
    return bytes((len(data),)) + data


def _wired(data: bytes) -> bytes:
    reader = CODECS.find("wired").reader()
    found = [got.what for got in [*reader.feed(data), *reader.end()]]
    if len(found) != 1:
        raise CannotUndo(f"{len(found)} frames of wired M-Bus instead of one")
    if isinstance(found[0], Bad):
        raise CannotUndo(found[0].words)
    return found[0].data


def _wired_from_c(data: bytes) -> bytes:
    if not 3 <= len(data) <= 255:
        raise CannotUndo(f"{len(data)} bytes from the C field on are no frame of wired M-Bus")
    size = bytes((len(data),))
    return _wired(b"\x68" + size + size + b"\x68" + data + bytes((sum(data) & 0xFF, 0x16)))


def _three_of_six(data: bytes) -> bytes:
    chips = bits(data)
    try:
        return decode_3of6(chips[: len(chips) // 12 * 12].astype(np.uint8))
    except BadTelegram as error:
        raise CannotUndo(str(error)) from None


# --- PiiGAB: four records before the meter's, or the telegram whole in an LVAR ---------------------------------------

_PREPENDED: Final = ("0C78", "0374", "01FD71", "066D")
"""DIF and VIF of the receiver's serial number, the telegram's age (s), its level (dBm), its time (UTC)."""


def _records(data: bytes) -> list[Record]:
    return parse_records(data, strict=False)


def _prepended() -> Undo:
    def undo(piece: Piece) -> list[Piece]:
        try:
            payload = parse(piece.data).payload
        except BadTelegram as error:
            raise CannotUndo(str(error)) from None
        records = _records(payload)
        first = [record.dif_vif.hex().upper() for record in records[: len(_PREPENDED)]]
        if tuple(first) != _PREPENDED:
            raise CannotUndo(f"the first records are {' '.join(first) or 'none'}, not {' '.join(_PREPENDED)}")
        level = int.from_bytes(records[2].raw, "little", signed=True)
        try:
            written = decode_i(records[3].raw)
        except BadTelegram:
            written = None
        stamp = written.replace(tzinfo=UTC) if isinstance(written, datetime) else None
        rest = payload[records[4].offset :] if len(records) > len(_PREPENDED) else b""
        return [replace(piece, data=rest, rssi_dbm=float(level), stamp=stamp)]

    return undo


def _in_lvar() -> Undo:
    def undo(piece: Piece) -> list[Piece]:
        records = _records(piece.data)
        for record in records:
            if record.dif_vif[:1] == b"\x0d":
                try:
                    return [replace(piece, data=recover(record.raw[1:]).frame)]
                except BadTelegram:
                    continue
        names = {f"{one.quantity} {one.storage} {one.unit}".strip(): one.value for one in records}
        return [replace(piece, values=names)]

    return undo


TRANSFORMS: Final[dict[str, Transform]] = {
    "hex": Transform("the bytes as hex", _plain(_hex)),
    "base64": Transform("the bytes as base64", _plain(_base64)),
    "CRCs kept": Transform("with the CRCs of format A or B", _plain(_crcs)),
    "L-2": Transform("as rtl_433 prints it: L two too small, the last CRC left on", _plain(_l_less_two)),
    "from C on": Transform("without L", _plain(_from_c)),
    "3-of-6": Transform("before 3-of-6, as on the air in T mode", _plain(_three_of_six)),
    "wired": Transform("a frame of wired M-Bus, 68 L L 68", _plain(_wired)),
    "wired from C on": Transform("a frame of wired M-Bus without start, checksum and stop", _plain(_wired_from_c)),
    "prepended records": Transform("behind four records of the receiver's: serial, age, level, time", _prepended),
    "in an LVAR": Transform("the telegram whole in a record of variable length, or else its records", _in_lvar),
    "Lobaro parts": Transform(
        "LoRaWAN port = part and how many; parts of one telegram in frames that follow", lobaro_parts
    ),
    "IMST segments": Transform("LoRaWAN port 68: control byte, then time, L and telegram, over frames", imst_segments),
}
