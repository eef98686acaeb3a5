"""SML 1.04: values as types and lengths (TL) and what follows.

A TL is one or more bytes: bit 7 more follow, bits 6 to 4 the type in the first and 0 in the others, bits 3 to 0 four
bits of the length, which counts the TL itself; for a list it is the number of elements. 01 is a value that is absent,
00 ends a message. A length in more bytes than it needs is refused, so that what is read encodes to the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sim.smgw.refusals import BadFrame

DEEPEST: Final = 16
_TL_MOST_BYTES: Final = 4
_NAMES: Final = {0: "octets", 4: "bool", 5: "int", 6: "uint", 7: "list"}
_CODES: Final = {name: code for code, name in _NAMES.items()}
END: Final = 0x00

Content: TypeAlias = "bytes | int | tuple[Node, ...] | None"


@dataclass(frozen=True, slots=True)
class Node:
    """A value. `kind`: absent, octets, bool, int, uint, list; `size`: bytes of a number; `offset`: where it was."""

    kind: str
    value: Content
    size: int = 0
    offset: int = field(default=0, compare=False)

    @property
    def items(self) -> tuple[Node, ...]:
        """Of a list; () of anything else."""
        return self.value if isinstance(self.value, tuple) else ()


ABSENT: Final = Node("absent", None)


def octets(data: bytes) -> Node:
    """Octets; without any it is absent, since SML has no other way to write that."""
    return Node("octets", data) if data else ABSENT


def uint(value: int, size: int) -> Node:
    """A number without sign in so many bytes."""
    return Node("uint", value, size)


def sint(value: int, size: int) -> Node:
    """A number with sign in so many bytes."""
    return Node("int", value, size)


def listed(*nodes: Node) -> Node:
    """A list."""
    return Node("list", nodes)


def encode(node: Node) -> bytes:
    """Its bytes. Raises ValueError, OverflowError for a number that its size cannot hold."""
    if node.kind == "absent":
        return b"\x01"
    code = _CODES[node.kind]
    if isinstance(node.value, tuple):
        return _tl(code, len(node.value), 0) + b"".join(map(encode, node.value))
    if isinstance(node.value, int):
        data = node.value.to_bytes(node.size, "big", signed=node.kind == "int")
    else:
        data = node.value or b""
    return _tl(code, len(data), 1) + data


def _tl(code: int, length: int, own: int) -> bytes:
    """`own` 1: the length counts the bytes of the TL."""
    count = 1
    while length + own * count >= 16**count:
        count += 1
    total = length + own * count
    nibbles = [total >> 4 * (count - 1 - index) & 0x0F for index in range(count)]
    return bytes(
        nibble | (0x80 if index < count - 1 else 0) | (code << 4 if index == 0 else 0)
        for index, nibble in enumerate(nibbles)
    )


def decode(data: bytes, at: int, depth: int = 0) -> tuple[Node, int]:
    """The value at `at`, and where the next one is. Raises BadFrame (sml-end, sml-type, sml-length, sml-depth)."""
    begin = at
    first = byte = _byte(data, at)
    code, length = first >> 4 & 7, first & 0x0F
    at += 1
    while byte & 0x80:
        byte = _byte(data, at)
        if byte & 0x70:
            raise BadFrame("sml-length", f"{byte:02x} does not go on with a length", at)
        length = length << 4 | byte & 0x0F
        at += 1
        if at - begin > _TL_MOST_BYTES:
            raise BadFrame("sml-length", f"a length of more than {_TL_MOST_BYTES} bytes", begin)
    kind = _NAMES.get(code)
    if kind is None or first == END:
        raise BadFrame("sml-type", f"{first:02x} begins no value", begin)
    if first == 0x01:
        return Node("absent", None, 0, begin), at
    own = 0 if kind == "list" else at - begin
    if length < own or (at - begin > 1 and _tl(code, length - own, min(own, 1)) != data[begin:at]):
        raise BadFrame("sml-length", f"{data[begin:at].hex()} is not the shortest way to write its length", begin)
    if kind == "list":
        return _list(data, begin, at, length, depth)
    end = at + length - own
    if end > len(data):
        raise BadFrame("sml-end", f"{length - own} bytes are announced, {len(data) - at} are left", begin)
    raw = data[at:end]
    if kind == "octets":
        return Node(kind, raw, 0, begin), end
    if not 1 <= len(raw) <= (1 if kind == "bool" else 8):
        raise BadFrame("sml-length", f"{kind} of {len(raw)} bytes", begin)
    return Node(kind, int.from_bytes(raw, "big", signed=kind == "int"), len(raw), begin), end


def _list(data: bytes, begin: int, at: int, count: int, depth: int) -> tuple[Node, int]:
    if depth >= DEEPEST:
        raise BadFrame("sml-depth", f"lists in lists, more than {DEEPEST} deep", begin)
    if count > len(data) - at:
        raise BadFrame("sml-end", f"a list of {count} elements, {len(data) - at} bytes are left", begin)
    nodes = []
    for _ in range(count):
        node, at = decode(data, at, depth + 1)
        nodes.append(node)
    return Node("list", tuple(nodes), 0, begin), at


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise BadFrame("sml-end", "the bytes end within a value", len(data))
    return data[at]
