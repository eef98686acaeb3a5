"""Makers' own formats, held against published telegrams and the values that were published with them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published import telegrams

from tests.night import examples
from wmbus.as_json import to_json
from wmbus.as_lines import to_line
from wmbus.makers import qundis, techem
from wmbus.makers.names import maker_words

HCA, M3 = "heat cost allocation", "volume"

# Line of telegrams.jsonl (published with these values) -> (quantity, storage) -> value.
TECHEM = {
    79: {(HCA, 0): 131, ("date", 0): "2020-02-08", (HCA, 1): 1026, ("date", 1): "2019-12-31",
         ("room temperature", 0): 22.44, ("radiator temperature", 0): 25.51},
    80: {(HCA, 0): 4, ("date", 0): "2021-02-05", (HCA, 1): 45, ("date", 1): "2020-12-31",
         ("room temperature", 0): 22.37, ("radiator temperature", 0): 23.6},
    81: {(HCA, 0): 766, ("date", 0): "2026-06-04", (HCA, 1): 1352, ("date", 1): "2025-12-31",
         ("room temperature", 0): 22, ("radiator temperature", 0): 22.25},
    303: {(HCA, 0): 65, (HCA, 1): 104},
    304: {(HCA, 0): 410, (HCA, 1): 1999, ("room temperature", 0): 21.52, ("radiator temperature", 0): 23.73},
    305: {(HCA, 1): 412, ("room temperature", 0): 26.48, ("radiator temperature", 0): 26.31},
    163: {(M3, 0): 13.8, (M3, 1): 8.9, ("date", 0): "2019-04-27", ("date", 1): "2018-12-31"},
    164: {(M3, 0): 13.8, ("date", 0): "2018-04-27", ("date", 1): "2018-03-31"},
    165: {(M3, 0): 13.8, ("date", 0): "2019-03-31", ("date", 1): "2018-03-31"},
    166: {(M3, 0): 13.8, ("date", 0): "2018-04-01", ("date", 1): "2018-03-31"},
    168: {(M3, 0): 0.4, (M3, 1): 0.1},
    299: {("volume since the set date", 0): 2.1, (M3, 1): 7.5},
    300: {("volume since the set date", 0): 18.1, (M3, 1): 43.5},
    53: {("energy", 0): 495_000, ("energy since the set date", 0): 120_000, ("energy", 1): 375_000},
    302: {("energy since the set date", 0): 5_240_000, ("energy", 1): 18_727_000},
    239: {("energy", 0): 6_371_666.667, ("energy since the set date", 0): 2_729_444.444, ("energy", 1): 3_642_222.222},
}  # fmt: skip
QUNDIS = {
    179: {(HCA, 0): 97, ("date", 1): "2020-12-31", (HCA, 1): 270, ("date", 17): "2021-06-30", (HCA, 17): 97},
    199: {(M3, 0): 2.048, ("date", 1): "2021-12-31", (M3, 1): 1.791, ("date", 17): "2022-01-31", (M3, 17): 2.02},
    204: {(M3, 0): 139.663, ("date", 1): "2022-12-31", (M3, 1): 127.382, ("date", 17): "2023-04-30", (M3, 17): 138.163},
    206: {(M3, 0): 6.696, ("date", 1): "2024-12-31", (M3, 1): 0, ("date", 17): "2025-04-30", (M3, 17): 5.819},
    207: {(M3, 0): 5.324, (M3, 1): 0.421, (M3, 17): 4.689},
    210: {(M3, 0): 0.066},
    211: {(M3, 0): 0.069, ("date", 17): "2026-01-31", (M3, 17): 0.068},
}  # fmt: skip
POSTED = {  # heat cost allocators in walk-by, from the issues named
    # wmbusmeters #2096: decoded there field by field
    "49449344029022323608780082ed": (
        "49449344029022323608780dff5f350082ed00000f0007b06effff300500003f3c770700005f3830050000030041006e007c0089fd8b008200"
        "610012000000000000002f046d20085439",
        {(HCA, 0): 530, ("date", 1): "2025-12-31", (HCA, 1): 777, (HCA, 17): 530},
    ),
    # wmbusmeters #766: the month's end as the same meter's standard telegram has it (423 on 2022-12-31)
    "494493442842003036": (
        "49449344284200303608780dff5f350082c50000800007b06effff58040000ffff00000000df2c23040000008000800080008000800000000000"
        "003b003d006300cc002f046d1e10e821",
        {(HCA, 0): 458, ("date", 17): "2022-12-31", (HCA, 17): 423},
    ),
    # wmbusmeters #280 (maker's bytes given there, no values): a set date that is a set date
    "494493441317609034": (
        "49449344131760903408780dff5f350082c800000f0007b06effff720200009f2c36030000bf235102000007000100020000000000070031003d"
        "00650020ff450046002f046d100dad24",
        {("date", 1): "2020-12-31", ("date", 17): "2021-03-31"},
    ),
}


def values(data: bytes) -> dict[tuple[str, int], object]:
    out = to_json(data, strict=False)
    assert "error" not in out, out
    assert json.loads(to_line(data, strict=False)) == out
    return {(one["quantity"], one["storage_number"]): one["value"] for one in out["maker_values"]}


@pytest.mark.parametrize("line", [*TECHEM, *QUNDIS])
def test_a_published_telegram_has_its_published_values(line: int) -> None:
    found = values(telegrams()[line - 1].frame)
    for name, value in {**TECHEM, **QUNDIS}[line].items():
        assert found[name] == (pytest.approx(value, abs=0.001) if isinstance(value, (int, float)) else value), name


@pytest.mark.parametrize("name", POSTED)
def test_a_posted_walk_by_telegram_has_its_values(name: str) -> None:
    text, wanted = POSTED[name]
    assert wanted.items() <= values(bytes.fromhex(text)).items()


def test_what_no_public_source_describes_stays_bytes() -> None:
    """A record of 47 bytes, one that is encrypted inside, a smoke detector: no value is guessed."""
    for line in (184, 309, 308):
        assert "maker_values" not in to_json(telegrams()[line - 1].frame, strict=False), line
    for line in (227, 301):
        out = to_json(telegrams()[line - 1].frame, strict=False)
        assert out["error"]["reason"] == "manufacturer-specific"
        assert "Techem (TCH)'s own format" in out["error"]["detail"]


def test_strict_refuses_a_makers_payload_even_where_it_is_known() -> None:
    assert to_json(telegrams()[78].frame)["error"]["reason"] == "manufacturer-specific"


@settings(max_examples=examples(100), deadline=None)
@given(
    version=st.sampled_from([0x27, 0x45, 0x64, 0x69, 0x70, 0x94, 0x95]),
    kind=st.sampled_from([4, 0x43, 0x62, 0x72, 0x80]),
    payload=st.binary(max_size=60),
)
def test_any_bytes_are_values_or_none(version: int, kind: int, payload: bytes) -> None:
    found = techem.read(version, kind, payload)
    assert found is None or len(found) >= 4
    qundis.read(payload.ljust(53, b"\x2f"))
    walk_by = bytearray(payload.ljust(53, b"\x2f"))
    walk_by[7], walk_by[52] = 7, 0x2F
    assert qundis.read(bytes(walk_by)) is None or walk_by[9] < 0x80


@pytest.mark.parametrize("vif", range(256))
def test_a_walk_by_record_with_any_vif_is_values_or_none(vif: int) -> None:
    """Also 7C, a unit in letters, and the codes behind which another byte has the meaning: there is none here."""
    walk_by = bytearray(b"\x2f" * qundis.BYTES)
    walk_by[7], walk_by[9] = 7, vif
    found = qundis.read(bytes(walk_by))
    assert found is None or (found and 0x7C != vif < 0x80)


def test_a_maker_has_its_name_and_bit_15_is_no_other_maker() -> None:
    assert (maker_words("TCH"), maker_words("aPA"), maker_words("XYZ")) == ("Techem (TCH)", "Apator (aPA)", "XYZ")
