"""Every format, found by folder: what is written is read, however the stream was cut, and no byte raises."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.lines.codecs.port import CODECS, Bad, Codec, Got
from sim.lines.reception import BadLine, Reception, level_dbm, stamp
from sim.lines.recognise import of_block, of_line
from tests.night import examples
from wmbus.link import add_crcs_b

FRAME = bytes.fromhex(
    "314493441234567835087a740000200b6e2701004b6e450100426c5f2ccb086e790000c2086c7f21326cffff046d200b7422"
)
WHEN = stamp("2026-02-09T04:01:02")
WHOLE = Reception(FRAME, -71.0, WHEN, crc_ok=True, mode="C1")
EVERY = list(CODECS.parts().values())
RESOLUTION_DB = 0.5  # of the coarsest level byte
NO_LEVEL = {"hex", "rc1180", "rtl_433-json", "rtl_433-csv", "wired"}
HAS_MODE = {"rtl_wmbus", "rtl_433-json", "rtl_433-csv", "json", "esphome"}
HAS_DATE = {"rtl_wmbus", "rtl_433-json", "rtl_433-csv", "json", "plain"}


def read(codec: Codec, data: bytes, cuts: list[int] | None = None) -> list[Got]:
    reader = codec.reader()
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts or []), len(data)]
    got = [one for a, b in pairwise(places) for one in reader.feed(data[a:b])]
    return [*got, *reader.end()]


def receptions(got: list[Got]) -> list[Reception]:
    return [one.what for one in got if isinstance(one.what, Reception)]


def frames(size: int, fill: int) -> bytes:
    return bytes((size,)) + FRAME[1:15] + bytes((fill,)) * (size - 14)


def test_the_formats_are_those_of_the_folder() -> None:
    assert set(CODECS.parts()) == {
        "rtl_wmbus", "rtl_433-json", "rtl_433-csv", "wmbusmeters", "json", "cul", "fhem", "esphome", "plain", "hex",
        "im871a", "amb8465", "rc1180", "wired",
    }  # fmt: skip
    assert {one.id: one.baud for one in EVERY if one.baud} == {
        "im871a": 57_600, "amb8465": 9_600, "cul": 38_400, "rc1180": 19_200,
    }  # fmt: skip


@pytest.mark.parametrize("codec", EVERY, ids=lambda one: one.id)
def test_what_is_written_is_read_and_recognised(codec: Codec) -> None:
    written = codec.write(WHOLE)
    (one,) = receptions(read(codec, written))
    begin = 15 if codec.id == "wired" else 0  # a wired meter has a long header and another C field
    assert one.frame[begin - len(FRAME) :] == FRAME[begin:]
    assert one.rssi_dbm == (None if codec.id in NO_LEVEL else -71.0)
    assert one.mode == ("C1" if codec.id in HAS_MODE else None)
    if codec.id in HAS_DATE:
        assert one.stamp is not None
        assert one.stamp.ns == WHEN.ns
    if codec.binary:
        assert of_block(written) is (codec if codec.id != "rc1180" else None)  # it has no mark of its own
    elif codec.id != "wmbusmeters":
        assert of_line(written.split(b"\n")[0]) is codec
    assert of_line(CODECS.find("wmbusmeters").write(WHOLE).split(b"\n")[-2]) is CODECS.find("wmbusmeters")


@pytest.mark.parametrize("codec", EVERY, ids=lambda one: one.id)
@settings(max_examples=examples(12), deadline=None)
@given(
    sizes=st.lists(st.sampled_from([15, 16, 25, 26, 125, 126, 127, 148, 224, 225, 226, 240]), min_size=1, max_size=4),
    fill=st.integers(0, 255),
    level=st.none() | st.integers(-110, -20),
    cuts=st.lists(st.integers(0, 1 << 16), max_size=9),
)
def test_where_a_stream_is_cut_does_not_matter(
    codec: Codec, sizes: list[int], fill: int, level: int | None, cuts: list[int]
) -> None:
    """Two lines in one read, torn reads, one byte at a time; every length at which a block, a CRC or a byte ends."""
    sent = [Reception(frames(size, fill), None if level is None else float(level), WHEN) for size in sizes]
    stream = b"".join(codec.write(one) for one in sent)
    got = read(codec, stream)
    if codec.id != "wired":
        assert [one.frame for one in receptions(got)] == [one.frame for one in sent]
        if codec.id not in NO_LEVEL and level is not None:
            assert all(abs((one.rssi_dbm or 0) - level) <= RESOLUTION_DB for one in receptions(got))
    assert len(receptions(got)) == len(sent)
    assert read(codec, stream, cuts) == got
    assert read(codec, stream, list(range(len(stream)))) == got


@pytest.mark.parametrize("codec", EVERY, ids=lambda one: one.id)
@settings(max_examples=examples(25), deadline=None)
@given(before=st.binary(max_size=40), flip=st.integers(0, 1 << 16), cuts=st.lists(st.integers(0, 1 << 16), max_size=4))
def test_bytes_from_outside_raise_nothing_and_the_step_is_found_again(
    codec: Codec, before: bytes, flip: int, cuts: list[int]
) -> None:
    stream = bytearray(before + b"\n" + 3 * codec.write(WHOLE))
    stream[flip % len(stream)] ^= 1 << flip % 8
    got = read(codec, bytes(stream), cuts)
    assert got == read(codec, bytes(stream))
    if codec.dongle is not None:
        whole, torn = codec.dongle(), codec.dongle()
        assert whole.feed(bytes(stream)) == b"".join(torn.feed(stream[i : i + 1]) for i in range(len(stream)))
    assert all(isinstance(one.what, (Reception, Bad)) for one in got)


@pytest.mark.parametrize("name", ["im871a", "amb8465", "wired"])
def test_a_block_with_a_checksum_survives_what_stands_before_it(name: str) -> None:
    codec = CODECS.find(name)
    for strays in (b"\xa5", b"\xff\x03", b"\x68\x20\x20", b"\xa5\xc2\x03\xff", b"\x00" * 5):
        got = read(codec, strays + 40 * codec.write(WHOLE))
        assert len(receptions(got)) >= 39, (strays, got[0])
        assert isinstance(got[0].what, Bad)


def test_format_b_goes_on_as_format_b() -> None:
    cul = CODECS.find("cul")
    (one,) = receptions(read(cul, b"bY" + add_crcs_b(FRAME).hex().encode() + b"8055\r\n"))
    assert (one.frame, one.rssi_dbm, one.notes) == (FRAME, -31.5, ("LQI 128",))
    assert cul.write(one).startswith(b"bY")


# --- the dongles' commands, byte for byte as a gateway's program sends them and takes the answers -----------------


@pytest.mark.parametrize(
    ("name", "command", "answer"),
    [
        ("im871a", "A5010F00", "A5811008330014154433221 18CDE"),
        ("im871a", "A5010500", "A5810616FF0004005A1478563412013701FF0702000001000101 80F9"),
        ("im871a", "A501030600020A300100", "A58104009CF7"),
        ("amb8465", "FF040109F3", "FF8401007A"),
        ("amb8465", "FF0B00F4", "FF8B041122334434"),
        ("cul", b"V\r\n".hex(), b"V 1.67 nanoCUL868\r\n".hex()),
        ("cul", b"brt\r\nbrc\n".hex(), b"TMODE\r\nCMODE\r\n".hex()),
        ("cul", b"X21\r\n".hex(), ""),
        ("rc1180", "00", b">".hex()),
    ],
)
def test_a_command_is_answered(name: str, command: str, answer: str) -> None:
    codec = CODECS.find(name)
    assert codec.dongle is not None
    assert codec.dongle().feed(bytes.fromhex(command)).hex().upper() == answer.replace(" ", "").upper()
    torn = codec.dongle()
    said = b"".join(torn.feed(bytes((byte,))) for byte in bytes.fromhex(command))
    assert said.hex().upper() == answer.replace(" ", "").upper()


def test_settings_are_kept() -> None:
    im871a = CODECS.find("im871a").dongle
    assert im871a is not None
    dongle = im871a()
    dongle.feed(bytes.fromhex("A501030600020A300100"))
    configuration = dongle.feed(bytes.fromhex("A5010500"))
    assert configuration[4:7].hex() == "ff000a"  # link mode 0A: C1 and T1
    amb8465 = CODECS.find("amb8465").dongle
    assert amb8465 is not None
    answer = amb8465().feed(bytes.fromhex("FF0A02008077"))
    assert (answer[:5].hex(), len(answer)) == ("ff8a7a0078", 126)
    rc1180 = CODECS.find("rc1180").dongle
    assert rc1180 is not None
    stick = rc1180()
    assert len(stick.feed(b"\x000")) == 1 + 256 + 1
    assert stick.feed(b"X") == b""


# --- parts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "dbm"), [("-55 dBm", -55.0), ("-55dBm", -55.0), (" -7.5 ", -7.5), ("", None)])
def test_a_level_may_carry_its_unit(text: str, dbm: float | None) -> None:
    assert level_dbm(text) == dbm


@pytest.mark.parametrize("text", ["loud", "-201", "51", "nan", "-1e999"])
def test_what_is_no_level_is_said(text: str) -> None:
    with pytest.raises(BadLine, match="RSSI"):
        level_dbm(text)


@pytest.mark.parametrize(
    "text",
    ["2026-02-09 04:01:02", "2026-02-09_04:01:02", "2026.02.09 04:01:02", "2026/02/09 04:01:02", "09.02.2026 04:01:02",
     "2026-02-09T05:01:02+01:00", "2026-02-09T04:01:02Z", "1770609662000"],
)  # fmt: skip
def test_dates_as_tools_write_them(text: str) -> None:
    assert (stamp(text).ns, stamp(text).text) == (WHEN.ns, text)


@pytest.mark.parametrize("text", ["09.13.2026 04:01:02", "2026.02.30 04:01:02", "2026-02-09\x1b04:01:02", "2026.02.09"])
def test_what_is_no_date_is_said(text: str) -> None:
    with pytest.raises(BadLine, match=r"no time|neither seconds"):
        stamp(text)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("fhem", "2026.02.09 04:01:02 4: CUL_0: {written}"),
        ("wmbusmeters", "[2026-02-09_04:01:02] rssi: -71 dBm\n[2026-02-09_04:01:02] telegram=|_{hex}|+7\n"),
    ],
)
def test_a_log_with_dates(name: str, lines: str) -> None:
    codec = CODECS.find(name)
    text = lines.format(written=codec.write(WHOLE).decode(), hex=FRAME.hex())
    (one,) = receptions(read(codec, text.encode()))
    assert one.stamp is not None
    assert (one.frame, one.rssi_dbm, one.stamp.ns, one.stamp.dated) == (FRAME, -71.0, WHEN.ns, True)


def test_milliseconds_since_1970_are_seen_by_their_size() -> None:
    assert stamp("1662888360123").ns == 1_662_888_360_123 * 10**6
    assert stamp("99999999999").ns == 99_999_999_999 * 10**9


def test_a_dump_with_offsets_is_joined() -> None:
    rows = [f"{at:04x}  {FRAME[at : at + 16].hex(' ')}  ................" for at in range(0, len(FRAME), 16)]
    got = read(CODECS.find("hex"), "\n".join([*rows, *rows]).encode())
    assert [(one.line, one.what) for one in got] == [(1, Reception(FRAME)), (5, Reception(FRAME))]
