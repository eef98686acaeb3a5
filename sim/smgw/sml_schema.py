"""Which fields each SML message has, as tables that reading and writing share.

Numbers may be in fewer bytes than their type has, as meters send them. A time is a choice [tag, body]; some meters send
the bare number, which is read as it is published. Tags 0101, 0201 and 0701 were seen in captures; the others follow
public descriptions of SML 1.04, since the text itself could not be opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sim.smgw.refusals import BadFrame
from sim.smgw.sml_octets import ABSENT, Node, listed

_BYTES: Final = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i8": 1, "i16": 2}
OBIS_BYTES: Final = 6

Fields = tuple[tuple[str, str], ...]

ENTRY: Final[Fields] = (
    ("objName", "obis"), ("status", "u64?"), ("valTime", "time?"), ("unit", "u8?"), ("scaler", "i8?"),
    ("value", "value"), ("valueSignature", "octets?"),
)  # fmt: skip
PERIOD_ENTRY: Final[Fields] = (
    ("objName", "obis"), ("unit", "u8"), ("scaler", "i8"), ("value", "value"), ("valueSignature", "octets?"),
)  # fmt: skip
TREE: Final[Fields] = (("parameterName", "octets"), ("parameterValue", "any?"), ("childList", "trees?"))
_LISTS: Final[Mapping[str, Fields]] = {"entries": ENTRY, "periods": PERIOD_ENTRY, "trees": TREE}
_WHO: Final[Fields] = (("serverId", "octets?"), ("username", "octets?"), ("password", "octets?"))

MESSAGES: Final[Mapping[int, tuple[str, Fields]]] = {
    0x0100: ("OpenRequest", (("codepage", "octets?"), ("clientId", "octets"), ("reqFileId", "octets"), *_WHO,
                             ("smlVersion", "u8?"))),
    0x0101: ("OpenResponse", (("codepage", "octets?"), ("clientId", "octets?"), ("reqFileId", "octets"),
                              ("serverId", "octets"), ("refTime", "time?"), ("smlVersion", "u8?"))),
    0x0200: ("CloseRequest", (("globalSignature", "octets?"),)),
    0x0201: ("CloseResponse", (("globalSignature", "octets?"),)),
    0x0400: ("GetProfileListRequest", (*_WHO, ("withRawdata", "bool?"), ("beginTime", "time?"),
                                       ("endTime", "time?"), ("parameterTreePath", "path"),
                                       ("objectList", "path?"), ("dasDetails", "tree?"))),
    0x0401: ("GetProfileListResponse", (("serverId", "octets"), ("actTime", "time"), ("regPeriod", "u32"),
                                        ("parameterTreePath", "path"), ("valTime", "time"), ("status", "u64"),
                                        ("periodList", "periods"), ("rawdata", "octets?"),
                                        ("periodSignature", "octets?"))),
    0x0600: ("SetProcParameterRequest", (*_WHO, ("parameterTreePath", "path"), ("parameterTree", "tree"))),
    0x0700: ("GetListRequest", (("clientId", "octets"), *_WHO, ("listName", "octets?"))),
    0x0701: ("GetListResponse", (("clientId", "octets?"), ("serverId", "octets"), ("listName", "octets?"),
                                 ("actSensorTime", "time?"), ("valList", "entries"), ("listSignature", "octets?"),
                                 ("actGatewayTime", "time?"))),
    0xFF01: ("AttentionResponse", (("serverId", "octets"), ("attentionNo", "octets"), ("attentionMsg", "octets?"),
                                   ("attentionDetails", "tree?"))),
}  # fmt: skip
"""Tag -> name and fields. A question mark: may be absent."""


def body(tag: int, **fields: Node) -> Node:
    """A message's body of its fields by name. Raises ValueError for a field that the message does not have, BadFrame
    for one that is missing or of another type."""
    name, table = MESSAGES[tag]
    if unknown := fields.keys() - {field for field, _ in table}:
        raise ValueError(f"{name} has no field {sorted(unknown)[0]}")
    made = listed(*(fields.get(field, ABSENT) for field, _ in table))
    check_body(tag, made)
    return made


def check_body(tag: int, given: Node) -> None:
    """Raises BadFrame (sml-message, value-missing, sml-field) at the offset of what is wrong."""
    if tag not in MESSAGES:
        raise BadFrame("sml-message", f"{tag:04x} is no message of SML 1.04", given.offset)
    name, table = MESSAGES[tag]
    _fields(given, table, name)


def _fields(given: Node, table: Fields, where: str) -> None:
    if len(given.items) != len(table):
        raise BadFrame("sml-field", f"{where} is a list of {len(table)}", given.offset)
    for node, (name, kind) in zip(given.items, table, strict=True):
        _field(node, kind, f"{where}.{name}")


def _field(node: Node, kind: str, where: str) -> None:
    if node.kind == "absent":
        if kind.endswith("?"):
            return
        raise BadFrame("value-missing", f"{where} may not be absent", node.offset)
    kind = kind.rstrip("?")
    if kind in _LISTS:
        _all(node, where)
        for one in node.items:
            _fields(one, _LISTS[kind], where)
        return
    if kind == "tree":
        _fields(node, TREE, where)
        return
    if kind == "path":
        _all(node, where)
        for one in node.items:
            _field(one, "octets", where)
        return
    if not _fits(node, kind):
        raise BadFrame(
            "sml-field", f"{where} is {node.kind} of {node.size or _length(node)} bytes, not {kind}", node.offset
        )


def _fits(node: Node, kind: str) -> bool:
    match kind:
        case "any":
            return True
        case "obis":
            return node.kind == "octets" and _length(node) == OBIS_BYTES
        case "octets" | "bool":
            return node.kind == kind
        case "value":
            return node.kind != "list"
        case "time":
            return _time(node)
    return node.kind == ("uint" if kind[0] == "u" else "int") and node.size <= _BYTES[kind]


def _time(node: Node) -> bool:
    """[1, seconds of operation], [2, seconds since 1970], [3, [seconds, minutes to UTC, minutes of summer time]]; or
    bare seconds, as meters of HOLLEY send them."""
    if node.kind != "list":
        return _fits(node, "u32")
    if len(node.items) != 2 or not _fits(node.items[0], "u8"):
        return False
    tag, of = node.items
    if tag.value in (1, 2):
        return _fits(of, "u32")
    local = ("u32", "i16", "i16")
    return tag.value == 3 and len(of.items) == 3 and all(map(_fits, of.items, local))


def _all(node: Node, where: str) -> None:
    if node.kind != "list":
        raise BadFrame("sml-field", f"{where} is {node.kind}, not a list", node.offset)


def _length(node: Node) -> int:
    return len(node.value) if isinstance(node.value, bytes) else 0
