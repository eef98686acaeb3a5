"""Logs are read in every format; what cannot be read is set aside with its line, or refused with file and reason."""

from __future__ import annotations

import contextlib
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.recording import log as log_reader
from sim.recording.log import ASSUMED_DBM, BadLog, Log, Played, read_log
from tests.night import examples
from wmbus.link import add_crcs_a, add_crcs_b, crc16

HEX = "314493441234567835087a740000200b6e2701004b6e450100426c5f2ccb086e790000c2086c7f21326cffff046d200b7422"
FRAME = bytes.fromhex(HEX)
PLAIN = f"2026-02-09T04:01:02,-71,{HEX}"
SAMPLE = Path(__file__).parents[2] / "data" / "recording.log"


def log(tmp_path: Path, *lines: str) -> Log:
    path = tmp_path / "x.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_log(path)


def one(tmp_path: Path, line: str) -> Played:
    (single,) = log(tmp_path, line).played
    return single


# --- what is read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        PLAIN,
        f"2026-02-09T04:01:02;-71;{HEX}",
        f"2026-02-09 04:01:02\t-71.0\t{HEX}",
        f"2026-02-09 04:01:02 -71 {HEX}",
        f"2026-02-09T04:01:02 -71 {HEX.upper()}",
        f"  2026-02-09T04:01:02Z , -71 , 0x{HEX}  ",
        f"2026-02-09T05:01:02+01:00,-71,|{HEX}|",
        f"2026-02-09T04:01:02,-71,{FRAME.hex(' ')}",
        f"2026-02-09 04:01:02 -71 {FRAME.hex(' ')}",
        f"1770609662,-71,{HEX}",
        f"1770609662.0 -71 {HEX}",
        f"T1;1;1;2026-02-09 04:01:02.000;-71;-70;78563412;0x{HEX}",
        f"t1;1;1;2026-02-09 04:01:02;-71;;;0x{HEX.upper()}",
        json.dumps({"time": "2026-02-09T04:01:02", "rssi": -71, "telegram": HEX}),
        json.dumps({"time": 1770609662, "rssi": "-71", "telegram": "0x" + HEX, "meter": "ignored"}),
    ],
)
def test_every_format_says_the_same(tmp_path: Path, line: str) -> None:
    """Each line, followed by one a second later in its own kind of time, which shows that its time was understood."""
    dated = "-" in line.split(",")[0][1:5] or "2026" in line
    later = "2026-02-09T04:01:03" if dated else "1770609663"
    first, second = log(tmp_path, line, f"{later},-60,{HEX}").played
    assert (first.line, first.at_ns, first.rssi_dbm, first.telegram, first.mode) == (1, 0, -71.0, FRAME, "T1")
    assert not first.rssi_assumed
    assert second.at_ns == 1_000_000_000


@pytest.mark.parametrize("add_crcs", [add_crcs_a, add_crcs_b])
def test_crcs_of_both_formats_are_checked_and_stripped(tmp_path: Path, add_crcs: object) -> None:
    assert callable(add_crcs)
    assert one(tmp_path, f"0,-71,{add_crcs(FRAME).hex()}").telegram == FRAME


def test_a_wrong_crc_is_set_aside_with_the_line(tmp_path: Path) -> None:
    wire = bytearray(add_crcs_a(FRAME))
    wire[20] ^= 1
    read = log(tmp_path, PLAIN, f"2026-02-09T04:01:02,-71,{wire.hex()}")
    assert read.set_aside == ((2, "crc at byte 28: format A block at byte 12"),)
    assert len(read.played) == 1
    with pytest.raises(BadLog, match=r"x\.log, line 1: crc at byte 28: format A block at byte 12"):
        log(tmp_path, f"2026-02-09T04:01:02,-71,{wire.hex()}")


@pytest.mark.parametrize("mode", ["T1", "C1", "S1"])
def test_modes(tmp_path: Path, mode: str) -> None:
    assert one(tmp_path, json.dumps({"time": 1, "telegram": HEX, "mode": mode})).mode == mode
    assert one(tmp_path, f"{mode};1;1;2026-02-09 04:01:02.345;-71;-71;1;0x{HEX}").mode == mode


