"""Compact and inverse compact profiles: published ones, against each other where two telegrams tell the same year."""

from __future__ import annotations

from datetime import date

import pytest
from published import telegrams
from test_published import opened

from wmbus import profiles
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.records import parse_records
from wmbus.telegram import interpret


def points(line):
    records = interpret(opened(telegrams()[line]), strict=False).records
    profile = next(r for r in records if profiles.is_profile(r))
    return profiles.expand(profile, records)


def test_inverse_profile_of_a_caltos_counts_back_from_the_base_date():
    found = points(49)
    expected = telegrams()[49].expected
    for n in range(1, 5):
        assert str(found[n - 1].when) == expected[f"consumption_{n}"]
        assert found[n - 1].value == expected[f"consumption_{n}_hca"]
    assert found[4].value is None
    assert len(found) == 14


def test_compact_profile_of_a_techem_adds_up_to_the_value_at_the_set_date():
    records = interpret(opened(telegrams()[81])).records
    found = points(81)
    at_set_date = next(r.value for r in records if r.dif_vif == bytes.fromhex("436e"))
    assert [p.value for p in found[-2:]] == [3, 22]
    assert found[-1].total == at_set_date == 25
    assert found[-1].when == date(2020, 12, 31)
    assert found[0].when == date(2019, 11, 30)


def test_inverse_profile_of_a_ui_meter_has_no_value_before_its_first_month():
    found = points(228)
    expected = telegrams()[228].expected
    assert found[0].value == expected["target_1_m3"] == 0
    assert all(p.value is None for p in found[1:])
    for n in range(1, 11):
        assert str(found[n - 1].when) == expected[f"target_{n}_date"]


def test_registers_of_a_supercom():
    found = points(222)
    assert len(found) >= 12
    assert all(p.total is not None for p in found)


def test_written_and_read_again():
    raw = profiles.encode(0x3B, 0xFE, [99, 52, None])
    assert raw.hex() == "3bfe990000520000ffffff"
    record = bytes.fromhex("8d04ee13") + bytes([len(raw)]) + raw
    (parsed,) = parse_records(record)
    assert [p.value for p in profiles.expand(parsed, [])] == [99, 52, None]
    assert all(p.when is None for p in profiles.expand(parsed, []))
    with pytest.raises(CannotEncode):
        profiles.encode(0x3D, 0xFE, [1])


@pytest.mark.parametrize("value", ["3b", "3bfe99", "3ffe99"])
def test_elements_that_do_not_fill_the_value(value):
    raw = bytes.fromhex(value)
    (parsed,) = parse_records(bytes.fromhex("8d04ee13") + bytes([len(raw)]) + raw)
    with pytest.raises(BadTelegram) as refused:
        profiles.expand(parsed, [])
    assert refused.value.reason is Reason.BAD_RECORD


@pytest.mark.parametrize(
    ("spacing", "unit", "expected"),
    [
        (254, 3, date(2021, 2, 28)),
        (253, 3, date(2021, 2, 15)),
        (1, 3, date(2021, 2, 1)),
        (7, 3, date(2021, 2, 7)),
        (251, 3, None),
        (0, 3, None),
    ],
)
def test_spacing_after_the_last_of_january(spacing, unit, expected):
    base = bytes.fromhex("82046c") + bytes.fromhex("bf21")
    raw = profiles.encode(unit << 4 | 2, spacing, [1])
    records = parse_records(base + bytes.fromhex("8d04ee1f") + bytes([len(raw)]) + raw)
    assert records[0].value == date(2021, 1, 31)
    assert profiles.expand(records[1], records)[0].when == expected


def test_hours_from_a_date():
    raw = profiles.encode(2 << 4 | 2, 6, [1, 2])
    records = parse_records(bytes.fromhex("82046cbf21") + bytes.fromhex("8d04ee1f") + bytes([len(raw)]) + raw)
    assert str(profiles.expand(records[1], records)[1].when) == "2021-01-31 12:00:00"


@pytest.mark.parametrize(("mode", "totals"), [(1, [11, 13]), (2, [9, 7]), (3, [11, 13])])
def test_increments_and_decrements(mode, totals):
    raw = profiles.encode(mode << 6 | 0x32, 254, [1, 2])
    records = parse_records(bytes.fromhex("82046e0a00") + bytes.fromhex("8d04ee1f") + bytes([len(raw)]) + raw)
    assert [p.total for p in profiles.expand(records[1], records)] == totals
