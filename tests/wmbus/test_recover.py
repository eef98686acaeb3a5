"""The telegram in what a receiver printed: found whatever stands around it, and never without saying so."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published import telegrams

from tests.night import examples
from wmbus.as_json import to_json
from wmbus.as_lines import to_line
from wmbus.errors import BadTelegram, Reason
from wmbus.explain import annotate, escaped, words_for
from wmbus.link import add_crcs_a, add_crcs_b
from wmbus.records import parse_records
from wmbus.recover import recover, second

FRAME = bytes.fromhex(
    "314493441234567835087a740000200b6e2701004b6e450100426c5f2ccb086e790000c2086c7f21326cffff046d200b7422"
)
SIZES = st.sampled_from([11, 12, 25, 26, 27, 42, 43, 125, 126, 127, 128, 141, 142, 200, 250])


def framed(size: int, fill: int = 0x2F) -> bytes:
    """A frame of `size` bytes that can be read: mode 0, then fill."""
    return bytes((size - 1,)) + FRAME[1:10] + b"\x78" + bytes((fill,)) * (size - 11)


def rtl_433(frame: bytes) -> bytes:
    return bytes((frame[0] - 2,)) + frame[1:] + add_crcs_a(frame)[-2:]


@pytest.mark.parametrize("form", ["A", "B"])
@settings(max_examples=examples(40), deadline=None)
@given(size=SIZES, fill=st.integers(0, 255), after=st.binary(max_size=20))
def test_bytes_after_the_crcs_are_told(form: str, size: int, fill: int, after: bytes) -> None:
    frame = framed(size, fill)
    wire = (add_crcs_a if form == "A" else add_crcs_b)(frame)
    found = recover(wire + after)
    assert (found.frame, found.format, found.rest) == (frame, form, after)
    assert [one.offset for one in found.odd] == ([len(wire)] if after else [])


@settings(max_examples=examples(40), deadline=None)
@given(size=SIZES.filter(lambda size: size >= 14), fill=st.integers(0, 255), after=st.binary(max_size=3))
def test_an_l_two_too_small_with_the_last_crc_left_on(size: int, fill: int, after: bytes) -> None:
    frame = framed(size, fill)
    found = recover(rtl_433(frame) + after)
    assert (found.frame, found.format, found.rest) == (frame, "A", after)
    assert "two too small" in found.odd[0].words


@pytest.mark.parametrize("printed", ["0844ae4c020000706807a09b08", "0944ae4c0100007268077a01df76"])
def test_the_shortest_telegrams_of_rtl_433(printed: str) -> None:
    """As release 22.11 printed L = 10 and 11, heard from IQ."""
    data = bytes.fromhex(printed)
    found = recover(data)
    assert (found.frame, found.rest) == (bytes((data[0] + 2,)) + data[1:-2], b"")


@pytest.mark.parametrize("size", [50, 126, 127, 140, 200])
def test_format_b_whose_crcs_are_cut_off_and_counted(size: int) -> None:
    """With more than 126 bytes there were two CRCs."""
    frame = framed(size)
    cut = bytes((size - 1 + (2 if size <= 126 else 4),)) + frame[1:]
    found = recover(cut)
    assert found.frame == frame
    assert f"L counts {2 if size <= 126 else 4} bytes of CRCs" in found.odd[0].words
    for torn in (cut[:-1], cut[:-3]):
        with pytest.raises(BadTelegram):
            recover(torn)


@pytest.mark.parametrize("sync", ["543d54cd", "54cd", "55555555543d54cd", "543d", "aaaa543d543d"])
@pytest.mark.parametrize("wire", [FRAME, add_crcs_a(FRAME), add_crcs_b(FRAME), rtl_433(FRAME)])
def test_a_synchronisation_word_in_front(sync: str, wire: bytes) -> None:
    found = recover(bytes.fromhex(sync) + wire)
    assert (found.frame, found.begin) == (FRAME, len(sync) // 2)
    assert found.odd[0].words.startswith("a synchronisation word in front: ")


@pytest.mark.parametrize("wire", [FRAME, add_crcs_a(FRAME), add_crcs_b(FRAME)])
@pytest.mark.parametrize("other", [FRAME, add_crcs_a(FRAME), add_crcs_b(framed(90))])
def test_two_telegrams_glued_together(wire: bytes, other: bytes) -> None:
    found = recover(wire + other)
    assert found.frame == FRAME
    assert f"a second telegram begins at byte {len(wire)}" in found.odd[-1].words
    assert second(found) == other


def test_one_wrong_bit_is_a_wrong_crc_and_nothing_else() -> None:
    """No leniency turns a damaged telegram into one with bytes after it."""
    for place in range(len(add_crcs_a(FRAME))):
        wire = bytearray(add_crcs_a(FRAME))
        wire[place] ^= 0x10
        if place < 12:  # the first block's CRC no longer says that this is format A
            continue
        with pytest.raises(BadTelegram) as refused:
            recover(bytes(wire))
        assert refused.value.reason is Reason.CRC, place


@settings(max_examples=examples(150), deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    for bytes_ in (data, FRAME[:10] + data, bytes((len(data) & 0xFF, 0x44)) + data):
        try:
            found = recover(bytes_)
        except BadTelegram:
            continue
        assert found.frame[0] + 1 == len(found.frame)


# --- what is odd inside -------------------------------------------------------------------------------------------


def odd(frame: bytes, **switches: bool) -> list[str]:
    out = to_json(frame, strict=False, **switches)  # type: ignore[arg-type]
    assert json.loads(to_line(frame, strict=False, **switches)) == out  # type: ignore[arg-type]
    return [one["reason"] for one in out.get("odd", [])]


def with_payload(ci: int, payload: bytes) -> bytes:
    header = {0x72: FRAME[4:8] + FRAME[2:4] + FRAME[8:10], 0x73: FRAME[4:8] + FRAME[2:4] + FRAME[8:10]}.get(ci, b"")
    body = FRAME[1:10] + bytes((ci,)) + header + FRAME[11:15] + payload
    return bytes((len(body),)) + body


def test_full_records_under_the_ci_of_a_compact_frame_are_read() -> None:
    frame = with_payload(0x73, FRAME[15:])
    assert odd(frame) == ["format-mismatch"]
    assert len(to_json(frame, strict=False)["records"]) == 7
    assert to_json(frame)["error"]["reason"] == "format-unknown"
    assert any("heat cost allocation = 127 HCA" in note.meaning for note in annotate(frame))


def test_what_stands_before_a_cut_record_is_read() -> None:
    frame = with_payload(0x7A, FRAME[15:20] + b"\x0b\x6e\x01")
    assert odd(frame) == ["bad-record"]
    assert [one["value"] for one in to_json(frame, strict=False)["records"]] == [127, "0B6E01"]


@pytest.mark.parametrize("links", ["0944934412345678350 8", "0c449344123456783508 8cc000"])
def test_link_layers_alone_are_shown(links: str) -> None:
    frame = bytes.fromhex(links.replace(" ", ""))
    assert odd(frame) == ["bad-header"]
    out = to_json(frame, strict=False)
    assert (out["records"], out["security"], "error" in out) == ([], "none", False)
    assert sum(len(note.data) for note in annotate(frame)) == len(frame)
    assert "error" in to_json(frame)


def test_every_published_telegram_says_more_when_it_is_not_judged_strictly() -> None:
    lost = 0
    for t in telegrams():
        decrypted = t.already_decrypted
        strict = to_json(t.frame, t.key, accept_already_decrypted=decrypted)
        shown = to_json(t.frame, t.key, strict=False, accept_already_decrypted=decrypted, accept_clear_tail=True)
        if "records" in strict:
            assert shown["records"] == strict["records"], t
        lost += "records" in strict and "records" not in shown
    assert lost == 0


# --- values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("0d13c23412", "volume = 1.234 m3"),
        ("0d13d23412", "volume = -1.234 m3"),
        ("0d13e2d204", "volume = 1.234 m3"),
        ("0d13e2ffff", "volume = -0.001 m3"),
        ("0d1303323231", "volume = 122 m3"),  # text stays text
        ("077912345678934436 08", "enhanced identification = QDS 78563412 36 08"),
        ("0c7978563412", "enhanced identification = 12345678"),
        ("0c7800000042", "fabrication number = 42000000"),
        ("0c78ffffffff", "fabrication number = no value"),
        ("0dff5f03414243", "manufacturer specific = 414243, maker's 5F"),
        ("0dff5f0441424344", 'manufacturer specific = 41424344 ("DCBA"), maker\'s 5F'),
        ("046d1e8be821", "date and time = 2023-01-08 11:30:00 summer time"),
        ("046d1e0be821", "date and time = 2023-01-08 11:30:00"),
        ("0d78021b0a", r"fabrication number = \n\x1b"),
        ("037c021b4112 3400", "plain text unit = 13330 A\\x1b"),
    ],
)
def test_a_record_in_words(record: str, words: str) -> None:
    (one,) = parse_records(bytes.fromhex(record.replace(" ", "")))
    assert words_for(one) == words


@settings(max_examples=examples(100), deadline=None)
@given(st.text(max_size=40))
def test_text_from_outside_is_one_line_without_controls(text: str) -> None:
    assert escaped(text).isprintable()
    assert text.isprintable() is (escaped(text) == text) or "\\" in text
