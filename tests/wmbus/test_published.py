"""Every published telegram: parse, check the MAC, decrypt, compare the values, encode back to the same bytes.

A test here prints how many telegrams it covered and fails when that number falls.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime

import pytest
from expected_exceptions import EXCEPTIONS
from published import (
    BYTES_BEYOND_L,
    CLEAR_TAIL,
    COMPACT,
    CUT_RECORDS,
    DUPLICATES,
    NO_KEY,
    PROPRIETARY,
    REFUSED,
    Published,
    telegrams,
)

from wmbus import link, profiles, transport
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.records import UNREADABLE, Record, encode_record, parse_records
from wmbus.telegram import Unlocked, interpret, parse, read, seal, unlock

READABLE = [
    t
    for t in telegrams()
    if t.line not in NO_KEY
    and t.line not in REFUSED
    and t.line not in COMPACT
    and parse(t.frame).ci not in transport.MANUFACTURER
]


def opened(t: Published) -> Unlocked:
    return unlock(
        parse(t.frame),
        t.key,
        accept_already_decrypted=t.already_decrypted,
        accept_clear_tail=t.line in CLEAR_TAIL,
    )


def test_every_telegram_parses_without_a_key():
    ran = 0
    for t in telegrams():
        telegram = parse(t.frame)
        layers = t.record["layers"]
        assert (telegram.ell is not None) == any(x.startswith("ELL") for x in layers), t
        assert (telegram.afl is not None) == any(x.startswith("AFL") for x in layers), t
        if telegram.ci is not None:
            assert f"{telegram.ci:02X}" == t.record["ci"], t
        if isinstance(t.record["mode"], int):
            assert telegram.mode == t.record["mode"], t
        if t.record["tpl_id"]:
            assert telegram.address.id.lower() == t.record["tpl_id"].lower(), t
        ran += 1
    print(f"{ran} telegrams parsed; {len(BYTES_BEYOND_L)} of them cut at L")
    assert ran == 345


def test_every_keyed_telegram_decrypts_and_checks_its_mac():
    ran, macs = 0, 0
    for t in telegrams():
        if t.key is None or t.line in REFUSED or parse(t.frame).ci in transport.MANUFACTURER:
            continue
        unlocked = opened(t)
        ran += 1
        if unlocked.mode == 7:
            assert unlocked.mac_ok is True, t
            macs += 1
        if unlocked.mode in (5, 7):
            assert unlocked.decrypted, t
            assert unlocked.plaintext[:2] == b"\x2f\x2f", t
    print(f"{ran} telegrams decrypted, {macs} MACs right")
    assert (ran, macs) == (53, 20)


def test_a_wrong_key_is_refused_for_every_keyed_telegram():
    for t in telegrams():
        if t.key is None or t.line in REFUSED or parse(t.frame).ci in transport.MANUFACTURER:
            continue
        wrong = bytes([t.key[0] ^ 1]) + t.key[1:]
        with pytest.raises(BadTelegram) as refused:
            unlock(parse(t.frame), wrong, accept_clear_tail=True)
        assert refused.value.reason in (Reason.WRONG_KEY, Reason.MAC_WRONG), t


@pytest.mark.parametrize("line", sorted(REFUSED))
def test_what_has_to_be_refused(line):
    t = telegrams()[line]
    with pytest.raises(BadTelegram) as refused:
        opened(t)
    assert refused.value.reason.value == REFUSED[line][0]


def test_a_telegram_without_its_key_says_so():
    for line in NO_KEY:
        with pytest.raises(BadTelegram) as refused:
            opened(telegrams()[line])
        assert refused.value.reason is Reason.KEY_MISSING


def test_manufacturer_telegrams_are_named_not_guessed():
    ran = 0
    for t in telegrams():
        if parse(t.frame).ci in transport.MANUFACTURER:
            with pytest.raises(BadTelegram) as refused:
                read(t.frame)
            assert refused.value.reason is Reason.MANUFACTURER_SPECIFIC, t
            ran += 1
    assert ran == 48


def test_strict_reading_of_every_readable_telegram():
    ran = 0
    for t in READABLE:
        unlocked = opened(t)
        if unlocked.telegram.ci in transport.COMPACT:
            continue
        if t.line in PROPRIETARY or t.line in DUPLICATES or t.line in CUT_RECORDS:
            with pytest.raises(BadTelegram) as refused:
                interpret(unlocked)
            reason = refused.value.reason
            assert reason is Reason.DUPLICATE_RECORD or (reason is Reason.BAD_RECORD and t.line not in DUPLICATES), t
            lenient = interpret(unlocked, strict=False).records
            if t.line in CUT_RECORDS:
                assert lenient[-1].quantity == UNREADABLE, t
            continue
        assert interpret(unlocked).records or not unlocked.plaintext.strip(b"\x2f"), t
        ran += 1
    print(f"{ran} telegrams read strictly")
    assert ran >= 257


def test_clear_tails_are_refused_unless_asked_for():
    for line in CLEAR_TAIL:
        t = telegrams()[line]
        with pytest.raises(BadTelegram) as refused:
            unlock(parse(t.frame), t.key)
        assert refused.value.reason is Reason.CLEAR_TAIL, t
        assert unlock(parse(t.frame), t.key, accept_clear_tail=True).clear_tail


# --- back to the same bytes -------------------------------------------------------------------------------------


def test_every_telegram_encodes_back_to_the_same_bytes():
    ran = 0
    for t in telegrams():
        telegram = parse(t.frame)
        if t.line in NO_KEY or t.line in REFUSED or telegram.ci in transport.MANUFACTURER:
            layers = link.Address.wire(telegram.link_address)
            for layer in (telegram.ell, telegram.afl, telegram.transport):
                layers += layer.wire() if layer is not None else b""
            assert t.frame[2:] == layers + telegram.payload, t
        else:
            unlocked = opened(t)
            inner = unlocked.telegram
            key = t.key if unlocked.decrypted else None
            again = seal(
                inner.c_field,
                inner.link_address,
                unlocked.plaintext,
                inner.transport,
                key=key,
                ell=inner.ell,
                afl=inner.afl if key is None or inner.afl is None else replace(inner.afl, mac=bytes(8)),
                clear_tail=unlocked.clear_tail,
            )
            assert again == t.frame, t
            if "format A" in t.record["kind"]:
                assert link.add_crcs_a(again) == t.wire
            if "format B" in t.record["kind"]:
                assert link.add_crcs_b(again) == t.wire
        ran += 1
    print(f"{ran} telegrams encoded back to the same bytes")
    assert ran == 345


NOT_UNIQUE = "hundred-year, summer-time or status bits of a date; LVAR code; sign of zero"


def test_every_record_encodes_back_from_its_value():
    """A record is made anew from its chain and value; where the value has several codings the bytes may differ, but
    they decode to the same value."""
    same, other, none = 0, 0, 0
    for t in READABLE:
        unlocked = opened(t)
        if unlocked.telegram.ci in transport.COMPACT or t.line in PROPRIETARY:
            continue
        records = parse_records(unlocked.plaintext, strict=False)
        rest = unlocked.plaintext
        for record in records:
            if record.chain.size < 0 and record.quantity in ("manufacturer data", UNREADABLE):
                continue
            assert rest[record.offset :].startswith(record.wire())
            if record.value is None:
                none += 1
                continue
            again = encode_record(record.dif_vif, record.value)
            if again == record.wire():
                same += 1
                continue
            other += 1
            if record.chain.size == 8 and isinstance(record.value, float):
                continue  # 64 bits and a fraction do not fit a double
            assert record.chain.is_date or record.chain.data_field in (0xD, 0x5), (t, record, again.hex())
            assert parse_records(again)[0].value == record.value, NOT_UNIQUE
    print(f"{same} records byte for byte, {other} with another coding of the same value, {none} without a value")
    assert same >= 1900
    assert other <= 68


# --- expected values ----------------------------------------------------------------------------------------------

UNITS = {
    "_hca": ("HCA", 1),
    "_m3": ("m3", 1),
    "_kwh": ("Wh", 1e-3),
    "_kw": ("W", 1e-3),
    "_m3h": ("m3/h", 1),
    "_v": ("V", 1),
    "_hz": ("Hz", 1),
    "_bar": ("bar", 1),
    "_kvarh": ("varh", 1e-3),
    "_kvah": ("VAh", 1e-3),
    "_c": ("°C", 1),
    "_rh": ("%", 1),
}
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def values_in(records: list[Record], suffix: str) -> list[float]:
    """Every number among the records that this suffix could mean."""
    out: list[float] = []
    unit, factor = UNITS.get(suffix, ("", 1))
    for r in records:
        if not isinstance(r.value, (int, float)):
            continue
        if r.unit == unit and suffix in UNITS:
            out.append(r.value * factor)
        elif (suffix, r.unit) in (("_kwh", "J"), ("_kw", "J/h")):
            out.append(r.value / 3.6e6)
        elif suffix == "_c" and r.unit == "K":
            out.append(r.value)
        elif suffix == "_m3h" and r.unit == "m3/min":
            out.append(r.value * 60)
        elif suffix in ("_h", "_s", "_y") and r.unit in SECONDS:
            seconds = r.value * SECONDS[r.unit]
            out.append(seconds / {"_h": 3600, "_s": 1, "_y": 365 * 86400}[suffix])
            out.append(seconds / {"_h": 3600, "_s": 1, "_y": 365.2425 * 86400}[suffix])
    return out


NUMBER = re.compile(r"_(hca|m3|kwh|kw|m3h|v|hz|bar|kvarh|kvah|c|rh|h|s|y)$")
DAY = re.compile(r"^\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?$")


def missing_values(t: Published, records: list[Record]) -> list[str]:
    days: set[str] = set()
    points = [p for r in records if profiles.is_profile(r) for p in profiles.expand(r, records)]
    days |= {str(p.when) for p in points}
    for r in records:
        if isinstance(r.value, datetime):
            days |= {r.value.strftime("%Y-%m-%d %H:%M"), r.value.strftime("%Y-%m-%d %H:%M:%S")}
            days.add(r.value.strftime("%Y-%m-%d"))
        elif isinstance(r.value, date):
            days |= {r.value.isoformat(), r.value.isoformat() + " 00:00"}
    missing = []
    for name, value in t.expected.items():
        if value is None or name in ("id", "media", "meter", "m"):
            continue
        unit = NUMBER.search(name)
        if isinstance(value, (int, float)) and unit:
            found = values_in(records, unit.group())
            if unit.group() in ("_hca", "_m3"):
                found += [p.value for p in points if p.value is not None]
            if not any(abs(value - x) <= 6e-7 * max(1.0, abs(value)) + 1e-9 for x in found):
                missing.append(f"{name}={value}")
        elif isinstance(value, str) and DAY.match(value) and value not in days:
            missing.append(f"{name}={value}")
    return missing


def test_expected_values():
    ran = values = 0
    failures = {}
    for t in READABLE:
        if t.line in PROPRIETARY:
            continue
        unlocked = opened(t)
        if unlocked.telegram.ci in transport.COMPACT:
            continue
        records = interpret(unlocked, strict=False).records
        missing = [m for m in missing_values(t, records) if m.split("=")[0] not in EXCEPTIONS.get(t.line, {})]
        if missing:
            failures[str(t)] = missing
        ran += 1
        values += sum(
            1
            for n, v in t.expected.items()
            if (isinstance(v, (int, float)) and NUMBER.search(n)) or (isinstance(v, str) and DAY.match(v))
        )
        values -= len(EXCEPTIONS.get(t.line, {}))
    print(f"{ran} telegrams, {values} expected values compared, {sum(map(len, EXCEPTIONS.values()))} exceptions")
    assert not failures, failures
    assert ran == 270
    assert values >= 1500


def test_cannot_encode_is_ours():
    with pytest.raises(CannotEncode):
        encode_record(bytes.fromhex("026e"), 40000)