def test_a_level_that_is_no_dbm_is_assumed_and_counted(tmp_path: Path) -> None:
    """rtl_wmbus writes raw levels above 0; JSON may lack one; a plain line may not."""
    read = log(
        tmp_path,
        f"T1;1;1;2026-02-09 04:01:02.345;97;148;1;0x{HEX}",
        json.dumps({"time": "2026-02-09T04:01:03", "telegram": HEX}),
        json.dumps({"time": "2026-02-09T04:01:04", "telegram": HEX, "rssi": None}),
        f"2026-02-09T04:01:05,-71,{HEX}",
    )
    assert [p.rssi_dbm for p in read.played] == [ASSUMED_DBM] * 3 + [-71.0]
    assert read.assumed == 3


def test_what_the_receiver_marked_as_broken_is_counted_and_passed_over(tmp_path: Path) -> None:
    read = log(tmp_path, "# comment", "", f"T1;0;0;2026-02-09 04:01:02.000;40;80;FFFF07FF;0x1944ff{'ff' * 20}", PLAIN)
    assert (len(read.played), read.broken_lines, read.played[0].line) == (1, (3,), 4)


def test_telegrams_come_in_order_of_time_and_equal_times_in_order_of_lines(tmp_path: Path) -> None:
    other = HEX[:-2] + "21"
    read = log(tmp_path, f"7.5,-60,{HEX}", f"-2,-61,{HEX}", f"7.5,-62,{other}")
    assert [(p.line, p.at_ns) for p in read.played] == [(2, 0), (1, 9_500_000_000), (3, 9_500_000_000)]


def test_a_receivers_two_copies_with_one_stamp_are_one_reception(tmp_path: Path) -> None:
    """rtl_wmbus prints what both of its demodulators heard. The same bytes at another time are sent twice."""
    read = log(tmp_path, f"7.5,-60,{HEX}", f"7.5,-62,{HEX}", f"7.6,-60,{HEX}")
    assert [(p.line, p.rssi_dbm) for p in read.played] == [(1, -60.0), (3, -60.0)]
    assert read.copies == (2,)


def test_a_clock_that_was_not_yet_set_is_set_aside(tmp_path: Path) -> None:
    read = log(tmp_path, f"1999-12-31T23:59:59Z,-60,{HEX}", f"2000-01-01T00:00:00Z,-60,{HEX}")
    assert [p.line for p in read.played] == [2]
    assert read.set_aside == ((1, "stamp '1999-12-31T23:59:59Z': the receiver's clock was not yet set"),)


def test_times_are_exact(tmp_path: Path) -> None:
    """A double holds no nanoseconds since 1970, and a log of seconds since then is common."""
    read = log(tmp_path, f"1770609662.000000001,-60,{HEX}", f"1770609662.000000002,-60,{HEX}")
    assert [p.at_ns for p in read.played] == [0, 1]
    read = log(tmp_path, f"2026-02-09T04:01:02.123456,-60,{HEX}", f"2026-02-09T04:01:02.123457,-60,{HEX}")
    assert [p.at_ns for p in read.played] == [0, 1_000]


def test_lines_of_windows_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"\xef\xbb\xbf" + f"{PLAIN}\r\n{PLAIN.replace(':02,', ':03,')}\r\n".encode())
    assert [p.line for p in read_log(path).played] == [1, 2]


def test_the_sample_is_read() -> None:
    read = read_log(SAMPLE)
    assert [p.line for p in read.played] == [2, 4, 5, 7, 8, 9, 10, 11]
    assert [p.mode for p in read.played] == ["T1", "T1", "T1", "T1", "C1", "C1", "T1", "T1"]
    assert (read.broken_lines, read.assumed) == ((3,), 2)
    assert read.played[3].at_ns == 57_655_000_000


