"""Every meter type against published telegrams of it, in both directions, and against an independent reader."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pymbusparser
import pytest

from sim.core.vocabulary import Security
from sim.meters.encodings import encoder
from sim.meters.meter_type import Example, Kind, Slot, UnknownKind, kind, kinds
from sim.meters.quantities import QUANTITIES
from wmbus import telegram
from wmbus.records import parse_records

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
    assert bytes(one.records_many(list(values), 2)[1]) == records
    assert bytes(one.records_many([np.array([0, value]) for value in values], 2)[1]) == records


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
    """Every record parses alone, no two ask the same question, and somebody can answer each."""
    records = parse_records(one.template)
    assert [record.wire() for record in records] == [
        row.head + bytes(row.width * len(row.backs)) for row in one.fields
    ]
    assert len(one.template) == one.records_bytes
    assert all(slot.quantity in QUANTITIES or slot.quantity in one.constants for slot in one.slots)
    assert len({slot.label for slot in one.slots}) == len(one.slots)
    assert one.examples, "a type without a published telegram is a guess"


def test_an_unknown_type_is_named_with_its_neighbours() -> None:
    with pytest.raises(UnknownKind, match=r"no meter type 'vipa-c1'; known, nearest first: vipa-c10, "):
        kind("vipa-c1")


def test_records_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="bytes of records"):
        kind("vipa-c10").read(b"\x02")
    with pytest.raises(ValueError, match="byte 0 should begin 02fd17"):
        kind("vipa-c10").read(bytes(kind("vipa-c10").records_bytes))
