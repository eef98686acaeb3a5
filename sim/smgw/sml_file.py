"""SML 1.04: a file on the wire, its messages, and the values in them.

    1B1B1B1B 01010101 | messages | 00 to a multiple of 4 | 1B1B1B1B 1A n CRC

n is the number of 00. Four bytes 1B in the data are sent twice. The file's CRC covers all before it, each message's its
own bytes; the low byte comes first. Which CRC it is is a setting of the meter and is never tried out. A message is a
list of 6: transaction, group, what to do on an error, [tag, body], CRC, end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from sim.core.crc16 import crc16_wire
from sim.smgw.obis_codes import of_bytes
from sim.smgw.refusals import BadFrame
from sim.smgw.sml_octets import END, Node, decode, encode, listed, octets, uint
from sim.smgw.sml_schema import check_body

ESCAPE: Final = b"\x1b" * 4
START: Final = ESCAPE + b"\x01" * 4
_END: Final = 0x1A
_END_BYTES: Final = 8
_MESSAGE: Final = 0x76
_CRC_TL: Final = {0x63: 2, 0x62: 1}
"""As a number of two bytes, or of one where the first is 00: SML lets go of leading zeros."""
_OPENS, _CLOSES = (0x0100, 0x0101), (0x0200, 0x0201)
GET_LIST_RESPONSE: Final = 0x0701


@dataclass(frozen=True, slots=True)
class Message:
    """`head`: transaction, group, abort-on-error and [tag, body], as they were. `short`: its CRC's first byte is left
    out where it is 00."""

    head: tuple[Node, ...]
    short: bool = False

    @property
    def tag(self) -> int:
        """What message it is."""
        value = self.head[3].items[0].value
        return value if isinstance(value, int) else 0

    @property
    def body(self) -> Node:
        """Its fields."""
        return self.head[3].items[1]

    def encode(self, crc: str) -> bytes:
        """Its bytes with its CRC."""
        data = bytes((_MESSAGE,)) + b"".join(map(encode, self.head))
        right = crc16_wire(data, crc)
        right = right[1:] if self.short and not right[0] else right
        return data + bytes((0x61 + len(right),)) + right + bytes((END,))


@dataclass(frozen=True, slots=True)
class File:
    """`crc`: X25 or KERMIT, of the file and each message."""

    messages: tuple[Message, ...]
    crc: str = "X25"

    def encode(self) -> bytes:
        """As it is sent."""
        data = b"".join(message.encode(self.crc) for message in self.messages)
        fill = -len(data) % 4
        out = START + (data + bytes(fill)).replace(ESCAPE, ESCAPE * 2) + ESCAPE + bytes((_END, fill))
        return out + crc16_wire(out, self.crc)


def message(tag: int, body: Node, transaction: bytes, group: int = 0) -> Message:
    """One to be sent: on an error the receiver goes on."""
    return Message((octets(transaction), uint(group, 1), uint(0, 1), listed(uint(tag, 2), body)))


def read(data: bytes, crc: str = "X25") -> File:
    """A whole file that obeys the schema. Raises BadFrame."""
    file = split(data, crc)
    check(file)
    return file


def check(file: File) -> None:
    """Messages in the right order, with the fields that they must have. Raises BadFrame."""
    for index, one in enumerate(file.messages):
        at = one.head[3].offset
        if (one.tag in _OPENS) != (index == 0) or (one.tag in _CLOSES) != (index == len(file.messages) - 1):
            raise BadFrame("sml-order", f"{one.tag:04x} is message {index + 1} of {len(file.messages)}", at)
        check_body(one.tag, one.body)


def split(data: bytes, crc: str = "X25") -> File:
    """The messages, their fields not looked at yet. Raises BadFrame (sml-start, sml-end, sml-escape, sml-fill,
    file-crc, message-crc, and those of sml_octets); offsets count in `data`."""
    payload, doubled = _payload(data, crc)
    messages, at = [], len(START)
    try:
        while at < len(payload):
            one, at = _message(payload, at, crc)
            messages.append(one)
    except BadFrame as error:
        raise BadFrame(error.reason, error.detail, _wire(error.offset, doubled)) from None
    if not messages:
        raise BadFrame("sml-end", "a file without a message", len(START))
    if doubled:
        messages = [replace(one, head=tuple(_moved(node, doubled) for node in one.head)) for one in messages]
    return File(tuple(messages), crc)


def _payload(data: bytes, crc: str) -> tuple[bytes, list[int]]:
    """The start and the messages without fill, escapes undone, and where in that an escape was doubled."""
    if not data:
        raise BadFrame("sml-start", f"no byte was given; a file begins with {START.hex()}")
    if not data.startswith(START):
        raise BadFrame("sml-start", f"{data[:8].hex()} is no beginning, which is {START.hex()}")
    out, doubled, at = bytearray(START), [], len(START)
    while True:
        found = data.find(ESCAPE, at)
        if found < 0:
            raise BadFrame("sml-end", "no end of the file", len(data))
        out += data[at:found]
        what = data[found + 4 : found + 8]
        if what == ESCAPE:
            doubled.append(len(out))
            out += ESCAPE
            at = found + 8
            continue
        break
    if len(what) < 4 and what[:1] in (b"", bytes((_END,))):
        raise BadFrame("sml-end", "the file ends within its end", len(data))
    if what[0] != _END:
        raise BadFrame("sml-escape", f"{what.hex()} after an escape is neither an end nor an escape", found + 4)
    if len(data) != found + _END_BYTES:
        raise BadFrame("sml-end", f"{len(data) - found - _END_BYTES} bytes behind the end", found + _END_BYTES)
    right = crc16_wire(data[: found + 6], crc)
    if what[2:] != right:
        raise BadFrame("file-crc", f"the file's {crc} is {what[2:].hex()}, right is {right.hex()}", found + 6)
    fill = what[1]
    if fill > 3 or len(out) % 4 or fill > len(out) - len(START) or any(out[len(out) - fill :]):
        raise BadFrame("sml-fill", f"{fill} bytes 00 do not fill the messages to a multiple of four", found + 5)
    return bytes(out[: len(out) - fill]), doubled


def _message(payload: bytes, begin: int, crc: str) -> tuple[Message, int]:
    if payload[begin] != _MESSAGE:
        raise BadFrame("sml-message", f"{payload[begin]:02x} is no list of six", begin)
    at, head = begin + 1, []
    for kind in ("octets", "uint", "uint", "list"):
        node, at = decode(payload, at)
        if node.kind != kind:
            raise BadFrame("sml-message", f"{node.kind} where a message has {kind}", node.offset)
        head.append(node)
    choice = head[3]
    if len(choice.items) != 2 or choice.items[0].kind != "uint":
        raise BadFrame("sml-message", "a message's body is [tag, fields]", choice.offset)
    size = _CRC_TL.get(payload[at]) if at < len(payload) else 0
    if size is None:
        raise BadFrame("sml-message", f"{payload[at]:02x} where the CRC is", at)
    end = at + 1 + size
    if not size or end >= len(payload):
        raise BadFrame("sml-end", "the messages end before a CRC", len(payload))
    right, found = crc16_wire(payload[begin:at], crc), payload[at + 1 : end].rjust(2, b"\0")
    if found != right:
        raise BadFrame("message-crc", f"the message's {crc} is {found.hex()}, right is {right.hex()}", at + 1)
    if payload[end] != END:
        raise BadFrame("sml-message", f"{payload[end]:02x} where the message ends", end)
    return Message((head[0], head[1], head[2], choice), size == 1), end + 1


def _wire(offset: int, doubled: list[int]) -> int:
    return offset + 4 * sum(at < offset for at in doubled)


def _moved(node: Node, doubled: list[int]) -> Node:
    value = tuple(_moved(one, doubled) for one in node.items) if node.kind == "list" else node.value
    return Node(node.kind, value, node.size, _wire(node.offset, doubled))


# --- values --------------------------------------------------------------------------------------------------------


def entries(file: File) -> Iterator[Node]:
    """The entries of every list response, whether they have all fields or not."""
    for one in file.messages:
        if one.tag == GET_LIST_RESPONSE and len(one.body.items) == 7:
            yield from (entry for entry in one.body.items[4].items if len(entry.items) == 7)


def as_json(file: File) -> dict[str, Any]:
    """CRC kinds, messages, the server's number, values."""
    servers = [
        one.body.items[1].value for one in file.messages if one.tag == GET_LIST_RESPONSE and len(one.body.items) == 7
    ]
    return {
        "transport_crc": file.crc,
        "message_crc": [file.crc],
        "messages": [f"{one.tag:04x}" for one in file.messages],
        "server_id": _shown(servers[0]) if servers else None,
        "values": [_entry(entry) for entry in entries(file)],
    }


def _entry(entry: Node) -> dict[str, Any]:
    name, status, _, unit, scaler, value, _ = entry.items
    code = name.value
    return {
        "obis": str(of_bytes(code)) if isinstance(code, bytes) and len(code) == 6 else _shown(code),
        "status": _shown(status.value),
        "unit": _shown(unit.value),
        "scaler": _shown(scaler.value),
        "value": bool(value.value) if value.kind == "bool" else _shown(value.value),
    }


def _shown(value: object) -> Any:
    return value.hex() if isinstance(value, bytes) else value if isinstance(value, int) else None
