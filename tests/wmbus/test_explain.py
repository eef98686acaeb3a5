"""Explanations: no byte left out of any published telegram, and an object for every one, refused or not."""

import json

import pytest
from published import REFUSED, telegrams

from wmbus.as_json import to_json
from wmbus.as_lines import to_line
from wmbus.compact import Formats
from wmbus.explain import annotate
from wmbus.telegram import build, parse


def test_every_byte_of_every_published_telegram_is_explained_once():
    for t in telegrams():
        notes = annotate(t.frame, t.key, accept_already_decrypted=t.already_decrypted, accept_clear_tail=True)
        at = 0
        for note in notes:
            assert note.offset == at, (t, note)
            assert note.data or note.layer == "APL", (t, note)
            at += len(note.data)
        assert at == len(t.frame), t


def test_headers_and_values_of_a_published_telegram():
    t = telegrams()[320]
    notes = {n.meaning for n in annotate(t.wire, t.key)}
    for expected in (
        "manufacturer VIP",
        "device type: heat cost allocator",
        "MAC, right",
        "heat cost allocation = 1302 HCA",
        "heat cost allocation = 1234 HCA, storage 1",
        "external temperature = 19.6 °C",
    ):
        assert expected in notes


def test_json_of_every_published_telegram():
    ran = errors = 0
    for t in telegrams():
        out = to_json(t.wire, t.key, accept_already_decrypted=t.already_decrypted)
        json.dumps(out)
        if "error" in out:
            errors += 1
            assert set(out["error"]) == {"reason", "detail", "offset"}
        if "manufacturer" in out and not t.record["tpl_id"]:
            assert out["id"].lower() == t.record["id"].lower()
        if t.line in REFUSED:
            assert out["error"]["reason"] == REFUSED[t.line][0]
        ran += 1
    print(f"{ran} objects, {errors} of them with an error")
    assert ran == 345


def test_json_of_a_mode_7_telegram_in_format_a_and_b():
    for line in (274, 318):
        t = telegrams()[line]
        out = to_json(t.wire, t.key)
        assert out["frame_format"] == ("A" if line == 274 else "B")
        assert out["security"] == "mode7"
        assert out["mac_ok"] is True
    assert [r["value"] for r in out["records"] if r["unit"] == "HCA"] == [127, 145, 79]
    assert [r["storage_number"] for r in out["records"] if r["unit"] == "HCA"] == [0, 1, 17]


def test_a_stream_with_formats_opens_compact_frames():
    formats = Formats()
    for line in (138, 139):
        out = to_json(telegrams()[line].frame, formats=formats, accept_already_decrypted=True)
        assert next(r["value"] for r in out["records"] if r["unit"] == "m3") == 20.015
    assert to_json(telegrams()[139].frame, accept_already_decrypted=True)["error"]["reason"] == "format-unknown"


def test_a_refused_telegram_still_says_what_was_readable():
    t = telegrams()[320]
    out = to_json(t.frame, bytes(16))
    assert out["manufacturer"] == "VIP"
    assert out["error"]["reason"] == "mac-wrong"
    assert "records" not in out
    assert to_json(b"")["error"]["reason"] == "too-short"
    cut = to_json(t.frame[:-1], t.key)
    assert cut["error"]["reason"] == "length-mismatch"
    assert (cut["manufacturer"], cut["id"], cut["version"], cut["device_type"]) == ("VIP", "23000001", 0x1E, 8)
    assert to_json(t.frame[:5])["error"]["reason"] == "too-short"


@pytest.mark.parametrize("line", [323, 327])
def test_points_of_a_profile(line):
    t = telegrams()[line]
    out = to_json(t.frame, t.key)
    points = next(r["points"] for r in out["records"] if "points" in r)
    if line == 323:
        assert points[0] == {"when": "2026-01-01", "value": 99, "total": 99}
        assert points[2]["value"] == 10
        assert points[-1]["value"] is None
    else:
        assert points[-1] == {"when": "2020-12-31", "value": 22, "total": 25}
        assert points[-2] == {"when": "2020-11-30", "value": 3, "total": 3}


def test_built_telegrams_are_explained():
    a = parse(telegrams()[122].frame).address
    frame = build(a, 1, 0x0C, bytes.fromhex("026e1605"), security="none", tpl=0x72)
    assert any("low power, permanent error" in n.meaning for n in annotate(frame))


def test_the_line_is_the_object_letter_by_letter():
    for t in telegrams():
        for switches in ({}, {"strict": False, "accept_already_decrypted": True, "accept_clear_tail": True}):
            assert to_line(t.wire, t.key, **switches) == json.dumps(to_json(t.wire, t.key, **switches))
