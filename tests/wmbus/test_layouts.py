"""Records read by the layout of the payload before are those that are read without one, whatever came in between."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wmbus import records
from wmbus.errors import BadTelegram
from wmbus.records import parse_records

PAYLOADS = [
    bytes.fromhex(one)
    for one in (
        "02fd170000046d0a0ce1220b6e270100426c5f2c4b6e990900",  # of fixed lengths
        "2f2f0b6e2701002f046d0a0ce1222f2f",  # with fill bytes
        "0d7808313233343536373804131234567802fd17000f",  # with an LVAR
        "0b6e2701000f0102030405060708",  # with a maker's tail
        "0b6e270100046d0a0ce1220b6e990900",  # a chain twice
        "0b6e27010004",  # cut off
        "2f2f2f2f",
        "",
    )
]


def read(payload: bytes, *, strict: bool, offset: int) -> list[tuple[object, ...]] | str:
    try:
        found = parse_records(payload, strict=strict, offset=offset)
    except BadTelegram as error:
        return f"{error.reason} {error.detail} {error.offset}"
    return [(one.chain.dif_vif, repr(one.value), one.raw, one.offset, one.quantity) for one in found]


def alone(payload: bytes, *, strict: bool, offset: int) -> list[tuple[object, ...]] | str:
    records._LAYOUTS.clear()
    return read(payload, strict=strict, offset=offset)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 40))
def test_what_was_read_before_changes_nothing(seed: int, offset: int) -> None:
    draw = random.Random(seed)
    stream = []
    for _ in range(12):
        payload = bytearray(draw.choice(PAYLOADS))
        for _ in range(draw.choice((0, 1, 1, 3))):
            if payload:
                payload[draw.randrange(len(payload))] = draw.choice((0x00, 0x2F, 0x0B, 0x6E, 0x0F, 0xFF, 0x08, 0x7A))
        stream.append((bytes(payload), draw.random() < 0.5))
    wanted = [alone(payload, strict=strict, offset=offset) for payload, strict in stream]
    records._LAYOUTS.clear()
    assert [read(payload, strict=strict, offset=offset) for payload, strict in stream] == wanted


def test_the_same_records_with_other_values_are_read_by_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    records._LAYOUTS.clear()
    first = bytes.fromhex("0b6e270100426c5f2c0d7802313204130a000000")
    other = bytes.fromhex("0b6e990900426c5f2d0d7802373804130b000000")
    wanted = alone(other, strict=True, offset=3)
    read(first, strict=True, offset=0)
    monkeypatch.setattr(records, "chain_end", lambda *_: pytest.fail("it was read the long way"))
    monkeypatch.setattr(records, "chain", lambda *_: pytest.fail("it was read the long way"))
    assert read(other, strict=True, offset=3) == wanted


def test_only_so_many_layouts_are_kept() -> None:
    records._LAYOUTS.clear()
    for length in range(records._LAYOUTS_MOST + 20):
        parse_records(b"\x2f" * (length + 2) + b"\x0b\x6e\x27\x01\x00")
    assert len(records._LAYOUTS) <= records._LAYOUTS_MOST
