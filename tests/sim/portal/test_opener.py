"""Profile, parser and address: each weakness lets its attack in, each defence stops it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from bed import INTERVAL_S, KEY, METER, Bed, payload, telegram
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.portal import reasons
from sim.portal.checks import ts
from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from tests.night import examples
from wmbus.afl import FCL_MAC, FCL_MCL, FCL_MCR, MCL_MCR, Afl
from wmbus.dissect import parse
from wmbus.ell import Ell
from wmbus.link import Address
from wmbus.telegram import build, seal
from wmbus.transport import Transport

OPEN = PortalSpec(pin_profile=False, checks=())
PINNED = PortalSpec(checks=())
AT_S = 5 * INTERVAL_S


def relength(body: bytes) -> bytes:
    return bytes((len(body),)) + body


def in_clear(tpl: int) -> bytes:
    return build(METER, 5, 0, payload(11, AT_S), security="none", tpl=tpl)


def n_zero() -> bytes:
    header = Transport(0x7A, acc=5, sts=0, cfg=0x0500)
    return seal(0x44, METER, b"\x2f\x2f" + payload(11, AT_S), header)


def with_mac(at: int | None) -> bytes:
    """Telegram 5 in mode 7 with a MAC of this kind, or without one."""
    genuine = parse(telegram(5, security="mode7", units=11))
    assert genuine.afl is not None and genuine.transport is not None
    if at is None:
        afl = Afl(FCL_MCL | FCL_MCR, MCL_MCR | 5, mcr=5)
        head = genuine.raw[1:10] + genuine.raw[10:13] + afl.wire()
        return relength(head + genuine.raw[genuine.transport.offset :])
    plaintext = b"\x2f\x2f" + payload(11, AT_S)
    plaintext += b"\x2f" * (-len(plaintext) % 16)
    afl = Afl(FCL_MCL | FCL_MCR | FCL_MAC, MCL_MCR | at, mcr=5, mac=b"")
    header = replace(genuine.transport)
    return seal(0x44, METER, plaintext, header, key=KEY, ell=Ell(0x8C, 0x20, 5), afl=afl)


DOWNGRADES = {
    "mode 0": ("mode5", in_clear(0x7A)),
    "CI 78": ("mode5", in_clear(0x78)),
    "long header in clear": ("mode5", in_clear(0x72)),
    "N = 0": ("mode5", n_zero()),
    "mode 0 for mode 7": ("mode7", in_clear(0x7A)),
    "mode 5 for mode 7": ("mode7", telegram(5, units=11)),
    "MAC stripped": ("mode7", with_mac(None)),
    "MAC of 2 bytes": ("mode7", with_mac(3)),
    "MAC of 4 bytes": ("mode7", with_mac(4)),
}


@pytest.mark.parametrize("name", DOWNGRADES)
def test_downgrade_passes_where_the_sender_is_honoured_and_not_where_the_profile_is_pinned(
    tmp_path: Path, name: str
) -> None:
    security, forged = DOWNGRADES[name]
    weak = Bed(tmp_path / "weak", OPEN, security=security)
    assert weak.hear(forged, AT_S) is None
    assert weak.portal.store.readings()[0].units == 11
    strong = Bed(tmp_path / "strong", PINNED, security=security)
    assert strong.hear(forged, AT_S) == reasons.PROFILE
    assert strong.kinds() == ["freshness"]
    assert strong.portal.store.refusals()[0].telegram == forged


def test_a_meter_agreed_as_clear_is_read_as_published(tmp_path: Path) -> None:
    b = Bed(tmp_path, PINNED, security="none")
    assert b.hear(in_clear(0x78), AT_S) is None
    assert b.hear(telegram(6), AT_S) == reasons.PROFILE


def test_a_stripped_mac_takes_the_counter_with_it(tmp_path: Path) -> None:
    """An unauthenticated counter is not believed: the replay passes mcr where the MAC is not insisted on."""
    spec = PortalSpec(pin_profile=False, checks=("mcr",))
    b = Bed(tmp_path, spec, security="mode7")
    assert b.hear(telegram(5, security="mode7"), AT_S) is None
    assert b.hear(with_mac(None), AT_S + 10) is None


def lowered_n() -> bytes:
    """L16: keep the first block of a genuine telegram, name one block, append what the attacker likes."""
    genuine = telegram(5, units=5678)
    head = bytearray(genuine[1:15])
    head[12] = 0x10  # N = 1
    return relength(bytes(head) + genuine[15:31] + b"\x0b\x6e\x11\x00\x00")


def appended() -> bytes:
    """L15: a whole genuine telegram and a second answer behind it, in clear."""
    return relength(telegram(5, units=5678)[1:] + b"\x0b\x6e\x11\x00\x00")


@pytest.mark.parametrize("forge", [lowered_n, appended])
def test_clear_tail(tmp_path: Path, forge: object) -> None:
    forged = forge()  # type: ignore[operator]
    weak = Bed(tmp_path / "weak", PortalSpec(strict=False, checks=()))
    assert weak.hear(forged, AT_S) is None
    assert weak.portal.store.readings()[0].units == 11  # the last answer stands
    strong = Bed(tmp_path / "strong", PINNED)
    assert strong.hear(forged, AT_S) == reasons.CLEAR_TAIL


def test_a_second_answer_in_another_coding(tmp_path: Path) -> None:
    """0B6E and 036E are two records to the protocol and one question to a bill."""
    agreed = telegram(5, units=5678, security="none")
    forged = relength(agreed[1:] + b"\x03\x6e\x0b\x00\x00")
    weak = Bed(tmp_path / "weak", PortalSpec(strict=False, checks=()), security="none")
    assert weak.hear(forged, AT_S) is None
    assert weak.portal.store.readings()[0].units == 11
    strong = Bed(tmp_path / "strong", PINNED, security="none")
    assert strong.hear(forged, AT_S) == reasons.BAD_RECORDS
    assert strong.hear(agreed, AT_S) is None


def test_lowered_n_loses_the_time_and_ts_sees_it(tmp_path: Path) -> None:
    b = Bed(tmp_path, PortalSpec(strict=False, checks=("ts",)))
    b.run([1, 2])
    assert b.hear(lowered_n(), AT_S) == ts.NO_TIME


def test_lowered_n_is_stopped_from_the_first_telegram_where_the_registry_knows_the_type(tmp_path: Path) -> None:
    entry = MeterEntry(METER, "mode5", sends_time=True)
    b = Bed(tmp_path, PortalSpec(strict=False, checks=("ts",)), entries=[entry])
    assert b.hear(lowered_n(), AT_S) == ts.NO_TIME


@pytest.mark.parametrize("strict", [True, False])
def test_two_answers_under_the_cipher(tmp_path: Path, strict: bool) -> None:
    b = Bed(tmp_path, PortalSpec(strict=strict, checks=()))
    raw = telegram(5, units=100, more=b"\x0b\x6e\x99\x00\x00")
    assert b.hear(raw, AT_S) == (reasons.BAD_RECORDS if strict else None)
    assert [row.units for row in b.portal.store.readings()] == ([] if strict else [99])


def test_changed_version_with_a_key_found_by_id_alone(tmp_path: Path) -> None:
    """L13, measured on a real receiver: 1234 becomes 91234. The version is part of the IV."""
    forged = bytearray(telegram(5, units=1234))
    forged[8] ^= 0x09
    weak = Bed(tmp_path / "weak", PortalSpec(whole_address=False, checks=()))
    assert weak.hear(bytes(forged), AT_S) is None
    row = weak.portal.store.readings()[0]
    assert (row.meter, row.units) == (str(METER), 91_234)
    strong = Bed(tmp_path / "strong", PINNED)
    assert strong.hear(bytes(forged), AT_S) == reasons.OTHER_ADDRESS
    assert strong.kinds() == ["freshness"]


@pytest.mark.parametrize(("security", "reason"), [("mode5", reasons.BAD_CIPHER), ("mode7", reasons.BAD_MAC)])
def test_changed_type_and_wrong_bytes(tmp_path: Path, security: str, reason: str) -> None:
    b = Bed(tmp_path, PINNED, security=security)
    genuine = telegram(5, security=security)
    other_type = bytearray(genuine)
    other_type[9] = 0x04
    assert b.hear(bytes(other_type), AT_S) == reasons.OTHER_ADDRESS
    flipped = bytearray(genuine)
    flipped[-32] ^= 0x01  # the first block of the ciphertext
    assert b.hear(bytes(flipped), AT_S) == reason
    assert b.hear(telegram(5, security=security, key=bytes(16)), AT_S) == reason


def test_unknown_meters_are_kept_and_counted_and_raise_nothing(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    ghost = Address("XYZ", "99999999", 1, 8)
    assert b.hear(telegram(1, meter=ghost), INTERVAL_S) == reasons.UNKNOWN_METER
    assert b.portal.counts["refused: unknown meter"] == 1
    assert b.portal.store.refusals()[0].meter == str(ghost)
    assert b.kinds() == []


def test_a_registered_meter_without_a_key(tmp_path: Path) -> None:
    b = Bed(tmp_path, keys={})
    assert b.hear(telegram(1), INTERVAL_S) == reasons.NO_KEY


def test_other_device_types(tmp_path: Path) -> None:
    """A water meter's volume and a heat meter's energy, as plain records."""
    water = Address("SEN", "12345678", 0x1B, 0x07)
    heat = Address("KAM", "87654321", 0x1B, 0x04)
    entries = [MeterEntry(address, "none") for address in (water, heat)]
    b = Bed(tmp_path, PINNED, entries=entries)
    assert b.hear(build(water, 1, 0, bytes.fromhex("0c1345230100"), security="none"), 1) is None
    assert b.hear(build(heat, 1, 0, bytes.fromhex("0c0645230100"), security="none"), 2) is None
    rows = b.portal.store.readings()
    assert (rows[0].volume_m3, rows[0].units) == (12.345, None)
    assert (rows[1].energy_kwh, rows[1].volume_m3) == (12_345.0, None)


def test_readable_but_without_a_consumption(tmp_path: Path) -> None:
    b = Bed(tmp_path, PINNED)
    raw = build(METER, 1, 0, bytes.fromhex("426c9f3c"), security="mode5", key=KEY)
    assert b.hear(raw, INTERVAL_S) == reasons.NO_VALUE


def _kept(b: Bed) -> int:
    """Telegrams that are a reading, a refusal or a copy, and those that are too short, kept with their bundle."""
    store = b.portal.store
    short = sum(one.reason == reasons.TOO_SHORT for one in store.evidence())
    return store.count_readings() + len(store.refusals()) + b.portal.counts["copies"] + short


@settings(max_examples=examples(60), deadline=None)
@given(st.data())
def test_nothing_that_arrives_stops_the_portal(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Random bytes, and genuine telegrams cut, stretched and bent anywhere, on the weakest and the strongest portal."""
    beds = _fuzzed(tmp_path_factory)
    raw = data.draw(st.one_of(st.binary(max_size=80), _bent()))
    for b in beds:
        before = _kept(b)
        b.hear(raw, 5)
        assert _kept(b) == before + 1  # whatever it is


@st.composite
def _bent(draw: st.DrawFn) -> bytes:
    raw = bytearray(telegram(draw(st.integers(0, 3)), security=draw(st.sampled_from(["none", "mode5", "mode7"]))))
    for _ in range(draw(st.integers(1, 3))):
        raw[draw(st.integers(1, len(raw) - 1))] = draw(st.integers(0, 255))
    raw = raw[: draw(st.integers(1, len(raw)))] + draw(st.binary(max_size=6))
    raw[0] = len(raw) - 1
    return bytes(raw)


_BEDS: list[Bed] = []


def _fuzzed(factory: pytest.TempPathFactory) -> list[Bed]:
    if not _BEDS:
        folder = factory.mktemp("fuzz")
        weakest = PortalSpec(pin_profile=False, whole_address=False, strict=False, checks=())
        _BEDS.extend(Bed(folder / str(i), spec) for i, spec in enumerate((weakest, PortalSpec())))
    return _BEDS
