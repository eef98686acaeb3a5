"""Telegrams over LoRaWAN: too long for one frame, so cut; short ones several in one.

Lobaro's bridge says in the port which part it is of how many (12: the first of two) and sends the parts in frames
that follow one another. IMST's range extender has a control byte (the highest bit: the last segment; the others count,
7 bits round) before a stream of entries: the UTC of reception in seconds (little endian), L, and what L counts. The
maker's own example of one frame with whole telegrams has the highest bit clear, so entries are passed on as soon as
they are whole. (Manual of the 404600, 1.0; range-extender-codec.yaml of TheThingsNetwork/lorawan-devices, 3b9522bc.)

A part that is missing costs its telegram and is said; two telegrams are never joined into one. A part that comes again
says nothing new.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from sim.readers.undo import CannotUndo, Piece, Undo
from wmbus.link import HEADER_BYTES

_SETS_AT_ONCE: Final = 1_000
_DEVICES: Final = 10_000
_IMST_PORT: Final = 68
_IMST_PORT_WITH_LEVEL: Final = 75
_IMST_PORT_STATUS: Final = (3, 67)
_TIME_BYTES: Final = 4
_BUFFER_MOST: Final = 4_096


def _port(piece: Piece) -> int:
    if piece.port is None:
        raise CannotUndo("no LoRaWAN port: say in `port` where it stands")
    return piece.port


_Key = tuple[str, int, int]
"""Device, counter of the first part, how many."""


@dataclass(slots=True)
class _Parts:
    total: int
    parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return len(self.parts) == self.total

    @property
    def joined(self) -> bytes:
        return b"".join(self.parts[at] for at in range(1, self.total + 1))


def lobaro_parts() -> Undo:
    """Parts of one telegram have counters that follow one another, in whatever order they come."""
    under_way: OrderedDict[_Key, _Parts] = OrderedDict()
    done: OrderedDict[_Key, _Parts] = OrderedDict()

    def undo(piece: Piece) -> list[Piece]:
        part, total = divmod(_port(piece), 10)
        if not 1 <= part <= total <= 9:
            raise CannotUndo(f"port {piece.port} is no part of a telegram (11, 12, 22 ... 99 are)")
        if total == 1:
            return [piece]
        if piece.counter is None:
            raise CannotUndo("no LoRaWAN frame counter: say in `counter` where it stands")
        key = (piece.source, piece.counter - part + 1, total)
        out: list[Piece] = []
        far = [other for other in under_way if other[0] == key[0] and abs(other[1] - key[1]) > _LATE]
        if key in under_way and under_way[key].parts.get(part, piece.data) != piece.data:
            far.append(key)  # its counter began anew
        for other in far:
            out += given_up(piece, other)
        one = under_way.setdefault(key, _Parts(total))
        one.parts[part] = piece.data
        if one.whole:
            del under_way[key]
            if key not in done or done[key].joined != one.joined:
                out.append(replace(piece, data=one.joined))
            done[key] = one
            done.move_to_end(key)
        while len(done) > _SETS_AT_ONCE:
            done.popitem(last=False)
        while len(under_way) > _SETS_AT_ONCE:
            out += given_up(piece, next(iter(under_way)))
        return out

    def given_up(piece: Piece, key: _Key) -> list[Piece]:
        one, before = under_way.pop(key), done.get(key)
        if before is not None and all(before.parts[at] == data for at, data in one.parts.items()):
            return []  # parts of a telegram that is here already
        lacks = ", ".join(str(at) for at in range(1, one.total + 1) if at not in one.parts)
        where = key[0] or "a LoRaWAN device"
        return [
            replace(piece, unreadable=f"a telegram of {_shown(where)} is lost: part {lacks} of {one.total} never came")
        ]

    return undo


_LATE: Final = 32
"""Frames of a device between the first and the last that may belong together."""


def _shown(source: str) -> str:
    return ascii(source[:80])[1:-1]


@dataclass(slots=True)
class _Stream:
    next: int | None = None  # the sequence number that comes
    rest: bytes = b""
    last: bytes = b""
    in_step: bool = True


def imst_segments() -> Undo:
    """A stream a device."""
    streams: OrderedDict[str, _Stream] = OrderedDict()

    def undo(piece: Piece) -> list[Piece]:
        port = _port(piece)
        if port in _IMST_PORT_STATUS:
            return []
        if port == _IMST_PORT_WITH_LEVEL:
            raise CannotUndo("port 75 has the level too, at a place that no page tells; set the box to port 68")
        if port != _IMST_PORT or not piece.data:
            raise CannotUndo(f"port {port} with {len(piece.data)} bytes is none of its telegrams (port {_IMST_PORT})")
        stream = streams.setdefault(piece.source, _Stream())
        streams.move_to_end(piece.source)
        while len(streams) > _DEVICES:
            streams.popitem(last=False)
        if piece.data == stream.last and stream.next is not None:
            return []  # the network's repeat
        number, final = piece.data[0] & 0x7F, bool(piece.data[0] & 0x80)
        out: list[Piece] = []
        if stream.next is not None and number != stream.next:
            if stream.rest or number != 0:
                out.append(_gap(piece, stream.next, number))
                stream.in_step = False
            stream.rest = b""
        stream.next, stream.last = (number + 1) & 0x7F, piece.data
        entries, rest = _entries(stream.rest + piece.data[1:])
        if not stream.in_step and (rest or not entries):
            entries, rest = [], b""  # somewhere inside of a telegram whose begin was lost
        else:
            stream.in_step = True
        out += [replace(piece, data=data, stamp=datetime.fromtimestamp(at_s, UTC)) for at_s, data in entries]
        if final:
            stream.in_step = True
            if rest:
                out.append(replace(piece, unreadable=f"{len(rest)} bytes of a telegram are left in the last segment"))
                rest = b""
        if len(rest) > _BUFFER_MOST:
            out.append(replace(piece, unreadable=f"{len(rest)} bytes without a whole telegram"))
            rest = b""
        stream.rest = rest
        return out

    return undo


def _gap(piece: Piece, wanted: int, came: int) -> Piece:
    where = _shown(piece.source or "a LoRaWAN device")
    return replace(piece, unreadable=f"segment {wanted} of {where} is lost: {came} came, and what it continued is cut")


def _entries(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """((UTC in s, telegram), ...) that are whole, and the rest."""
    out = []
    while len(data) > _TIME_BYTES:
        end = _TIME_BYTES + 1 + data[_TIME_BYTES]
        if data[_TIME_BYTES] < HEADER_BYTES - 1 or len(data) < end:
            break
        out.append((int.from_bytes(data[:_TIME_BYTES], "little"), data[_TIME_BYTES:end]))
        data = data[end:]
    return out, data
