"""What a gateway's messages hold, as its inventory says, and how to read one.

    read = [{ kind = "mqtt", topic = ["bridge/+/up"], telegram = "$.data", transform = ["base64"], time = "$.at",
              time_of = "reception", rssi = "$.rssi" }]

One message may hold no telegram, one or many. What is not as described is one row that says why in a sentence; nothing
that arrives can stop a reader. Bytes of messages are repeated in such a sentence only as printable ASCII.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sim.core.clock import Calendar
from sim.core.digits import whole_of
from sim.core.settings import name_from, names_from
from sim.lines.codecs.port import CODECS, Bad
from sim.lines.codecs.port import Reader as LineReader
from sim.lines.reception import Reception
from sim.readers.places import ABSENT, BadPlace, Indices, Place, at, every, place
from sim.readers.port import Delivered, ReaderError, ReaderSpec, TimeOf
from sim.readers.stamps import ANY, BadStamp, check_format, parsed, zone
from sim.readers.transforms import TRANSFORMS
from sim.readers.undo import CannotUndo, Piece, Undo
from sim.readers.value_names import TABLES
from wmbus.errors import BadTelegram
from wmbus.link import HEADER_BYTES, check_length

MESSAGE_MOST_BYTES: Final = 1 << 20
TELEGRAMS_MOST: Final = 10_000
_QUOTED: Final = 60
_UNIX: Final = Calendar.since_1970()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSpec(ReaderSpec):
    """Places are as in sim.readers.places. `zlib`: messages may be packed so. `only`: place -> text; messages where
    another text stands, or none, are no telegrams and are passed over. `format`: each line is of this format of
    sim.lines, which knows all else. Without it `telegram` is where one stands, and `transform` undoes from the outside
    in what the gateway made of it. `values`: where an object of names and values stands (a gateway that decodes), or
    `value_name`: the whole payload is one value, and its name stands there. `names`: the table that says what its names
    mean; `means`: its name -> "ours unit", as total = "volume_l l", before that table. `time_format`: "any", "unix s",
    "unix ms" or as %d.%m.%Y; `time_zone`: of times that name none; `time_of`: what it is the time of.
    `separator`: of columns. `port`, `counter`: of LoRaWAN."""

    zlib: bool = False
    only: Mapping[str, str] = field(default_factory=dict)
    format: str = name_from(lambda: tuple(CODECS.parts()), default="")
    telegram: str = ""
    transform: tuple[str, ...] = names_from(lambda: tuple(TRANSFORMS), default=lambda: ("hex",))
    values: str = ""
    value_name: str = ""
    names: str = name_from(lambda: tuple(TABLES), default="")
    means: Mapping[str, str] = field(default_factory=dict)
    meter: str = ""
    time: str = ""
    time_format: str = ANY
    time_zone: str = "UTC"
    time_of: TimeOf = "reception"
    rssi: str = ""
    rssi_unit: Literal["dBm", "-dBm", "CC1101"] = "dBm"
    port: str = ""
    counter: str = ""
    separator: str = ";"


_PLACES: Final = ("telegram", "values", "value_name", "meter", "time", "rssi", "port", "counter")


class Content:
    """Reads messages as `spec` says; keeps what fragments need. `passed_over`: messages and lines that were said to be
    none. Raises ReaderError for a spec that means nothing."""

    def __init__(self, spec: ContentSpec) -> None:
        self.spec = spec
        self.passed_over = 0
        self._lines: dict[str, LineReader] = {}
        try:
            self._places: dict[str, Place] = {name: place(getattr(spec, name)) for name in _PLACES}
            self._only = [(place(where), text) for where, text in spec.only.items()]
            self._zone = zone(spec.time_zone)
            check_format(spec.time_format)
        except (BadPlace, BadStamp) as error:
            raise ReaderError(f"read: {error}") from None
        self._undo: list[Undo] = [TRANSFORMS[name].make() for name in spec.transform]
        used = [*self._places.values(), *(where for where, _ in self._only)]
        self._json = any(one.kind == "json" for one in used)
        self._decoded = bool(spec.values or spec.value_name)

    # --- messages ---------------------------------------------------------------------------------------------------

    def rows(self, source: str, payload: bytes, received_ns: int, *, retained: bool = False) -> list[Delivered]:
        """What one message holds. Never raises."""
        row = Delivered(source, payload, received_ns, retained=retained)
        if len(payload) > MESSAGE_MOST_BYTES:
            cut = dataclasses.replace(row, payload=payload[:MESSAGE_MOST_BYTES])
            return [_why(cut, f"a message of {len(payload)} bytes, more than {MESSAGE_MOST_BYTES}")]
        try:
            data = unpacked(payload) if self.spec.zlib else payload
            if self.spec.format and not self._only:
                return self._of_lines(row, data)
            body = _json(data) if self._json else None
            if not self._is_one(_Message(source, data, body)):
                self.passed_over += 1
                return []
            if self.spec.format:
                return self._of_lines(row, data)
            return self._of_message(row, _Message(source, data, body))
        except CannotUndo as error:
            return [_why(row, str(error))]

    def line(self, source: str, line: bytes, received_ns: int) -> list[Delivered]:
        """One line of a stream in which other things may stand too: those are passed over."""
        if self.spec.format:
            reader = self._lines.setdefault(source, CODECS.find(self.spec.format).reader())
            return self._receptions(Delivered(source, line, received_ns), reader, line + b"\n", others=True)
        if self._json and not line.lstrip().startswith((b"{", b"[")):
            self.passed_over += 1
            return []
        found = self.rows(source, line, received_ns)
        if found and self._json and all(_ABSENT_WORDS in row.unreadable for row in found):
            self.passed_over += 1
            return []
        return found

    def _is_one(self, message: _Message) -> bool:
        return all(str(message.at(where, (), self.spec.separator)) == text for where, text in self._only)

    def _of_lines(self, row: Delivered, data: bytes) -> list[Delivered]:
        reader = CODECS.find(self.spec.format).reader()
        found = self._receptions(row, reader, data, others=False)
        return found or [_why(row, f"no line of the format {self.spec.format}: {_shown(data)}")]

    def _receptions(self, row: Delivered, reader: LineReader, data: bytes, *, others: bool) -> list[Delivered]:
        got = reader.feed(data) if others else [*reader.feed(data), *reader.end()]
        out = []
        for one in got:
            if not isinstance(one.what, Bad):
                out.append(self._heard(row, one.what))
            elif others:
                self.passed_over += 1
            else:
                out.append(_why(row, one.what.words))
        return out

    def _heard(self, row: Delivered, one: Reception) -> Delivered:
        try:
            frame = one.frame
        except BadTelegram as error:
            return _why(row, str(error))
        stamp = _UNIX.at(one.stamp.ns) if one.stamp is not None and one.stamp.dated else None
        return dataclasses.replace(
            row, frame=frame, meter=one.id, rssi_dbm=one.rssi_dbm, stamp=stamp,
            stamp_of=self.spec.time_of if stamp is not None else None,
        )  # fmt: skip

    # --- one message ------------------------------------------------------------------------------------------------

    def _of_message(self, row: Delivered, message: _Message) -> list[Delivered]:
        spec = self.spec
        if spec.value_name:
            name = message.at(self._places["value_name"], (), spec.separator)
            return [self._dressed(row, message, (), values={str(name): _scalar(message.data)})]
        where = self._places["values" if self._decoded else "telegram"]
        found = message.every(where, spec.separator)
        if not found:
            named = spec.values if self._decoded else spec.telegram
            return [_why(row, f"{_ABSENT_WORDS} {named}: {_shown(message.data)}")]
        out: list[Delivered] = []
        for indices, value in found[:TELEGRAMS_MOST]:
            if self._decoded:
                if not isinstance(value, dict):
                    out.append(_why(row, f"at {spec.values} stands no object of values: {_shown(message.data)}"))
                else:
                    out.append(self._dressed(row, message, indices, values=value))
            else:
                out += self._undone(row, message, indices, value)
        if len(found) > TELEGRAMS_MOST:
            out.append(_why(row, f"{len(found)} telegrams in one message; {TELEGRAMS_MOST} were read"))
        return out

    def _undone(self, row: Delivered, message: _Message, indices: Indices, value: object) -> list[Delivered]:
        if isinstance(value, str):
            value = value.encode("utf-8", "replace")
        if not isinstance(value, bytes):
            return [_why(row, f"at {self.spec.telegram} stands no text: {_shown(message.data)}")]
        counter = message.number(self._places["counter"], indices)
        if counter is None and self.spec.counter:
            counter = 0  # network servers whose JSON comes from protobuf leave zeros out
        pieces = [Piece(value, row.source, message.number(self._places["port"], indices), counter)]
        out: list[Delivered] = []
        for name, undo in zip(self.spec.transform, self._undo, strict=True):
            came: list[Piece] = []
            for piece in pieces:
                if piece.values is not None:
                    came.append(piece)
                    continue
                try:
                    came += undo(piece)
                except CannotUndo as error:
                    out.append(_why(row, f"{name}: {error}"))
            out += [_why(row, piece.unreadable) for piece in came if piece.unreadable]
            pieces = [piece for piece in came if not piece.unreadable]
        for piece in pieces:
            dressed = self._dressed(row, message, indices, piece=piece)
            if piece.values is not None:
                out.append(dataclasses.replace(dressed, values=piece.values))
                continue
            try:
                check_length(piece.data)
            except BadTelegram as error:
                out.append(_why(dressed, f"{error}; does a transform fit it?"))
                continue
            meter = dressed.meter or (piece.data[7:3:-1].hex() if len(piece.data) >= HEADER_BYTES else None)
            out.append(dataclasses.replace(dressed, frame=piece.data, meter=meter))
        return out

    def _dressed(
        self,
        row: Delivered,
        message: _Message,
        indices: Indices,
        *,
        values: Mapping[str, Any] | None = None,
        piece: Piece | None = None,
    ) -> Delivered:
        """With meter, level and time."""
        spec, odd = self.spec, []
        meter = message.at(self._places["meter"], indices, spec.separator) if spec.meter else ABSENT
        stamp: datetime | None = piece.stamp if piece is not None else None
        stamp_of: TimeOf | None = "reception" if stamp is not None else None
        if spec.time:
            written = message.at(self._places["time"], indices, spec.separator)
            if written is not ABSENT and written is not None:
                try:
                    stamp, stamp_of = parsed(written, spec.time_format, self._zone), spec.time_of
                except BadStamp as error:
                    odd.append(str(error))
        rssi_dbm = piece.rssi_dbm if piece is not None else None
        if spec.rssi:
            written = message.at(self._places["rssi"], indices, spec.separator)
            if written is not ABSENT and written is not None:
                try:
                    rssi_dbm = _level_dbm(written, spec.rssi_unit)
                except ValueError:
                    odd.append(f"{_shown(str(written).encode())} is no level")
        return dataclasses.replace(
            row, values=values, meter=None if meter is ABSENT or meter is None else str(meter), rssi_dbm=rssi_dbm,
            stamp=stamp, stamp_of=stamp_of, odd="; ".join(odd),
        )  # fmt: skip


_ABSENT_WORDS: Final = "nothing stands at"


@dataclass(frozen=True, slots=True)
class _Message:
    source: str
    data: bytes
    body: object

    def at(self, where: Place, indices: Indices, separator: str) -> object:
        if where.kind == "json":
            return at(self.body, where.steps, indices)
        if where.kind == "topic":
            levels = self.source.split("/")
            return levels[where.number - 1] if where.number <= len(levels) else ABSENT
        if where.kind == "column":
            lines = columns(self.data, separator)
            line = indices[0] if indices else 0
            return lines[line][where.number - 1] if line < len(lines) and where.number <= len(lines[line]) else ABSENT
        return self.data

    def every(self, where: Place, separator: str) -> list[tuple[Indices, object]]:
        if where.kind == "json":
            return every(self.body, where.steps)
        if where.kind == "column":
            rows = enumerate(columns(self.data, separator))
            return [((line,), row[where.number - 1]) for line, row in rows if where.number <= len(row)]
        return [((), self.at(where, (), separator))]

    def number(self, where: Place, indices: Indices) -> int | None:
        value = self.at(where, indices, "") if where.kind in ("json", "topic") else None
        if isinstance(value, str):
            return whole_of(value, 10**11 - 1)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def columns(data: bytes, separator: str) -> list[list[str]]:
    """Cells of each line; a first line of names (letters where the others have digits) is none."""
    lines = [line for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    rows = [[cell.strip() for cell in line.split(separator)] for line in lines]
    return rows[1:] if len(rows) > 1 and not any(letter.isdigit() for letter in lines[0]) else rows


def unpacked(payload: bytes) -> bytes:
    """zlib where it is zlib: no text and no telegram begins with its two bytes and unpacks. Raises CannotUndo."""
    if len(payload) < 2 or payload[0] & 0x0F != 8 or int.from_bytes(payload[:2], "big") % 31:
        return payload
    unpack = zlib.decompressobj()
    try:
        data = unpack.decompress(payload, MESSAGE_MOST_BYTES)
    except zlib.error as error:
        raise CannotUndo(f"zlib: {error}") from None
    if not unpack.eof:
        cut = "more than 1 MiB" if unpack.unconsumed_tail else "its end is missing"
        raise CannotUndo(f"zlib: {cut}")
    return data


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CannotUndo(f"not JSON ({error}): {_shown(data)}" if data else "an empty message") from None


def _scalar(data: bytes) -> object:
    """A number where it is written as one; else the text."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else data.decode("utf-8", "replace")


def _level_dbm(value: object, unit: str) -> float:
    """The level as it was said, also one that cannot be: the judgement needs it. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("no number")
    number = float(str(value).strip().removesuffix("dBm"))
    if unit == "-dBm":
        return -number
    if unit == "CC1101":
        return (number - 256 if number >= 128 else number) / 2 - 74
    return number


def _why(row: Delivered, words: str) -> Delivered:
    return dataclasses.replace(row, frame=None, values=None, unreadable=words)


def _shown(data: bytes) -> str:
    text = ascii(data[:_QUOTED].decode("utf-8", "replace"))
    return text if len(data) <= _QUOTED else f"{text} ... ({len(data)} bytes)"
