"""What a gateway and a wired meter say to each other in SML: lists that a meter pushes or is asked for, and its own
load profile, row by row. Bytes in both directions; who sends them when is elsewhere.

    meter     Open, GetListResponse, Close                  pushed, or as asked
    gateway   Open, GetListRequest, Close                   the list of that name
    gateway   Open, GetProfileListRequest, Close            rows from one instant to another
    meter     Open, GetProfileListResponse ..., Close       a message a row, at most ROWS_MOST; none left: Attention

A file that is read is of one meter: another number in it is refused, since whoever is on the link is known from TLS.
The name of the list of registers stands in captures; the other names, and the number of the attention, are this
model's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sim.smgw.obis_codes import Obis, of_bytes
from sim.smgw.refusals import BadFrame
from sim.smgw.sml_file import File, Message, message, read
from sim.smgw.sml_octets import Node, listed, octets, sint, uint
from sim.smgw.sml_schema import body

REGISTERS: Final = bytes.fromhex("0100620affff")
GRID: Final = bytes.fromhex("0100620bffff")
LOAD_PROFILE: Final = bytes.fromhex("0100630100ff")
NO_ROWS: Final = bytes.fromhex("8181c7c7fe03")
ROWS_MOST: Final = 96
"""Ours: a day of quarter hours."""
CLIENT: Final = b"SMGW"
_OPEN, _CLOSE, _LIST, _PROFILE = 0x0100, 0x0200, 0x0700, 0x0400
_RESPONSE: Final = 1
_ATTENTION: Final = 0xFF01
_TIMESTAMP: Final = 2
_VERSION: Final = 1
_REGISTER_BYTES, _GRID_BYTES = 8, 4


class Entry(NamedTuple):
    """A value times 10**scaler; `unit` as DLMS numbers them (30 Wh, 27 W, 35 V, 33 A, 44 Hz, 8 degrees)."""

    obis: Obis
    value: int
    scaler: int
    unit: int


class Values(NamedTuple):
    """A list, or a row of a load profile, of an instant (seconds since 1970); `status`: the meter's word."""

    at_s: int
    status: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a meter's file said. `name`: REGISTERS, GRID or LOAD_PROFILE, which may have no rows."""

    name: bytes
    rows: tuple[Values, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a gateway's file asks. `from_s` and `until_s` (both are wanted): of a load profile."""

    name: bytes
    from_s: int = 0
    until_s: int = 0


# --- the meter's files --------------------------------------------------------------------------------------------


def says_list(server: bytes, number: int, name: bytes, values: Values, crc: str) -> bytes:
    """One list. `number`: of the meter's file."""
    entries = [
        listed(octets(_obis(one.obis)), _status(values.status if place == 0 else None), Node("absent", None),
               uint(one.unit, 1), sint(one.scaler, 1), _number(one), Node("absent", None))
        for place, one in enumerate(values.entries)
    ]  # fmt: skip
    said = body(
        _LIST + _RESPONSE, clientId=octets(CLIENT), serverId=octets(server), listName=octets(name),
        actSensorTime=_time(values.at_s), valList=listed(*entries),
    )  # fmt: skip
    return _answer(server, number, [(_LIST + _RESPONSE, said)], values.at_s, crc)


def says_profile(server: bytes, number: int, rows: Sequence[Values], period_s: int, now_s: int, crc: str) -> bytes:
    """The first ROWS_MOST of these rows, or that there are none."""
    bodies: list[tuple[int, Node]] = []
    for row in rows[:ROWS_MOST]:
        entries = [
            listed(octets(_obis(one.obis)), uint(one.unit, 1), sint(one.scaler, 1), _number(one), Node("absent", None))
            for one in row.entries
        ]
        bodies.append((_PROFILE + _RESPONSE, body(
            _PROFILE + _RESPONSE, serverId=octets(server), actTime=_time(now_s), regPeriod=uint(period_s, 4),
            parameterTreePath=listed(octets(LOAD_PROFILE)), valTime=_time(row.at_s), status=uint(row.status, 8),
            periodList=listed(*entries),
        )))  # fmt: skip
    if not bodies:
        bodies = [(_ATTENTION, body(_ATTENTION, serverId=octets(server), attentionNo=octets(NO_ROWS)))]
    return _answer(server, number, bodies, now_s, crc)


def _answer(server: bytes, number: int, bodies: Iterable[tuple[int, Node]], now_s: int, crc: str) -> bytes:
    file = number.to_bytes(4, "big")
    opened = body(
        _OPEN + _RESPONSE, clientId=octets(CLIENT), reqFileId=octets(file), serverId=octets(server),
        refTime=_time(now_s), smlVersion=uint(_VERSION, 1),
    )  # fmt: skip
    return _file(file, [(_OPEN + _RESPONSE, opened), *bodies, (_CLOSE + _RESPONSE, body(_CLOSE + _RESPONSE))], crc)


# --- the gateway's files ------------------------------------------------------------------------------------------


def asks_list(server: bytes, number: int, name: bytes, crc: str) -> bytes:
    """For the list of that name."""
    asked = body(_LIST, clientId=octets(CLIENT), serverId=octets(server), listName=octets(name))
    return _request(server, number, _LIST, asked, crc)


def asks_profile(server: bytes, number: int, from_s: int, until_s: int, crc: str) -> bytes:
    """For rows of the load profile, both ends with them."""
    asked = body(
        _PROFILE, serverId=octets(server), beginTime=_time(from_s), endTime=_time(until_s),
        parameterTreePath=listed(octets(LOAD_PROFILE)),
    )  # fmt: skip
    return _request(server, number, _PROFILE, asked, crc)


def _request(server: bytes, number: int, tag: int, asked: Node, crc: str) -> bytes:
    file = number.to_bytes(4, "big")
    opened = body(
        _OPEN, clientId=octets(CLIENT), reqFileId=octets(file), serverId=octets(server), smlVersion=uint(_VERSION, 1)
    )
    return _file(file, [(_OPEN, opened), (tag, asked), (_CLOSE, body(_CLOSE))], crc)


def _file(file: bytes, bodies: Iterable[tuple[int, Node]], crc: str) -> bytes:
    messages = tuple(message(tag, of, file + bytes((place,))) for place, (tag, of) in enumerate(bodies))
    return File(messages, crc).encode()


# --- reading ------------------------------------------------------------------------------------------------------


def heard_by_gateway(data: bytes, server: bytes, crc: str) -> Said:
    """A meter's file. Raises BadFrame, of sml_file and: sml-server (another meter's), sml-answer (no answer of this
    exchange)."""
    inner = _inner(data, crc)
    rows: list[Values] = []
    name = b""
    for one in inner:
        fields = one.body.items
        if one.tag == _LIST + _RESPONSE:
            _same(fields[1], server)
            name = _octets(fields[2])
            rows.append(_values(fields[3], None, fields[4].items, value_at=5, unit_at=3))
        elif one.tag == _PROFILE + _RESPONSE:
            _same(fields[0], server)
            name = LOAD_PROFILE
            rows.append(_values(fields[4], fields[5], fields[6].items, value_at=3, unit_at=1))
        elif one.tag == _ATTENTION and _octets(fields[1]) == NO_ROWS:
            _same(fields[0], server)
            name = LOAD_PROFILE
        else:
            raise BadFrame("sml-answer", f"{one.tag:04x} is no answer of a meter here", one.body.offset)
    return Said(name, tuple(rows))


def heard_by_meter(data: bytes, server: bytes, crc: str) -> Asked:
    """A gateway's file. Raises BadFrame."""
    inner = _inner(data, crc)
    if len(inner) != 1 or inner[0].tag not in (_LIST, _PROFILE):
        raise BadFrame("sml-answer", "a gateway asks for one list, or for a load profile")
    one = inner[0]
    fields = one.body.items
    if one.tag == _LIST:
        _same(fields[1], server)
        return Asked(_octets(fields[4]))
    _same(fields[0], server)
    if _octets(fields[6].items[0]) != LOAD_PROFILE if fields[6].items else True:
        raise BadFrame("sml-answer", "there is one load profile", fields[6].offset)
    return Asked(LOAD_PROFILE, _seconds(fields[4]), _seconds(fields[5]))


def _inner(data: bytes, crc: str) -> tuple[Message, ...]:
    file = read(data, crc)
    return file.messages[1:-1]


def _values(time: Node, status: Node | None, entries: Sequence[Node], *, value_at: int, unit_at: int) -> Values:
    """Of entries with numbers; texts (a meter's maker and number) are left."""
    word = status.value if status is not None else next((e.items[1].value for e in entries), None)
    made = []
    for one in entries:
        value, unit, scaler = (one.items[at].value for at in (value_at, unit_at, unit_at + 1))
        if isinstance(value, int) and isinstance(unit, int):
            made.append(Entry(of_bytes(_octets(one.items[0])), value, scaler if isinstance(scaler, int) else 0, unit))
    return Values(_seconds(time), word if isinstance(word, int) else 0, tuple(made))


def _seconds(node: Node) -> int:
    """Raises BadFrame for a time that no gateway can place: seconds of operation, or none."""
    if len(node.items) == 2 and node.items[0].value == _TIMESTAMP and isinstance(node.items[1].value, int):
        return node.items[1].value
    raise BadFrame("sml-time", "the time is no time stamp (choice 2)", node.offset)


def _same(node: Node, server: bytes) -> None:
    if node.value != server:
        raise BadFrame("sml-server", f"it speaks of meter {_octets(node).hex()}, not {server.hex()}", node.offset)


def _octets(node: Node) -> bytes:
    return node.value if isinstance(node.value, bytes) else b""


def _obis(code: Obis) -> bytes:
    return bytes((code.a, code.b, code.c, code.d, code.e, code.f))


def _status(word: int | None) -> Node:
    return Node("absent", None) if word is None else uint(word, 8)


def _time(at_s: int) -> Node:
    return listed(uint(_TIMESTAMP, 1), uint(at_s, 4))


def _number(one: Entry) -> Node:
    return uint(one.value, _REGISTER_BYTES) if one.obis.is_register else sint(one.value, _GRID_BYTES)
