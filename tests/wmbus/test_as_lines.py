"""A line written by the form of an earlier telegram is the line that the telegram has by itself, letter by letter."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest
from published import telegrams

from bench.fuzz.mutations import mutate
from sim.core.seeds import Seeds
from sim.core.vocabulary import Security
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from tests.night import examples
from wmbus import as_lines
from wmbus.as_json import to_json
from wmbus.as_lines import AsLines, to_line
from wmbus.compact import Formats
from wmbus.link import Address, add_crcs_a, add_crcs_b
from wmbus.receiver import Switches
from wmbus.telegram import build

SHOWING: Switches = {
    "honour_sender_mac": True, "require_mac": False, "accept_clear_tail": True, "accept_n_zero": True,
}  # fmt: skip
Sent = tuple[bytes, bytes | None]
KEY = bytes(range(16))
RECORDS = bytes.fromhex("02fd170000046d0a0ce1220b6e270100426c5f2c4b6e990900")


def by_itself(stream: Iterable[Sent], switches: Switches) -> list[str]:
    formats = Formats()
    return [json.dumps(to_json(data, key, strict=False, formats=formats, **switches)) for data, key in stream]


def in_a_row(stream: Iterable[Sent], switches: Switches) -> list[str]:
    lines = AsLines(strict=False, formats=Formats(), switches=switches)
    return [lines.line(data, key) for data, key in stream]


@pytest.fixture
def read_at_length(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many telegrams were, instead of by a form."""
    count = 0
    whole = as_lines.read_as_json

    def counted(*words: object) -> object:
        nonlocal count
        count += 1
        return whole(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(as_lines, "read_as_json", counted)
    return lambda: count


def fleet(security: Security, meters: int = 12, kind: str = "vipa-c10") -> list[Sent]:
    one = Fleet([FleetSpec("lines", kind, meters, security=security)], Seeds(1), start=datetime(2026, 2, 1, tzinfo=UTC))
    return [(one.telegram(meter, k), one.key(meter)) for k in range(2) for meter in range(meters)]


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("security", ["none", "mode5", "mode7"])
def test_a_fleet_is_written_by_one_form(security: Security, keyed: bool, read_at_length: Callable[[], int]) -> None:
    stream = [(data, key if keyed else None) for data, key in fleet(security)]
    assert in_a_row(stream, SHOWING) == by_itself(stream, SHOWING)
    assert read_at_length() == 1


@pytest.mark.parametrize("add_crcs", [add_crcs_a, add_crcs_b])
def test_crcs_are_told_by_the_form_too(add_crcs: Callable[[bytes], bytes], read_at_length: Callable[[], int]) -> None:
    stream = [sent for data, key in fleet("none", 4) for sent in ((data, key), (add_crcs(data), key))]
    assert in_a_row(stream, SHOWING) == by_itself(stream, SHOWING)
    assert read_at_length() == 2


def test_a_wrong_key_and_a_damaged_mac_are_refused_beside_the_form() -> None:
    for security in ("mode5", "mode7"):
        stream = fleet(security, 3)
        data, key = stream[-1]
        damaged = bytearray(data)
        damaged[-1] ^= 1
        stream += [(data, KEY), (bytes(damaged), key), (data, None), (data, key)]
        lines = in_a_row(stream, SHOWING)
        assert lines == by_itself(stream, SHOWING)
        assert '"wrong-key"' in lines[-4] or '"mac-wrong"' in lines[-4]
        assert '"key-missing"' in lines[-2]


def test_a_telegram_that_somebody_decrypted_is_odd_beside_the_form() -> None:
    """The same headers, and a payload that was sealed in one and is clear in the other."""
    sealed = build(Address("QDS", "10000001", 53, 8), 5, 0, RECORDS, security="mode5", key=KEY)
    payload = b"\x2f\x2f" + RECORDS
    clear = sealed[:15] + payload + b"\x2f" * (len(sealed) - 15 - len(payload))
    for switches in (SHOWING, {**SHOWING, "accept_already_decrypted": True}):
        stream = [(sealed, KEY), (sealed, None), (clear, KEY), (clear, None), (sealed, KEY)]
        assert in_a_row(stream, switches) == by_itself(stream, switches)


def test_two_addresses_that_are_one_and_that_are_not() -> None:
    """Whether the link layer's address is told of is a matter of the ids, not of where they stand."""
    one = build(Address("QDS", "10000001", 53, 8), 5, 0, RECORDS, security="none", tpl=0x72)
    other = bytearray(one)
    other[4:8] = bytes.fromhex("02000010")
    stream: list[Sent] = [(data, None) for data in (one, bytes(other), one, bytes(other))]
    lines = in_a_row(stream, SHOWING)
    assert lines == by_itself(stream, SHOWING)
    assert ["link_address" in line for line in lines] == [False, True, False, True]


def test_every_published_telegram_in_a_stream() -> None:
    """Each twice, so that its own form is there; with its key, without, and as decrypted logs have it."""
    for switches in (SHOWING, {**SHOWING, "accept_already_decrypted": True}):
        stream = [
            (data, key)
            for one in telegrams()
            for data, key in ((one.wire, one.key), (one.wire, None), (one.wire, one.key), (one.wire, None))
        ]
        assert in_a_row(stream, switches) == by_itself(stream, switches)


def test_what_differs_in_a_byte_anywhere_is_what_it_is_by_itself() -> None:
    """Mutants between genuine ones of their form: nearly all are alike in headers or in layout, and not in both."""
    dice = random.Random(1)
    genuine = [sent for security in ("none", "mode5", "mode7") for sent in fleet(security, 2)]
    genuine += [(one.wire, one.key) for one in telegrams()[::9]]
    stream = []
    for _ in range(examples(500)):
        data, key = dice.choice(genuine)
        changed = bytearray(data)
        changed[dice.randrange(1, min(30, len(data)))] ^= 1 << dice.randrange(8)
        stream += [(data, key), (bytes(changed), key), (mutate(data, dice), dice.choice([key, None]))]
    assert in_a_row(stream, SHOWING) == by_itself(stream, SHOWING)


def test_strict_lines_have_no_forms(read_at_length: Callable[[], int]) -> None:
    lines = AsLines(strict=True, formats=Formats(), switches={})
    stream = fleet("mode5", 2)
    assert [lines.line(*sent) for sent in stream] == [json.dumps(to_json(*sent)) for sent in stream]
    assert read_at_length() == len(stream)


def test_members_of_the_callers_stand_before_the_records() -> None:
    data, key = fleet("mode5", 1)[0]
    for given in (key, None):
        line = json.loads(to_line(data, given, strict=False, beside={"reception": {"mode": "T1"}}))
        assert line.pop("reception") == {"mode": "T1"}
        assert line == to_json(data, given, strict=False)
