"""Records: the whole VIF tables against pymbusparser, data types, chains, and what must be refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from published import telegrams

from wmbus import dif, vif
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.records import encode_record, encode_records, parse_records
from wmbus.telegram import parse, read, unlock
from wmbus.values import encode_lvar

pymbusparser = pytest.importorskip("pymbusparser")


def one(hexa: str):
    (record,) = parse_records(bytes.fromhex(hexa))
    return record


THEIR_OWN = {
    "6c": "a date of four bytes is no type of the standard",
    "6d": "month 0",
    "6f": "reserved; refused there, named reserved here",
    "fb18": "in t there, in kg here",
    "fb19": "in t there, in kg here",
    "fb22": "gallons of the older table are reserved there",
    "fb24": "gallons of the older table are reserved there",
    "fb78": "adds the exponent's factor instead of multiplying",
    "fb79": "adds the exponent's factor instead of multiplying",
    "fb7a": "adds the exponent's factor instead of multiplying",
    "fb7b": "adds the exponent's factor instead of multiplying",
    "fd30": "a date here",
    "fd70": "a date here",
    "fd78": "reserved, scaled there",
    "fd79": "reserved, scaled there",
    "fd7a": "reserved, scaled there",
    "fd7b": "reserved, scaled there",
}
CODES = [f"{c:02x}" for c in range(0x7B)] + [f"fb{c:02x}" for c in range(0x80)] + [f"fd{c:02x}" for c in range(0x80)]


def test_every_code_of_the_tables_scales_as_pymbusparser_scales_it():
    ran = 0
    for code in CODES:
        if code in THEIR_OWN:
            continue
        ours = one(f"04{code}d2040000")
        seen = pymbusparser.parse_records(f"04{code}d2040000")
        seen = seen if isinstance(seen, list) else seen["records"]
        assert float(seen[0]["value"]["value"]) == pytest.approx(ours.value, rel=1e-12), code
        ran += 1
    print(f"{ran} of {len(CODES)} VIF codes scaled alike, {len(THEIR_OWN)} exceptions")
    assert ran == 362


@pytest.mark.parametrize(
    ("hexa", "value", "unit"),
    [
        ("026e1605", 1302, "HCA"),
        ("036e020000", 2, "HCA"),
        ("0b6e270100", 127, "HCA"),
        ("0266c400", 19.6, "°C"),
        ("04138c210000", 8.588, "m3"),
        ("0afdc8fc013624", 243.6, "V"),
        ("0b3b010000", 0.001, "m3/h"),
        ("0b3b0100f0", -0.001, "m3/h"),
        ("05130000803f", 0.001, "m3"),
        ("02fd74a410", 4260, "d"),
        ("426c5f2c", date(2018, 12, 31), ""),
        ("0d7808" + "3130303030303332", "23000001", ""),
        ("04fb82753f000000", 6300, "varh"),
        ("04937d01000000", 1, "m3"),
        ("0413ffffffff", -0.001, "m3"),
    ],
)
def test_values(hexa, value, unit):
    record = one(hexa)
    assert record.value == value
    assert record.unit == unit
    if "fb82" not in hexa:
        assert encode_record(record.dif_vif, value).hex() == hexa


@pytest.mark.parametrize(
    "hexa", ["0b6effffff", "041300000080", "02660080", "426cffff", "426c0000", "05130000c07f", "0013"]
)
def test_no_value_is_none(hexa):
    assert one(hexa).value is None


@pytest.mark.parametrize(
    ("hexa", "storage", "tariff", "subunit", "function"),
    [
        ("cb086e790000", 17, 0, 0, "instantaneous"),
        ("8b046e030200", 8, 0, 0, "instantaneous"),
        ("8c2013" + "01000000", 0, 2, 0, "instantaneous"),
        ("8c9030" + "1301000000", 0, 13, 0, "instantaneous"),
        ("84401400000000", 0, 0, 1, "instantaneous"),
        ("8480401400000000", 0, 0, 2, "instantaneous"),
        ("1259ad0a", 0, 0, 0, "maximum"),
        ("a1015b0c", 2, 0, 0, "minimum"),
        ("326cffff", 0, 0, 0, "error"),
        ("8288016c5f2c", 48, 0, 0, "instantaneous"),
    ],
)
def test_storage_tariff_subunit_function(hexa, storage, tariff, subunit, function):
    record = one(hexa)
    assert (record.storage, record.tariff, record.subunit, record.function) == (storage, tariff, subunit, function)


@pytest.mark.parametrize(
    ("hexa", "value"),
    [
        ("0d7803433231", "12C"),
        ("0d78c23412", 1234),
        ("0d78d23412", -1234),
        ("0d78e3010203", b"\x01\x02\x03"),
        ("0d78f0" + "00" * 16, bytes(16)),
        ("0d7800", ""),
    ],
)
def test_lvar(hexa, value):
    assert one(hexa).value == value
    assert encode_record(bytes.fromhex("0d78"), value).hex() == hexa


def test_plain_text_unit():
    record = one("027c03494123d204")
    assert (record.value, record.unit, record.quantity) == (1234, "#AI", "plain text unit")


def test_modifiers():
    assert one("04933c00000000").modifiers == ("backward only",)
    assert one("02bb560100").unit == "h"
    assert one("04ed490a000000").unit == ""
    assert one("04ff0701000000").modifiers == ("maker's 07",)
    assert one("0293790100").modifiers == ("plus 10^-2",)
    assert one("02ee395f2c").value == date(2018, 12, 31)
    assert one("0293110100").modifiers == ("reserved VIFE 11",)


def test_the_makers_bytes_end_the_records():
    records = parse_records(bytes.fromhex("026e01000f01022f"))
    assert records[-1].value == bytes.fromhex("01022f")
    more = parse_records(bytes.fromhex("026e01001f"))
    assert more[-1].modifiers == ("more records follow",)


@pytest.mark.parametrize(
    ("hexa", "offset"),
    [
        ("026e01", 0),
        ("026e0100026e", 4),
        ("02", 0),
        ("82", 0),
        ("0282", 0),
        ("8280808080808080808080806e0000", 0),
        ("82808080808080808080808000" + "6e0000", 0),
        ("02ee8080808080808080808080000000", 0),
        ("02ee8080808080808080808000" + "0000", 0),
        ("3f00", 0),
        ("6f6f", 0),
        ("0d6e", 0),
        ("0d6ecf", 0),
        ("0d6e05010203", 0),
        ("027c05", 0),
    ],
)
def test_what_is_no_record(hexa, offset):
    with pytest.raises(BadTelegram) as refused:
        parse_records(bytes.fromhex(hexa), offset=15)
    assert refused.value.reason is Reason.BAD_RECORD
    assert refused.value.offset == 15 + offset
    lenient = parse_records(bytes.fromhex(hexa), strict=False)
    assert lenient[-1].quantity == "unreadable"
    assert b"".join(r.wire() for r in lenient) == bytes.fromhex(hexa)


@given(st.integers(-32767, 32767), st.sampled_from(["026e", "0266", "0413", "0259"]))
def test_numbers_there_and_back(number, chain):
    dif_vif = bytes.fromhex(chain)
    parsed = dif.chain(dif_vif)
    raw = number.to_bytes(parsed.size, "little", signed=True)
    assert encode_record(dif_vif, parsed.decode(raw)) == dif_vif + raw


@pytest.mark.parametrize(
    ("chain", "value"),
    [
        ("026e", 32768),
        ("026e", 1.5),
        ("026e", "text"),
        ("0b6e", 1000000),
        ("0b6e", -100000),
        ("426c", 5),
        ("426c", "2018-12-31"),
        ("0d78", 1.5),
        ("0d78", "x" * 200),
        ("0d78", bytes(17)),
    ],
)
def test_what_has_no_bytes(chain, value):
    with pytest.raises(CannotEncode):
        encode_record(bytes.fromhex(chain), value)


def test_the_chain_cache_is_bounded():
    assert dif.chain.cache_info().maxsize == dif.CACHED_CHAINS
    assert {"error flags", "fabrication number"} <= vif.UNSIGNED


def test_offsets_of_a_published_telegram_point_at_the_records():
    t = telegrams()[319]
    reading = read(t.frame, t.key)
    plain = unlock(parse(t.frame), t.key).plaintext
    for record in reading.records:
        at = record.offset - reading.unlocked.offset
        assert plain[at : at + len(record.wire())] == record.wire()
    assert plain[2:].startswith(encode_records([(r.dif_vif, r.value) for r in reading.records]))


def test_text_beyond_latin_1_cannot_be_encoded() -> None:
    with pytest.raises(CannotEncode, match="no '€'"):
        encode_lvar("5 €")
