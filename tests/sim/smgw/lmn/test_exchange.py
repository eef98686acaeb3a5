"""What gateway and meter say in SML: read back as said, refused for its reason, and read by a foreign parser."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace

import pytest

from sim.smgw.lmn import exchange as said
from sim.smgw.lmn.exchange import GRID, LOAD_PROFILE, REGISTERS, ROWS_MOST, Entry, Values
from sim.smgw.lmn.sml_stream import FILE_MOST_BYTES, FileSplitter
from sim.smgw.obis_codes import of_text
from sim.smgw.refusals import BadFrame
from sim.smgw.sml_file import ESCAPE, START, File, message, read
from sim.smgw.sml_octets import octets, uint
from sim.smgw.sml_schema import body

SERVER = bytes.fromhex("0a01574d4200042c1d81")
OTHER = bytes.fromhex("0a01574d4200042c1d82")
AT_S = 1_768_208_400
IMPORT, EXPORT, POWER = (of_text(f"1-0:{code}*255") for code in ("1.8.0", "2.8.0", "16.7.0"))
VOLTAGE = of_text("1-0:32.7.0*255")
ROW = Values(AT_S, 0x400, (Entry(IMPORT, 1_729_362_782, -1, 30), Entry(EXPORT, 0, -1, 30)))
GRID_ROW = Values(AT_S, 0, (Entry(POWER, -3_120, 0, 27), Entry(VOLTAGE, 2_304, -1, 35)))


@pytest.mark.parametrize("crc", ["X25", "KERMIT"])
@pytest.mark.parametrize(("name", "row"), [(REGISTERS, ROW), (GRID, GRID_ROW)])
def test_a_list_reads_back(crc: str, name: bytes, row: Values) -> None:
    data = said.says_list(SERVER, 7, name, row, crc)
    assert said.heard_by_gateway(data, SERVER, crc) == said.Said(name, (row,))
    assert read(data, crc).encode() == data
    other = "X25" if crc == "KERMIT" else "KERMIT"
    with pytest.raises(BadFrame, match="file-crc"):  # the kind is a setting and is not tried out
        said.heard_by_gateway(data, SERVER, other)


def test_a_load_profile_reads_back_and_has_a_day_at_most() -> None:
    rows = [ROW._replace(at_s=AT_S + 900 * n, status=0) for n in range(ROWS_MOST + 4)]
    data = said.says_profile(SERVER, 1, rows, 900, AT_S, "X25")
    assert said.heard_by_gateway(data, SERVER, "X25") == said.Said(LOAD_PROFILE, tuple(rows[:ROWS_MOST]))
    nothing = said.says_profile(SERVER, 1, [], 900, AT_S, "X25")
    assert said.heard_by_gateway(nothing, SERVER, "X25") == said.Said(LOAD_PROFILE, ())


def test_requests_read_back() -> None:
    assert said.heard_by_meter(said.asks_list(SERVER, 1, GRID, "X25"), SERVER, "X25") == said.Asked(GRID)
    asked = said.asks_profile(SERVER, 1, AT_S, AT_S + 900, "X25")
    assert said.heard_by_meter(asked, SERVER, "X25") == said.Asked(LOAD_PROFILE, AT_S, AT_S + 900)


def test_another_meters_word_is_refused() -> None:
    for data in (said.says_list(OTHER, 1, REGISTERS, ROW, "X25"), said.says_profile(OTHER, 1, [ROW], 900, AT_S, "X25"),
                 said.says_profile(OTHER, 1, [], 900, AT_S, "X25")):  # fmt: skip
        with pytest.raises(BadFrame, match="sml-server"):
            said.heard_by_gateway(data, SERVER, "X25")
    for data in (said.asks_list(OTHER, 1, GRID, "X25"), said.asks_profile(OTHER, 1, 0, 1, "X25")):
        with pytest.raises(BadFrame, match="sml-server"):
            said.heard_by_meter(data, SERVER, "X25")


def test_a_time_that_nobody_can_place_is_refused() -> None:
    file = read(said.says_list(SERVER, 1, REGISTERS, ROW, "X25"))
    made = file.messages[1]
    fields = list(made.body.items)
    fields[3] = replace(fields[3], value=(uint(1, 1), fields[3].items[1]))  # seconds of operation
    head = (
        *made.head[:3],
        replace(made.head[3], value=(made.head[3].items[0], replace(made.body, value=tuple(fields)))),
    )
    data = File((file.messages[0], replace(made, head=head), file.messages[2])).encode()
    with pytest.raises(BadFrame, match="sml-time"):
        said.heard_by_gateway(data, SERVER, "X25")


def test_what_is_no_answer_is_refused() -> None:
    asked = said.asks_list(SERVER, 1, GRID, "X25")
    with pytest.raises(BadFrame, match="sml-answer"):
        said.heard_by_gateway(asked, SERVER, "X25")
    with pytest.raises(BadFrame, match="sml-answer"):
        said.heard_by_meter(said.says_list(SERVER, 1, REGISTERS, ROW, "X25"), SERVER, "X25")
    file = read(said.says_profile(SERVER, 1, [], 900, AT_S, "X25"))
    other = message(0xFF01, body(0xFF01, serverId=octets(SERVER), attentionNo=octets(b"\1")), b"t")
    data = File((file.messages[0], other, file.messages[2])).encode()
    with pytest.raises(BadFrame, match="sml-answer"):
        said.heard_by_gateway(data, SERVER, "X25")


@pytest.mark.parametrize("piece", [1, 3, 7, 64, 10_000])
def test_files_come_out_of_a_stream_in_pieces(piece: int) -> None:
    one = said.says_list(SERVER, 1, REGISTERS, ROW, "X25")
    # Four bytes 1B in a number are sent twice, and end no file.
    escaped = said.says_list(SERVER, 1, REGISTERS, Values(AT_S, 0, (Entry(IMPORT, 0x1B1B1B1B, -1, 30),)), "X25")
    assert ESCAPE * 2 in escaped
    stream = b"noise" + one + escaped + b"\x1b\x1b" + one
    splitter, found = FileSplitter(), []
    for at in range(0, len(stream), piece):
        found += splitter.feed(stream[at : at + piece])
    assert found == [one, escaped, one]
    assert splitter.noise_bytes == 7


def test_a_file_that_does_not_end_is_refused_and_the_next_is_read() -> None:
    one = said.says_list(SERVER, 1, REGISTERS, ROW, "X25")
    splitter = FileSplitter()
    found = splitter.feed(one[:40] + one)
    assert isinstance(found[0], BadFrame) and found[0].reason == "sml-cut" and found[1:] == [one]
    found = FileSplitter().feed(START + ESCAPE + b"\x05\0\0\0" + one)
    assert isinstance(found[0], BadFrame) and found[0].reason == "sml-escape" and found[1:] == [one]
    splitter, found = FileSplitter(), []
    for _ in range(3):
        found += splitter.feed(START[:4] + b"\1\1\1\1" + bytes(FILE_MOST_BYTES))
    assert {one.reason for one in found if isinstance(one, BadFrame)} <= {"sml-long", "sml-cut"} and found
    assert splitter.feed(one)[-1] == one


_PARSER = """
import json, sys
from smllib import SmlStreamReader
reader = SmlStreamReader()
reader.add(bytes.fromhex(sys.stdin.read()))
found = []
frame = reader.get_frame()
for message in frame.parse_frame():
    for entry in getattr(message.message_body, "val_list", None) or []:
        found.append([str(entry.obis), entry.value, entry.scaler, entry.unit])
print(json.dumps(found))
"""


def test_a_parser_that_is_not_ours_reads_what_meters_push() -> None:
    """smllib 1.7, as a program: WMBENCH_SMLLIB names a Python that has it."""
    python = os.environ.get("WMBENCH_SMLLIB", "")
    if not python:
        pytest.skip("allowed: WMBENCH_SMLLIB names no Python with smllib 1.7; it is under another licence")
    for row, name in ((ROW, REGISTERS), (GRID_ROW, GRID)):
        data = said.says_list(SERVER, 3, name, row, "X25")
        told = subprocess.run([python, "-c", _PARSER], input=data.hex(), capture_output=True, text=True, check=True)
        codes = [bytes((o.a, o.b, o.c, o.d, o.e, o.f)).hex() for o in (one.obis for one in row.entries)]
        wanted = [[code, one.value, one.scaler, one.unit] for code, one in zip(codes, row.entries, strict=True)]
        assert json.loads(told.stdout) == wanted