# --- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("hello", r"TIME,RSSI,HEX expected, found 1 field: 'hello'"),
        (f"-71,{HEX}", r"TIME,RSSI,HEX expected, found 1 field"),
        (f"12 {HEX}", r"length-mismatch at byte 0: format A with L 18 is 23 bytes, here 51"),
        (HEX, r"a telegram without a time; a line is TIME,RSSI,HEX"),
        ("12,-71,", r"TIME,RSSI,HEX expected, found 2 fields"),
        (f"12,loud,{HEX}", r"RSSI 'loud' is not a number"),
        (f"12,97,{HEX}", r"RSSI 97 dBm is not between -200 and 50"),
        (f"12,nan,{HEX}", r"RSSI nan dBm is not between"),
        (f"12,-1e999,{HEX}", r"RSSI -inf dBm is not between"),
        (f"T1;1;1;12;70000;1;1;0x{HEX}", r"RSSI 70000 dBm is not between"),
        (f"noon,-71,{HEX}", r"'noon' is neither seconds nor a date-time like 2026-02-09T04:01:02"),
        (f"2026-02-30T04:01:02,-71,{HEX}", r"'2026-02-30T04:01:02' is neither seconds"),
        (f"nan,-71,{HEX}", r"'nan' seconds is no time"),
        (f"inf,-71,{HEX}", r"'inf' seconds is no time"),
        (f"1e30,-71,{HEX}", r"'1e30' seconds is no time"),
        ("12,-71,31449x44", r"'x' is no hex digit: '1449x44'"),
        (f"12,-71,{HEX}\uff11", r"'.uff11' is no hex digit"),
        (f"12,-71,{HEX[:-1]}", r"99 hex digits, an odd number, are no whole number of bytes"),
        (f"12,-71,{HEX[:-2]}", r"length-mismatch at byte 0: L says 49 bytes follow, 48 do"),
        ("12,-71,0x", r"too-short at byte 0"),
        (f"X9;1;1;12;-71;-71;1;0x{HEX}", r"mode 'X9' is not one of T1, C1, S1"),
        (json.dumps({"time": 1, "telegram": HEX, "mode": "N"}), r"mode 'N' is not one of T1, C1, S1"),
        ('{"time": 1,', r"not JSON: "),
        ('{"a":' * 10_000, r"not JSON: "),
        ('{"time": 1}', r"JSON without 'telegram' or 'data'"),
        ('{"time": null, "rssi": -3}', r"JSON without 'telegram' or 'data'"),
        (json.dumps({"time": 1, "rssi": [], "telegram": HEX}), r"RSSI '\[\]' is not a number"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_set_aside(tmp_path: Path, line: str, what: str) -> None:
    """One torn line does not cost the recording; a log of nothing else is refused with it."""
    (aside,) = log(tmp_path, f"11,-71,{HEX}", line).set_aside
    assert aside.line == 2
    assert re.match(what, aside.why), aside.why
    assert "\n" not in aside.why
    assert len(aside.why) < 350
    with pytest.raises(BadLog, match=rf"x\.log, line 1: (.*: )?{what}"):
        log(tmp_path, line)


def test_two_kinds_of_time_in_one_log_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadLog, match=r"x\.log, line 2: .*: the lines before count time the other way; use one kind"):
        log(tmp_path, f"11,-71,{HEX}", f"2026-02-09T04:01:02,-71,{HEX}")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", r"no telegram in it; a line is TIME,RSSI,HEX"),
        (b"# only a comment\n\n", r"no telegram in it; a line is"),
        (b"T1;0;0;2026-02-09 04:01:02;1;1;1;0x19\n", r"no telegram in it; its 1 lines are marked as broken"),
        (b"\x80\x81\x82", r"byte 0 is not UTF-8 text; a log is text, one telegram a line"),
        (
            f"0,-71,{HEX}\n31708801,-71,{HEX}\n".encode(),
            r"spans more than a year \(367 days, from line 1, 0, to line 2, 31708801\); cut it into parts",
        ),
    ],
)
def test_a_file_that_cannot_be_played_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(content)
    with pytest.raises(BadLog, match=rf"x\.log: {what}"):
        read_log(path)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadLog, match=r"none\.log: No such file or directory"):
        read_log(tmp_path / "none.log")
    with pytest.raises(BadLog, match=r"Is a directory"):
        read_log(tmp_path)


def test_a_file_beyond_all_reason_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "LOG_MAX_BYTES", 10)
    with pytest.raises(BadLog, match=r"larger than 0 MiB; cut it into parts"):
        log(tmp_path, PLAIN)


# --- whatever comes --------------------------------------------------------------------------------------------

