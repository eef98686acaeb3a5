"""SML 1.04: captured frames, built ones, and everything that is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.core.crc16 import crc16_wire
from sim.smgw import sml_octets as tl
from sim.smgw.refusals import BadFrame
from sim.smgw.sml_file import ESCAPE, START, File, as_json, check, message, read, split
from sim.smgw.sml_octets import Node, listed, octets, sint, uint
from sim.smgw.sml_schema import body

FILE = Path(__file__).parents[2] / "vectors" / "sml.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text().splitlines()]
DAMAGED = "libsml-EMH_eHZ-IW8E2A5L0EK2P_with_error"
FIRST = bytes.fromhex(ROWS[0]["hex"])
SERVER = octets(b"\x0a\x01ABC\0\0\0\0\1")


def reason(data: bytes, crc: str = "X25") -> tuple[str, int]:
    with pytest.raises(BadFrame) as refused:
        read(data, crc)
    return refused.value.reason, refused.value.offset


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_captured_frames_read_as_published_and_encode_back(row) -> None:
    data = bytes.fromhex(row["hex"])
    file = split(data)
    shown = as_json(file)
    assert {name: row[name] for name in shown} == shown
    assert file.encode() == data
    if row["id"] != DAMAGED:
        check(file)


def test_a_value_that_is_not_there_is_refused_where_it_should_be() -> None:
    data = bytes.fromhex(next(row["hex"] for row in ROWS if row["id"] == DAMAGED))
    what, at = reason(data)
    assert what == "value-missing"
    assert data[at - 1 : at + 2] == b"\1\1\1"  # scaler, value, signature


# --- built ---------------------------------------------------------------------------------------------------------

NOW = listed(uint(1, 1), uint(7, 4))
ENERGY = listed(
    octets(bytes.fromhex("0100010800ff")),
    uint(0x1C0104, 4),
    tl.ABSENT,
    uint(30, 1),
    sint(-1, 1),
    uint(543, 4),
    tl.ABSENT,
)


def file_of(*messages, crc: str = "X25") -> File:
    opened = message(0x0101, body(0x0101, reqFileId=octets(b"1"), serverId=SERVER), b"t1")
    return File((opened, *messages, message(0x0201, body(0x0201), b"t9")), crc)


def get_list(*entries: Node, name: bytes = b"") -> object:
    return message(0x0701, body(0x0701, serverId=SERVER, listName=octets(name), valList=listed(*entries)), b"t2")


PATH = listed(octets(b"path"))
TREE = listed(octets(b"name"), uint(1, 1), listed(listed(octets(b"n"), tl.ABSENT, tl.ABSENT)))
PERIOD = listed(octets(bytes(6)), uint(30, 1), sint(-1, 1), uint(5, 8), tl.ABSENT)
REQUESTS = File((
    message(0x0100, body(0x0100, clientId=octets(b"c"), reqFileId=octets(b"1")), b"1"),
    message(0x0700, body(0x0700, clientId=octets(b"c"), serverId=SERVER), b"2"),
    message(0x0400, body(0x0400, serverId=SERVER, withRawdata=Node("bool", 1, 1), beginTime=NOW, endTime=NOW,
                         parameterTreePath=PATH, objectList=listed(octets(b"o1"), octets(b"o2"))), b"3"),
    message(0x0600, body(0x0600, parameterTreePath=PATH, parameterTree=TREE), b"4"),
    message(0x0200, body(0x0200), b"5"),
))  # fmt: skip
PROFILE = file_of(
    message(0x0401, body(0x0401, serverId=SERVER, actTime=NOW, regPeriod=uint(900, 4), parameterTreePath=PATH,
                         valTime=listed(uint(3, 1), listed(uint(1, 4), sint(60, 2), sint(60, 2))), status=uint(0, 8),
                         periodList=listed(PERIOD)), b"t2"),
    message(0xFF01, body(0xFF01, serverId=SERVER, attentionNo=octets(b"\x81\x81\xc7\xc7\xfe\0")), b"t3"),
)  # fmt: skip


@pytest.mark.parametrize(
    "file", [file_of(get_list(ENERGY)), REQUESTS, PROFILE, file_of(get_list(ENERGY), crc="KERMIT")]
)
def test_what_is_built_reads_back(file) -> None:
    assert read(file.encode(), file.crc) == file


def test_the_kind_of_crc_is_configured_and_never_tried_out() -> None:
    kermit = file_of(get_list(ENERGY), crc="KERMIT").encode()
    assert reason(kermit, "X25")[0] == "file-crc"
    assert reason(FIRST, "KERMIT")[0] == "file-crc"


def test_the_files_crc_does_not_stand_for_the_messages() -> None:
    data = bytearray(file_of(get_list(ENERGY)).encode())
    at = bytes(data).index(b"t2")
    data[at] ^= 1
    data[-2:] = crc16_wire(bytes(data[:-2]))
    what, where = reason(bytes(data))
    assert what == "message-crc"
    assert where > at


@given(
    st.lists(st.sampled_from([b"\x1b", b"\x1b\x1b\x1b\x1b", b"\x1a", b"\x01\x01\x01\x01", b"\0", b"x"]), max_size=20)
)
@example([b"\x1b"] * 5)
@example([b"\x1b"] * 8)
def test_escapes_in_data_are_doubled(parts) -> None:
    file = file_of(get_list(ENERGY, name=b"".join(parts)))
    data = file.encode()
    assert read(data) == file
    for tree in (
        split(data).messages[1].body.items[1],
        split(data).messages[2].head[0],
    ):  # before and after the escapes
        raw = tl.encode(tree)
        assert data[tree.offset :][: len(raw)] == raw


# --- refused -------------------------------------------------------------------------------------------------------


def wrapped(payload: bytes, fill: int | None = None) -> bytes:
    fill = -len(payload) % 4 if fill is None else fill
    out = START + payload + bytes(fill) + ESCAPE + bytes((0x1A, fill))
    return out + crc16_wire(out)


def whole(head: bytes) -> bytes:
    """A message with its CRC, of the bytes before it."""
    return head + b"\x63" + crc16_wire(head) + b"\0"


OPEN = whole(bytes.fromhex("76 0231 6200 6200 72 630101 76 01 01 0231 0241 01 01"))
CLOSE = whole(bytes.fromhex("76 0239 6200 6200 72 630201 71 01"))


def body_of(fields: str) -> bytes:
    return wrapped(OPEN + whole(bytes.fromhex("76 0232 6200 6200 72 630701") + bytes.fromhex(fields)) + CLOSE)


HEAD = len(START) + len(OPEN) + 11
"""Where the body of the message in the middle begins."""


def test_the_smallest_file() -> None:
    assert [one.tag for one in read(wrapped(OPEN + CLOSE)).messages] == [0x0101, 0x0201]


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (FIRST[1:], ("sml-start", 0)),
        (b"", ("sml-start", 0)),
        (FIRST[:-9], ("sml-end", len(FIRST) - 9)),
        (FIRST[:-1], ("sml-end", len(FIRST) - 1)),
        (FIRST[:-3], ("sml-end", len(FIRST) - 3)),
        (FIRST + b"\0", ("sml-end", len(FIRST))),
        (START + OPEN + b"\x1b\x1b\x1b\x1b\x02\0\0\0", ("sml-escape", len(START + OPEN) + 4)),
        (START + OPEN + START + CLOSE, ("sml-escape", len(START + OPEN) + 4)),
        (wrapped(OPEN + CLOSE, 2), ("sml-fill", len(START + OPEN + CLOSE) + 7)),
        (wrapped(b""), ("sml-end", 8)),
        (wrapped(OPEN + CLOSE + bytes(3), 0), ("sml-message", len(START + OPEN + CLOSE))),
        (wrapped(CLOSE + OPEN), ("sml-order", len(START) + 7)),
        (wrapped(OPEN), ("sml-order", len(START) + 7)),
        (wrapped(OPEN + OPEN + CLOSE), ("sml-order", len(START + OPEN) + 7)),
        (body_of("77 01 0241 01 01 71 70 01 01"), ("sml-field", HEAD + 7)),
        (body_of("76 01 0241 01 01 70 01"), ("sml-field", HEAD)),
        (body_of("77 01 01 01 01 70 01 01"), ("value-missing", HEAD + 2)),
        (body_of("77 01 0241 01 01 77 070100010800ff 01 01 621e 52ff 6201 01 01 01"), ("sml-field", HEAD + 7)),
        (body_of("77 01 0241 01 01 71 77 060100010800 01 01 621e 52ff 6201 01 01 01"), ("sml-field", HEAD + 8)),
        (body_of("77 01 0241 01 01 71 77 070100010800ff 01 01 631e00 52ff 6201 01 01 01"), ("sml-field", HEAD + 17)),
        (body_of("77 01 0241 01 01 71 77 070100010800ff 01 01 621e 62ff 6201 01 01 01"), ("sml-field", HEAD + 19)),
        (body_of("77 01 0241 01 01 71 77 070100010800ff 01 01 621e 52ff 01 01 01 01"), ("value-missing", HEAD + 21)),
        (body_of("77 01 0241 01 72 6204 6201 70 01 01"), ("sml-field", HEAD + 5)),
        (body_of("77 01 0241 01 6a 010203040506070809 70 01 01"), ("sml-length", HEAD + 5)),
        (body_of("77 01 8003 41 01 01 70 01 01"), ("sml-length", HEAD + 2)),
        (body_of("77 01 8f71 41 01 01 70 01 01"), ("sml-length", HEAD + 3)),
        (body_of("77 01 1241 01 01 70 01 01"), ("sml-type", HEAD + 2)),
        (body_of("77 01 00 01 01 70 01 01"), ("sml-type", HEAD + 2)),
        (body_of("71" * 40 + "01"), ("sml-depth", HEAD + 15)),
        (body_of("ff8f8f0f 01"), ("sml-end", HEAD)),
        (body_of("8f8f8f0f 01"), ("sml-end", HEAD)),
        (wrapped(OPEN[:-4] + b"\x64" + OPEN[-3:] + CLOSE), ("sml-message", len(START + OPEN) - 4)),
        (wrapped(OPEN[:-1] + b"\x01" + CLOSE), ("sml-message", len(START + OPEN) - 1)),
        (wrapped(OPEN[:-4]), ("sml-end", len(START + OPEN) - 4)),
        (wrapped(whole(bytes.fromhex("76 0232 6200 6200 72 630999 70")) ), ("sml-order", len(START) + 7)),
        (wrapped(OPEN + whole(bytes.fromhex("76 0232 6200 6200 72 630999 70")) + CLOSE), ("sml-message", HEAD)),
    ],
)  # fmt: skip
def test_what_is_no_file_is_refused_with_reason_and_place(data, want) -> None:
    assert reason(data) == want


@pytest.mark.parametrize("row", [ROWS[0], ROWS[16]], ids=lambda row: row["id"])
def test_no_flipped_bit_passes(row) -> None:
    data = bytes.fromhex(row["hex"])
    for bit in range(0, 8 * len(data), 5):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadFrame) as refused:
            read(bytes(damaged))
        assert 0 <= refused.value.offset <= len(data)


@settings(max_examples=300)
@given(st.binary(max_size=80))
def test_whatever_a_value_is_it_is_read_back_or_refused(data: bytes) -> None:
    try:
        node, end = tl.decode(data, 0)
    except BadFrame as error:
        refused = error
        assert 0 <= refused.offset <= len(data)
    else:
        assert tl.encode(node) == data[:end]
    with pytest.raises(BadFrame):
        read(wrapped(OPEN + data + CLOSE)) if data else read(b"")


def test_a_field_that_a_message_does_not_have_is_our_fault() -> None:
    with pytest.raises(ValueError, match="GetListRequest has no field valList"):
        body(0x0700, valList=listed())
