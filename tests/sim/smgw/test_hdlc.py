"""Frames of the wired meter bus: published ones, damaged ones, a line in pieces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.core.crc16 import crc16, crc16_wire
from sim.smgw.hdlc import Frame, Splitter, as_json, decode
from sim.smgw.refusals import BadFrame

FILE = Path(__file__).parents[2] / "vectors" / "hdlc.jsonl"
ROWS = [row for line in FILE.read_text().splitlines() if "hex" in (row := json.loads(line))]
GOOD = [row for row in ROWS if not row.get("octet_stuffed")]
SHORT = bytes.fromhex(GOOD[1]["hex"])
FLAG = b"\x7e"


def reason(data: bytes) -> tuple[str, int]:
    with pytest.raises(BadFrame) as refused:
        decode(data)
    return refused.value.reason, refused.value.offset


def test_check_values_of_the_catalogue() -> None:
    assert (crc16(b"123456789"), crc16(b"123456789", "KERMIT")) == (0x906E, 0x2189)
    assert crc16_wire(b"123456789").hex() == "6e90"


@pytest.mark.parametrize("row", GOOD, ids=lambda row: row["id"])
def test_published_frames_read_and_encode_back(row) -> None:
    data = bytes.fromhex(row["hex"])
    read = decode(data)
    shown = as_json(data, read)
    assert {name: row[name] for name in shown} == shown
    assert read.encode() == data


def test_an_octet_stuffed_frame_is_not_unstuffed() -> None:
    row = next(row for row in ROWS if row.get("octet_stuffed"))
    assert reason(bytes.fromhex(row["hex"])) == ("octet-stuffed", 8)
    assert decode(bytes.fromhex(row["unstuffed"])).information.hex() == row["info"]


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (SHORT[:6], ("too-short", 6)),
        (b"\x90" + SHORT[1:], ("not-a-frame", 0)),
        (SHORT[:-1], ("length-mismatch", 0)),
        (SHORT + b"\0", ("length-mismatch", 0)),
        (bytes.fromhex("a00c000000002027a00201e7"), ("address", 2)),
        (bytes.fromhex("a0070101ffffff"), ("fcs", 5)),
        (bytes.fromhex("a009010113aaaaaaaa"), ("too-short", 5)),
        (bytes.fromhex("a00701000113ff"), ("too-short", 5)),
        (SHORT[:7] + b"\0" + SHORT[8:], ("hcs", 6)),
        (SHORT[:-1] + b"\0", ("fcs", 10)),
        (SHORT[:8] + b"\0" + SHORT[9:], ("fcs", 10)),
    ],
)
def test_damaged_frames_are_refused_with_reason_and_place(data, want) -> None:
    assert reason(data) == want


@given(st.integers(0, 8 * len(SHORT) - 1))
def test_no_flipped_bit_passes(bit: int) -> None:
    damaged = bytearray(SHORT)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadFrame):
        decode(bytes(damaged))


addresses = st.builds(
    lambda head, last: bytes(2 * byte for byte in head) + bytes((2 * last + 1,)),
    st.lists(st.integers(0, 127), max_size=3), st.integers(0, 127),
)  # fmt: skip
frames = st.builds(Frame, addresses, addresses, st.integers(0, 255), st.binary(max_size=300), st.booleans())


@given(st.lists(frames, max_size=5), st.booleans(), st.data())
def test_a_line_in_pieces_gives_its_frames(sent, shared, data) -> None:
    line = b"".join(FLAG + frame.encode() + (b"" if shared else FLAG) for frame in sent) + (FLAG if shared else b"")
    splitter, heard = Splitter(), []
    while line:
        size = data.draw(st.integers(1, len(line)))
        heard += splitter.feed(line[:size])
        line = line[size:]
    assert heard == sent
    assert not splitter.noise_bytes


def test_a_line_goes_on_behind_a_damaged_frame() -> None:
    damaged = SHORT[:-1] + b"\0"
    splitter = Splitter()
    heard = splitter.feed(b"\x00\xff" + FLAG + damaged + FLAG + SHORT + FLAG)
    assert [one.reason if isinstance(one, BadFrame) else one.encode() for one in heard] == ["fcs", SHORT]
    assert splitter.noise_bytes == 2 + len(damaged)
    assert splitter.feed(b"\x01\x02" + FLAG + SHORT + FLAG)[-1] == decode(SHORT)


@given(st.binary(max_size=60))
def test_whatever_comes_is_a_frame_or_refused(data: bytes) -> None:
    Splitter().feed(data)
    try:
        assert decode(data).encode() == data
    except BadFrame as error:
        refused = error
        assert 0 <= refused.offset <= len(data)


@pytest.mark.parametrize(
    "frame",
    [Frame(b"", b"\1", 0), Frame(b"\1\1", b"\1", 0), Frame(b"\2", b"\1", 0), Frame(b"\1", b"\1", 0, bytes(2_040))],
)
def test_what_no_frame_can_carry_is_our_fault(frame) -> None:
    with pytest.raises(ValueError, match=r"frame has at most|is no address"):
        frame.encode()