FIELD = st.one_of(
    st.text(max_size=20),
    st.floats().map(str),
    st.datetimes().map(str),
    st.sampled_from([HEX, "0x" + HEX, add_crcs_b(FRAME).hex(), "-71", "T1", "1", "2026-02-09T04:01:02", ""]),
)
LINE = st.one_of(
    st.text(max_size=200),
    st.tuples(st.sampled_from([",", ";", "\t", " "]), st.lists(FIELD, max_size=9)).map(lambda x: x[0].join(x[1])),
    st.dictionaries(
        st.sampled_from(["time", "rssi", "telegram", "mode", "x"]),
        st.one_of(FIELD, st.none(), st.integers(), st.floats(), st.lists(st.integers(), max_size=2)),
    ).map(json.dumps),
)


@settings(max_examples=examples(120), deadline=None)
@given(st.one_of(st.binary(max_size=400), st.lists(LINE, min_size=1, max_size=4).map("\n".join)))
@example("0001-01-01T00:00:00+23:59,-71," + HEX)
@example("9999-12-31T23:59:59-23:59,-71," + HEX)
@example("1e-999999999,-71," + HEX)
@example("1,-71," + HEX + "\n{" + "[" * 5_000)
@example('{"time": ' + "9" * 5_000 + "}")
def test_nothing_but_bad_log_is_ever_raised(tmp_path_factory: pytest.TempPathFactory, content: bytes | str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.log"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(BadLog):
        read = read_log(path)
        assert read.played[0].at_ns == 0
        assert all(a.at_ns <= b.at_ns for a, b in pairwise(read.played))
        assert all(len(p.telegram) == p.telegram[0] + 1 for p in read.played)


def test_a_key_file_given_by_mistake_shows_no_key(tmp_path: Path) -> None:
    key = "dc7c9ef1a0b1c2d3e4f5061728394a5b"
    path = tmp_path / "keys.csv"
    for line in (f"80081812,{key}", f"{key},1,2e44", f"1,{key},2e44"):
        path.write_text(line + "\n", encoding="utf-8")
        with pytest.raises(BadLog) as error:
            read_log(path)
        assert key[:8] not in str(error.value) and "32 hex digits" in str(error.value), line


# --- a bare telegram that passes for format B --------------------------------------------------------------------

PASSES = (  # a genuine bare telegram of mode 7 whose last two bytes are the CRC of those before
    "334493443301002035088c201b900f002c252a2000008a5f5ef957954e4a7a1b001007108714b89a2d88c825c6a665d880491191"
)


def passes_in_clear() -> bytes:
    """A bare telegram in clear whose last record's value is the CRC of all before it."""
    head = FRAME[:-2] + b"\x02\x65"
    head = bytes((len(head) + 1,)) + head[1:]
    return head + crc16(head).to_bytes(2, "big")


def test_what_the_header_announces_decides(tmp_path: Path) -> None:
    """It used to lose its last two bytes, and was refused for its MAC."""
    assert one(tmp_path, f"0,-70,{PASSES}").telegram.hex() == PASSES
    assert one(tmp_path, f"0,-70,{PASSES}").cut == 0
    with_crcs = add_crcs_b(bytes.fromhex(PASSES))
    read = one(tmp_path, f"0,-70,{with_crcs.hex()}")
    assert (read.telegram.hex(), read.cut) == (PASSES, 2)


def test_the_other_lines_decide_where_no_header_does(tmp_path: Path) -> None:
    odd = passes_in_clear()
    assert one(tmp_path, f"0,-70,{odd.hex()}").cut == 2
    for others, cut in ((1_000, 0), (999, 2)):
        read = log(tmp_path, f"0,-70,{odd.hex()}", *[f"1,-70,{HEX}"] * others)
        assert read.played[0].cut == cut == len(odd) - len(read.played[0].telegram)
        assert len(read.cut) == cut // 2
    kept = log(tmp_path, f"0,-70,{odd.hex()}", f"1,-70,{add_crcs_b(FRAME).hex()}")
    assert [played.cut for played in kept.played] == [2, 2]


@pytest.mark.parametrize(("size", "cut"), [(111, 2), (112, 4), (230, 4)])
def test_two_crcs_are_no_chance(tmp_path: Path, size: int, cut: int) -> None:
    telegram = bytes((14 + size,)) + FRAME[1:10] + b"\x7a\x74\x00\x00\x00" + bytes(size)
    read = log(tmp_path, f"0,-70,{add_crcs_b(telegram).hex()}", *[f"1,-70,{HEX}"] * 1_000)
    whole = telegram if cut == 4 else add_crcs_b(telegram)
    assert read.played[0].telegram == whole
