"""What strict costs on telegrams that real meters sent, and how an agreed form pays it without opening a door."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sim.core.clock import Calendar
from sim.portal import reasons
from sim.portal.interpret import Values
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.odd_form import OddForm
from sim.portal.opener import Opened, Opener
from sim.portal.portal_spec import PortalSpec
from wmbus.dissect import Telegram, parse
from wmbus.errors import BadTelegram
from wmbus.link import Address
from wmbus.receiver import unlock
from wmbus.recover import recover
from wmbus.telegram import build
from wmbus.transport import RECORDS

VECTORS = Path(__file__).parents[2] / "vectors" / "telegrams.jsonl"
SECURITY: dict[int, Any] = {0: "none", 5: "mode5", 7: "mode7"}
CALENDAR = Calendar(datetime(2026, 1, 1, tzinfo=UTC))
STRICT, LENIENT = PortalSpec(), PortalSpec(strict=False)
KEY = bytes(range(16))
METER = Address("QDS", "10000001", 0x36, 0x08)


def opened(spec: PortalSpec, telegram: bytes, key: bytes | None, odd: OddForm | None = None) -> Opened:
    seen = parse(telegram)
    entry = MeterEntry(seen.address, SECURITY[seen.mode], odd=odd)
    keys = Keyring({} if key is None else {seen.address: key})
    return Opener(spec, CALENDAR, keys, Registry([entry])).open(telegram)


def field_telegrams() -> list[tuple[Telegram, bytes | None, OddForm]]:
    """Telegrams of real meters that a portal can open: in clear, or with the key that was published."""
    found = []
    for line in map(json.loads, VECTORS.read_text(encoding="utf-8").splitlines()):
        if line.get("synthetic"):
            continue
        try:
            telegram = parse(recover(bytes.fromhex(line["hex"])).frame)
            key = bytes.fromhex(line["key"]) if line["key"] else None
            if (telegram.ell is not None and telegram.ell.encryption) or telegram.ci not in RECORDS:
                continue
            unlocked = unlock(telegram, key, accept_clear_tail=True)
            found.append((telegram, key, OddForm.of(unlocked)))
        except (BadTelegram, ValueError):
            continue
    return found


def told(one: Opened) -> dict[str, Any]:
    return {} if one.values is None else {name: getattr(one.values, name) for name in Values.__slots__}


def test_the_price_of_strict_on_field_telegrams() -> None:
    """Of real meters' telegrams strict refuses some that carry a consumption; the form agreed for each type takes them
    all back, and changes no other."""
    price: Counter[str] = Counter()
    taken_back = 0
    rightly: Counter[str] = Counter()
    ran = 0
    for telegram, key, odd in field_telegrams():
        lenient, strict = opened(LENIENT, telegram.raw, key), opened(STRICT, telegram.raw, key)
        agreed = opened(STRICT, telegram.raw, key, odd)
        ran += 1
        if lenient.reason is None and strict.reason is not None:
            price[strict.reason] += 1
            taken_back += agreed.reason is None
            if agreed.reason is not None:
                rightly[telegram.address.manufacturer] += 1
        else:
            assert (agreed.reason is None) == (strict.reason is None), telegram.raw.hex()
            assert strict.reason is not None or told(agreed) == told(strict), telegram.raw.hex()
    print(f"{ran} field telegrams opened; strict refuses {dict(price)}; {taken_back} come back as agreed")
    assert ran >= 134
    assert rightly == {"BFW": 2}  # its payload is its own although its header says records: strict is right
    assert taken_back == sum(price.values()) - 2 == 4
    assert set(price) == {reasons.BAD_RECORDS, reasons.CLEAR_TAIL}


ONCE = bytes.fromhex("0b6e27010004") + bytes.fromhex("6d200b7422")
TWICE = bytes.fromhex("0b6e270100046d200b74220b6e990900")
ODD = OddForm((b"\x0b\x6e", b"\x04\x6d", b"\x0b\x6e"))


def sent(records: bytes, tail: bytes = b"") -> bytes:
    frame = build(METER, 5, 0, records, security="mode5", key=KEY)
    return bytes((frame[0] + len(tail),)) + frame[1:] + tail


def test_of_a_chain_that_stands_twice_the_first_answers() -> None:
    assert opened(STRICT, sent(TWICE), KEY).reason == reasons.BAD_RECORDS
    agreed = opened(STRICT, sent(TWICE), KEY, ODD)
    assert agreed.reason is None
    assert agreed.values is not None
    assert agreed.values.units == 127


@pytest.mark.parametrize(
    ("telegram", "reason"),
    [
        (sent(TWICE + bytes.fromhex("0b6e010000")), reasons.BAD_RECORDS),  # a third answer
        (sent(TWICE + bytes.fromhex("426c5f2c426c5f2d")), reasons.BAD_RECORDS),  # another chain repeated
        (sent(TWICE, bytes.fromhex("0b6e010000")), reasons.CLEAR_TAIL),  # appended in clear
        (sent(ONCE), None),  # its plain form is taken as ever
    ],
)
def test_what_departs_from_the_agreed_form_is_judged_strictly(telegram: bytes, reason: str | None) -> None:
    assert opened(STRICT, telegram, KEY, ODD).reason == reason


def test_no_value_comes_from_bytes_that_nobody_encrypted() -> None:
    """A clear tail was agreed; an attacker fills it with records of the same length."""
    tail = bytes.fromhex("0b6e999900")
    odd = OddForm((b"\x0b\x6e", b"\x04\x6d"), 0, len(tail))
    forged = opened(STRICT, sent(ONCE, tail), KEY, odd)
    assert forged.reason is None
    assert forged.values is not None
    assert forged.values.units == 127
    assert opened(LENIENT, sent(ONCE, tail), KEY).values.units != 127  # type: ignore[union-attr]
    assert opened(STRICT, sent(ONCE, tail + b"\x2f"), KEY, odd).reason == reasons.CLEAR_TAIL


def test_no_real_meter_tells_two_values_of_one_set_date() -> None:
    """What the alarm `set date` would cost: the published telegrams that tell a set date and its units, by meter."""
    told_of: dict[tuple[str, object], list[object]] = {}
    for telegram, key, _ in field_telegrams():
        values = opened(LENIENT, telegram.raw, key).values
        if values is not None and values.set_date is not None and values.set_date_units is not None:
            told_of.setdefault((str(telegram.address), values.set_date), []).append(values.set_date_units)
    counts = [len(values) for values in told_of.values()]
    assert (sum(counts), len(counts), sum(count > 1 for count in counts)) == (11, 9, 1)
    assert all(len(set(values)) == 1 for values in told_of.values())
