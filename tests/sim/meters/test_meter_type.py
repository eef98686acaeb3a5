"""Every meter type against published telegrams of it, in both directions, and against an independent reader."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pymbusparser
import pytest

from sim.core.parts import Folder, PartError, UnknownPart
from sim.core.vocabulary import Security
from sim.meters.encodings import Field, encoder, field
from sim.meters.meter_type import KINDS, BadKind, Example, Kind, Slot, kind, kinds
from sim.meters.quantities import CLOCK, COUNT, DATE, FAULT_TIME, FLAGS, NUMBER, OWN, QUANTITIES, Quantity
from sim.meters.write_kernels import encode_many
from wmbus import telegram
from wmbus.records import parse_records
from wmbus.vif import PRIMARY

EXAMPLES = [
    pytest.param(one, example, id=f"{one.id}-{number}")
    for one in kinds().values()
    for number, example in enumerate(one.examples)
]


def _plaintext(example: Example) -> bytes:
    """The records as they stand between 2F2F and the fill bytes."""
    frame = bytes.fromhex(example.telegram)
    if _published_decrypted(example):
        return b"".join(record.wire() for record in parse_records(telegram.parse(frame).payload))
    read = telegram.read(frame, bytes.fromhex(example.key) if example.key else None)
    return b"".join(record.wire() for record in read.records)


def _published_decrypted(example: Example) -> bool:
    """The header still names mode 5, but who published it had decrypted the rest."""
    parsed = telegram.parse(bytes.fromhex(example.telegram))
    return parsed.mode != 0 and example.key is None


@pytest.mark.parametrize(("one", "example"), EXAMPLES)
def test_a_published_telegram_says_what_was_published_and_is_rebuilt_from_it(one: Kind, example: Example) -> None:
    records = _plaintext(example)
    assert one.read(records) == dict(example.expected)
    assert one.records([example.expected[slot.label] for slot in one.slots]) == records
    values = [example.expected[slot.label] for slot in one.slots]
    for place, value in zip(one.places, values, strict=True):
        by_arrays = encode_many(place.encoding, np.array([0, value]))[1]
        assert bytes(by_arrays) == records[place.offset : place.offset + place.width]


@pytest.mark.parametrize(("one", "example"), EXAMPLES)
def test_the_whole_published_telegram_is_rebuilt(one: Kind, example: Example) -> None:
    frame = bytes.fromhex(example.telegram)
    key = bytes.fromhex(example.key) if example.key else None
    if _published_decrypted(example):
        frame = _as_sent_in_clear(frame)
    parsed = telegram.parse(frame)
    transport = parsed.transport
    assert transport is not None and transport.acc is not None and transport.sts is not None
    security: Security = "mode5" if parsed.mode == 5 else "none"
    address = transport.address or parsed.link_address
    assert (address.manufacturer, address.device_type) == (one.manufacturer, one.device_type)
    assert address.version in (one.version, *one.versions)
    assert transport.ci == one.tpl
    records = one.records([example.expected[slot.label] for slot in one.slots])
    if security == "none":
        records = one.unencrypted_prefix + records
    again = telegram.build(
        address, transport.acc, transport.sts, records, security=security, key=key, c_field=one.c_field, tpl=one.tpl,
        cfg_flags=(transport.cfg or 0) & 0xE000, link_address=parsed.link_address,
    )  # fmt: skip
    assert again == frame


def _as_sent_in_clear(frame: bytes) -> bytes:
    """A frame published decrypted, as its meter would send it without encryption: mode 0, no fill."""
    transport = telegram.parse(frame).transport
    assert transport is not None
    body = frame[1 : transport.end - 2] + b"\0\0" + frame[transport.end :].rstrip(b"\x2f")
    return bytes((len(body),)) + body


@pytest.mark.parametrize(("one", "example"), EXAMPLES)
def test_an_independent_reader_agrees(one: Kind, example: Example) -> None:
    """pymbusparser, record by record: the same headers and bytes, and the same numbers where it gives any."""
    frame = bytes.fromhex(example.telegram)
    if _published_decrypted(example):
        frame = _as_sent_in_clear(frame)
    read = pymbusparser.parse(frame, key=example.key, include_enrichment=False)["records"]
    read = [record for record in read if record["header_hex"] != "2F"]
    assert len(read) == len(one.fields)
    compared = 0
    for row, record in zip(one.fields, read, strict=True):
        raw = bytes.fromhex(record["header_hex"] + record["data_hex"])
        expected = [example.expected[Slot(row.quantity, back).label] for back in row.backs]
        assert raw == row.head + b"".join(encoder(row.encoding)(value) for value in expected)
        value = record["value"]
        if value["kind"] == "decimal" and len(expected) == 1:
            # It scales by the unit's power of ten and writes no zero that says nothing.
            digits = str(abs(Decimal(value["value"]))).replace(".", "").strip("0")
            assert digits == str(abs(expected[0])).strip("0")
            compared += 1
    assert compared >= 2


@pytest.mark.parametrize("one", kinds().values(), ids=lambda one: one.id)
def test_a_table_is_whole(one: Kind) -> None:
    """Every record parses alone, as long as the table says."""
    records = parse_records(one.template)
    assert [record.wire() for record in records] == [row.head + bytes(row.width * len(row.backs)) for row in one.fields]
    assert len(one.template) == one.records_bytes
    assert one.examples, "a type without a published telegram is a guess"


def test_an_unknown_type_is_named_with_its_neighbours() -> None:
    with pytest.raises(UnknownPart, match=r"no meter type 'vipa-c1'; known, nearest first: vipa-c10, "):
        kind("vipa-c1")


def test_records_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="bytes of records"):
        kind("vipa-c10").read(b"\x02")
    with pytest.raises(ValueError, match="byte 0 should begin 02fd17"):
        kind("vipa-c10").read(bytes(kind("vipa-c10").records_bytes))


def _kind(*fields: Field, **more: object) -> Kind:
    return Kind("some-meter", "Some meter", "ABC", 1, fields, (), **more)  # type: ignore[arg-type]


def test_a_type_may_bring_a_quantity_and_a_constant_of_its_own() -> None:
    one = _kind(field("0413", "u32", "twice"), field("0213", "u16", "seven"),
                quantities={"twice": Quantity(COUNT, times=2, unit="m3", exponent=-3)},
                constants={"seven": 7})  # fmt: skip
    assert one.quantity("twice").times == 2
    assert [slot.label for slot in one.slots] == ["twice", "seven"]


@pytest.mark.parametrize(
    ("head", "encoding", "value", "fits"),
    [
        ("0213", "u16", 65_535, True), ("0213", "u16", 65_536, False), ("0213", "u16", -1, True),
        ("0213", "u16", -2, False), ("0213", "i16", -32_768, True), ("0213", "i16", 32_768, False),
        ("0A13", "bcd4", 9_999, True), ("0A13", "bcd4", 10_000, False), ("0213", "u16", 7.5, False),
    ],
)  # fmt: skip
def test_a_constant_that_does_not_fit_its_record_is_refused(head: str, encoding: str, value: Any, fits: bool) -> None:
    if fits:
        assert _kind(field(head, encoding, "seven"), constants={"seven": value}).slots
        return
    with pytest.raises(BadKind, match=rf"record {head}: the constant seven is {value}, and {encoding} holds whole num"):
        _kind(field(head, encoding, "seven"), constants={"seven": value})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("0B6E", "bcd7", "units"), "some-meter: record 0B6E: no encoding 'bcd7'; did you mean 'bcd.'[?] Known: u8, "),
        (("0B6E", "bcd6", "unitz"), "record 0B6E: no quantity 'unitz'; did you mean 'units'[?] Known: date, "),
        (("0C6E", "bcd6", "units"), "record 0C6E: its DIF announces bcd8, not bcd6"),
        (("026C", "u24", "units"), "record 026C: its DIF announces u16 or i16 or G, not u24"),
        (("0E03", "u48", "energy_wh"), "record 0E03: its DIF announces bcd12, not u48"),
        (("046D", "F", "datetime_s"), "record 046D: datetime_s is a date of type I, not F"),
        (("046D", "u32", "datetime"), "record 046D: datetime is a date of type F, not u32"),
        (("066D", "I", "units"), "record 066D: units is no date, not I"),
        (("0D7807", "ascii8", "fabrication"), "its length byte must announce the 8 bytes that follow it"),
        (("0D78", "ascii8", "fabrication"), "its length byte must announce the 7 bytes that follow it"),
        (("026E", "u16", "month_units", 1, 2), "only a record of variable length"),
        (("02", "u16", "units"), "02 begins no record"),
        (("0F", "u16", "units"), "0F begins no record"),
        (("0414", "u32", "volume_l"), "record 0414: its VIF says 10.-2 m3, and volume_l counts in 10.-3 m3"),
        (("0405", "u32", "energy_wh"), "record 0405: its VIF says 10.2 Wh, and energy_wh counts in Wh"),
        (("040E", "u32", "energy_kwh"), "record 040E: its VIF says 10.6 J, and energy_kwh counts in 10.3 Wh"),
        (("026E", "u16", "month_volume_l"), "its VIF says HCA, and month_volume_l counts in 10.-3 m3"),
    ],
)  # fmt: skip
def test_what_the_tables_lack_is_refused_by_name(row: tuple[str, str, str], message: str) -> None:
    with pytest.raises(BadKind, match=message):
        _kind(field(*row))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"manufacturer": "HYDRA"}, "some-meter: a manufacturer is three letters A-Z, not 'HYDRA'"),
        ({"manufacturer": "hyx"}, "some-meter: a manufacturer is three letters A-Z, not 'hyx'"),
        ({"version": 0x303}, "some-meter: version is 771; it is one byte, from 0 to 255"),
        ({"device_type": -1}, "some-meter: device_type is -1"), ({"versions": (1, 256)}, "versions is 256"),
    ],
)  # fmt: skip
def test_an_address_that_no_telegram_can_carry_is_refused(more: dict[str, Any], message: str) -> None:
    of = {"id": "some-meter", "title": "Some meter", "manufacturer": "ABC", "version": 1, "fields": (), "examples": ()}
    with pytest.raises(BadKind, match=message):
        Kind(**{**of, **more})


def test_every_unit_of_the_table_is_one_that_a_vif_names() -> None:
    units = {meaning.unit for meaning in PRIMARY.values()}
    for name, one in QUANTITIES.items():
        none = one.op in (DATE, CLOCK, FAULT_TIME) or (one.op == OWN and one.of in (NUMBER, FLAGS))
        assert (one.unit == "") == none and one.unit in units, f"{name}: in which unit does it count?"


def test_a_quantity_of_a_types_own_is_held_to_its_unit_too() -> None:
    hundreds = QUANTITIES["energy_wh"]._replace(per=100_000)
    with pytest.raises(BadKind, match=r"its VIF says 10\^2 Wh, and mine counts in Wh; .* `exponent`"):
        _kind(field("0405", "u32", "mine"), quantities={"mine": hundreds})
    assert _kind(field("0405", "u32", "mine"), quantities={"mine": hundreds._replace(exponent=2)}).slots
    assert _kind(field("047F", "u32", "mine"), quantities={"mine": hundreds}).slots  # the maker's VIF says nothing
    with pytest.raises(BadKind, match=r"its VIF says Wh, and fabrication counts in no unit"):
        _kind(field("0403", "u32", "fabrication"))


def test_the_power_of_heat_is_no_electricity_meters() -> None:
    assert _kind(field("042B", "i32", "power_w"), field("0406", "u32", "energy_kwh")).slots
    assert _kind(field("042B", "i32", "now_w"), field("0403", "u32", "energy_wh"), constants={"now_w": 300}).slots
    with pytest.raises(BadKind, match=r"power_w is the power of heat .*, and tariff_2_wh counts electricity"):
        _kind(field("042B", "i32", "power_w"), field("842003", "u32", "tariff_2_wh"))


def test_two_records_that_say_the_same_are_refused() -> None:
    with pytest.raises(BadKind, match="some-meter: two records carry units"):
        _kind(field("026E", "u16", "units"), field("036E", "u24", "units"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("KIND = 3", "ours.py: a meter type has KIND = Kind"),
        ("import nothing_of_this_name", "ours.py, line [13]: cannot be imported: ModuleNotFoundError: No module named"),
        ("from sim.meters.meter_type import Kind\nfrom sim.meters.encodings import field\n"
         "KIND = Kind('ours', 'Ours', 'ABC', 1, (field('0B6E', 'bcd9', 'units'),), ())",
         "ours.py, line [13]: cannot be imported: BadKind: ours: record 0B6E: no encoding 'bcd9'; did you mean"),
        ("from sim.meters.meter_type import Kind\nKIND = Kind('ours', 'Ours', 'ABC', 1, (), example=())",
         "ours.py, line 2: .*unexpected keyword argument 'example'; did you mean 'examples'[?] it takes id, title, "),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_with_the_cause(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = f"types_{abs(hash(text))}"
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "__init__.py").write_text("")
    (tmp_path / folder / "ours.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PartError, match=message):
        Folder(folder, "KIND", "meter type", Kind).parts()


def test_no_two_types_say_the_same_of_their_device() -> None:
    every = KINDS.parts().values()
    said = [one for kind in every for one in KINDS.alone(kind)]
    assert len(said) == len(set(said)) >= len(every)
    vipa = KINDS.find("vipa-c10")
    twin = replace(vipa, id="twin", version=0x7E, versions=(vipa.version,))
    assert set(KINDS.alone(twin)) & set(KINDS.alone(vipa)) and len(KINDS.alone(twin)) == 2
