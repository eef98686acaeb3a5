"""The intake against the portal in words: the same bundles give the same readings, refusals and copies."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrays import ciphers
from sim.meters.fleet import Fleet
from sim.portal import window
from sim.portal.check import NONE, check_ids
from sim.portal.freshness import look, mark
from sim.portal.meter_table import MeterTable, address_of, number_of
from sim.portal.portal_spec import PortalSpec
from sim.portal.reception_batch import Batch
from sim.portal.sort_by_meter import grouped
from sim.portal.verdicts import names
from tests.night import examples
from tests.oracles.portal_window import BEHIND, NEW, SEEN, Window
from tests.sim.portal.bed import bcd
from tests.sim.portal.twins import GATEWAYS, Twins, entries_of, one_of_each, sorts
from wmbus.telegram import build

N = sorts()


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return one_of_each()


@pytest.fixture(params=ciphers.engines())
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    ciphers.use(request.param)
    yield
    ciphers.use(None)


def genuine(fleet: Fleet, meter: int, k: int, gateway: int = 0, late_s: float = 0.0) -> tuple[str, bytes, float]:
    return GATEWAYS[gateway], fleet.telegram(meter, k), fleet.start_ns(meter, k) / 1e9 + 0.1 + late_s


@pytest.mark.usefixtures("engine")
def test_every_type_in_every_mode(fleet: Fleet) -> None:
    twins = Twins(fleet)
    for k in range(3):
        heard = [genuine(fleet, m, k, g) for m in range(N) for g in (0, 1)]
        twins.take(heard, 900.0 * (k + 1))
    twins.check()
    assert twins.many.counts == {"stored": 3 * N, "copies": 3 * N}
    assert twins.many.opening.one_at_a_time == 0  # nothing genuine takes the slow way


# --- what goes wrong, drawn -----------------------------------------------------------------------------------------

KINDS = (
    "genuine", "copy", "replay", "flip", "wrong key", "unknown", "cut", "mode 0", "other version", "foreign gateway",
    "late", "longer", "old k", "jump", "no time", "ell", "long header", "n zero", "random", "claimed time", "one byte",
    "twice",  # a second answer in another coding
    "huge",  # a number that no meter counts to
)  # fmt: skip


def made(fleet: Fleet, kind: str, meter: int, k: int, salt: int) -> tuple[str, bytes, float]:
    """One reception of this kind, as if now were telegram k's time."""
    gateway, raw, at_s = genuine(fleet, meter, k, salt % 2)
    security, key = fleet.security(meter), fleet.key(meter)
    address = fleet.address(meter)
    if kind == "copy":
        return genuine(fleet, meter, k, 1 - salt % 2, (salt % 5) - 2.0)
    if kind == "replay":
        return genuine(fleet, meter, max(0, k - 1 - salt % 3), salt % 2, 30.0 + 900.0 * (1 + salt % 3))
    if kind == "flip":
        changed = bytearray(raw)
        changed[1 + salt % (len(raw) - 1)] ^= 1 << salt % 8
        return gateway, bytes(changed), at_s
    if kind in ("wrong key", "n zero", "long header", "no time"):
        records = b"\x0b\x6e" + bcd(salt % 1_000, 3) + b"\x4b\x6e" + bcd(7, 3) + b"\x42\x6c\x5f\x2c"
        if kind != "no time" and salt % 2:
            records += b"\x04\x6d" + (at_s // 60).__int__().to_bytes(4, "little")
        own = key if kind != "wrong key" or key is None else bytes(reversed(key))
        again = bytearray(build(
            address, fleet.acc(meter, k), 0, records, security=security, key=own, counter=fleet.counter(meter, k),
            tpl=0x72 if kind == "long header" else 0x7A,
        ))  # fmt: skip
        if kind == "n zero" and security == "mode5":
            again[13] &= 0x0F
        return gateway, bytes(again), at_s
    if kind == "unknown":
        return gateway, raw[:4] + bytes(byte ^ 0x11 for byte in raw[4:8]) + raw[8:], at_s
    if kind == "other version":
        return gateway, raw[:8] + bytes((raw[8] ^ 1,)) + raw[9:], at_s
    if kind == "cut":
        short = raw[: max(1, salt % len(raw))]
        return gateway, (bytes((len(short) - 1,)) + short[1:]) if salt % 2 else short, at_s
    if kind == "longer":
        tail = bytes((0x2F, 0x0B, 0x6E, 0x99)[: 1 + salt % 4])
        return gateway, bytes((raw[0] + len(tail),)) + raw[1:] + tail if raw[0] < 250 else raw, at_s
    if kind == "twice":
        return gateway, bytes((raw[0] + 5,)) + raw[1:] + b"\x03\x6e" + salt.to_bytes(3, "little"), at_s
    if kind == "huge":
        huge = b"\x05\x6e\xe6\xb1\x61\x7f"  # 3e38
        counter = fleet.counter(meter, k)
        return gateway, build(address, k & 0xFF, 0, huge, security=security, key=key, counter=counter), at_s
    if kind == "mode 0":
        return gateway, build(address, fleet.acc(meter, k), 0, b"\x0b\x6e" + bcd(5, 3), security="none"), at_s
    if kind == "ell":
        return gateway, bytes((raw[0] + 3,)) + raw[1:10] + b"\x8c\x20\x01" + raw[10:] if raw[0] < 250 else raw, at_s
    if kind == "foreign gateway":
        return GATEWAYS[2], raw, at_s
    if kind == "late":
        return gateway, raw, at_s - 3_000.0 * (salt % 3)
    if kind == "old k":
        return genuine(fleet, meter, k // 2, salt % 2)
    if kind == "jump":
        return genuine(fleet, meter, k + 130 * (1 + salt % 9), salt % 2)
    if kind == "random":
        return gateway, np.random.default_rng(salt).bytes(salt % 80), at_s
    if kind == "claimed time":
        return gateway, raw, float((-1) ** salt * 10 ** (salt % 9))
    if kind == "one byte":
        return gateway, b"", at_s
    return gateway, raw, at_s


receptions = st.tuples(st.sampled_from(KINDS), st.integers(0, N - 1), st.integers(0, 1_000))
takes = st.lists(st.lists(receptions, max_size=14), min_size=1, max_size=7)
specs = st.builds(
    PortalSpec,
    checks=st.sampled_from([check_ids(), (), *((one,) for one in check_ids()), ("ts", "age"), ("acc", "mcr")]),
    pin_profile=st.sampled_from([True, True, False]), strict=st.sampled_from([True, True, False]),
    whole_address=st.sampled_from([True, True, True, False]), age_max_s=st.sampled_from([1_800.0, 60.0]),
)  # fmt: skip


@settings(max_examples=examples(30), deadline=None)
@given(takes=takes, spec=specs, sends_time=st.sampled_from([None, None, True, False]), pause=st.integers(1, 200))
def test_whatever_arrives_is_judged_alike(
    takes: list[list[tuple[str, int, int]]], spec: PortalSpec, sends_time: bool | None, pause: int
) -> None:
    fleet = one_of_each()
    entries = entries_of(fleet, sends_time=sends_time)
    entries[3] = dataclasses.replace(entries[3], planned_silence_s=3_600.0)
    entries[5] = dataclasses.replace(entries[5], interval_s=60.0)
    twins = Twins(fleet, spec, entries=entries[:-2], keyless=[7])
    k = 0
    for heard in takes:
        rows = [made(fleet, kind, meter, k, salt) for kind, meter, salt in heard]
        twins.take(rows, 900.0 * (k + 1) + 30)
        k += 1 if pause < 100 else pause
    twins.check()


def test_each_reason_is_reached(fleet: Fleet) -> None:
    """The draws above are no idle ones: together they come to every reason."""
    seen: set[str] = set()
    for checks in (check_ids(), ("ts", "age"), ("age",)):
        spec = PortalSpec(checks=checks)
        twins = Twins(fleet, spec, entries=entries_of(fleet)[:-1], keyless=[1])
        for k in range(1, 6):
            rows = [made(fleet, kind, (7 * at + k) % N, k, 13 * at + k) for at, kind in enumerate(KINDS * 8)]
            twins.take(rows, 900.0 * (k + 1) + 30)
        early = [genuine(fleet, m, 30) for m in range(N)]
        twins.take(early, 9_000.0)
        twins.take([genuine(fleet, m, 2, 0) for m in range(N)], 90_000.0)
        twins.take([genuine(fleet, m, 1_400) for m in range(N)], 900.0 * 1_401)
        twins.take([genuine(fleet, m, 2, 0, 900.0 * 1_400) for m in range(N)], 900.0 * 1_403)
        twins.check()
        assert twins.many.opening.one_at_a_time > 0
        seen |= {key.removeprefix("refused: ") for key in twins.many.counts}
    assert set(names()) - seen == {""}, "drawn receptions (KINDS, `made`) come to every reason of every check"


def test_a_check_without_words_is_said(fleet: Fleet) -> None:
    with pytest.raises(AssertionError, match=r"no words for check 'soon'; say what it refuses in tests\.oracles\."):
        Twins(fleet, PortalSpec(checks=("acc", "soon")))


def test_windows_carry_over_takes_and_wrap(fleet: Fleet) -> None:
    """Access numbers wrap after 256 telegrams; what was seen long ago is behind every window."""
    twins = Twins(fleet)
    meters = [m for m in range(N) if m % 5 == 0]
    for k in [*range(40), 45, 44, 60, 59, 170, 169, 300, 299, 1_400, 1_399, 400]:
        twins.take([genuine(fleet, m, k) for m in meters], 900.0 * (k + 1) + 30)
        twins.take([genuine(fleet, m, max(0, k - 30), 1, 10.0) for m in meters], 900.0 * (k + 1) + 60)
    twins.check()
    assert twins.many.counts["refused: replayed counter"] and twins.many.counts["refused: replayed access number"]


def test_a_flood_for_one_meter_keeps_its_order(fleet: Fleet) -> None:
    twins = Twins(fleet)
    rows = [genuine(fleet, 2, k, (k + late) % 2, float(late)) for late in (0, 1) for k in range(150)]
    twins.take(rows[::-1], 900.0 * 150)
    twins.check()


def test_what_was_stored_is_forgotten_only_when_it_may_be(fleet: Fleet) -> None:
    """A copy that comes while it may be under way is a copy; later it is judged, and refused."""
    twins = Twins(fleet, kept_ns=3_000 * 10**9)
    meters = range(0, N, 3)
    for k in range(8):
        twins.take([genuine(fleet, m, k) for m in meters], 900.0 * (k + 1))
        if k:
            twins.take([genuine(fleet, m, k - 1, 1) for m in meters], 900.0 * (k + 1) + 10)
    twins.check()
    before = twins.many.counts["copies"]
    twins.take([genuine(fleet, m, 0, 1) for m in meters], 7_300.0)
    assert twins.many.counts["copies"] == before
    assert twins.one.counts["copies"] == before + len(meters)


def test_an_altered_value_is_another_reading(fleet: Fleet) -> None:
    """The comparison of this file sees it when the twin reads one unit wrong."""
    twins = Twins(fleet)
    twins.take([genuine(fleet, m, 0) for m in range(N)], 900.0)
    twins.taken[0].readings.units[0] += 1
    with pytest.raises(AssertionError):
        twins.check()


@pytest.mark.parametrize("late_s", [-301.0, -300.0, -299.0, 299.0, 300.0, 301.0, 330.0, 359.0, 360.0, 361.0, 420.0])
def test_clocks_at_the_edge_of_what_is_tolerated(fleet: Fleet, late_s: float) -> None:
    """Meters' clocks differ by some twenty seconds and show whole minutes: both sides of each limit are met."""
    twins = Twins(fleet)
    twins.take([genuine(fleet, m, 1, 0, late_s) for m in range(N)], 2_000.0 + late_s)
    twins.take([genuine(fleet, m, 2, 0, 0.0) for m in range(N)], fleet.start_ns(0, 2) / 1e9 + 1_800.0 + late_s)
    twins.check()


_WORDS = {window.NEW: NEW, window.SEEN: SEEN, window.BEHIND: BEHIND}


@settings(max_examples=examples(50), deadline=None)
@given(
    size=st.sampled_from([128, 1_024, 1_440]), begin=st.integers(-5_000, 5_000),
    steps=st.lists(st.one_of(
        st.integers(1, 12), st.integers(-20, 40), st.integers(-1_500, 3_000),
        st.sampled_from([-1_440, -1_439, -1_024, -1_023, -128, -127, 127, 128, 136, 1_032, 1_448]),
    ), max_size=60),
)  # fmt: skip
def test_a_ring_is_a_window(size: int, begin: int, steps: list[int]) -> None:
    """Values at the window's edges, jumps round the ring and far beyond it."""
    words, ring, highest = Window(size), np.zeros((1, size // 8 + 1), dtype=np.uint8), NONE
    for step in [0, *steps]:
        value = begin + step if highest == NONE else highest + step
        for near in (value, value - size, value - size + 1, *range(value - 12, value)):
            assert _WORDS[look(highest, ring, 0, size, near)] == words.look(near)
        words.mark(value)
        highest = int(mark(highest, ring, 0, size, value))
        assert highest == words.highest
        assert [_WORDS[look(highest, ring, 0, size, highest - back)] for back in range(16)] == [
            words.look(highest - back) for back in range(16)
        ]


# --- the parts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["kept", "random", "backwards", "nearly"])
def test_rows_are_grouped_with_ties_as_they_were(order: str) -> None:
    """Also a group so long and so mixed up that insertion gives up."""
    draw = np.random.default_rng(5)
    group, time = draw.integers(-1, 3, 3_000), np.arange(3_000) // 3
    time = {"kept": time, "random": draw.permutation(time), "backwards": time[::-1].copy(),
            "nearly": time + draw.integers(0, 9, 3_000)}[order]  # fmt: skip
    wanted = np.lexsort((time, group))
    assert grouped(group, 3, time).tolist() == wanted[group[wanted] >= 0].tolist()


@pytest.mark.parametrize("wrong", ["nothing", "group", "time", "nobody's"])
def test_rows_in_order_are_left_so_and_one_that_is_not_is_noticed(wrong: str) -> None:
    group, time = np.arange(900) // 3, np.arange(900) // 2
    place = {"nothing": slice(0, 0), "group": slice(898, 899), "time": slice(898, 899), "nobody's": slice(0, 1)}[wrong]
    if wrong == "time":
        time[place] = 0
    else:
        group[place] = -1 if wrong == "nobody's" else 7
    wanted = np.lexsort((time, group))
    assert grouped(group, 300, time).tolist() == wanted[group[wanted] >= 0].tolist()


def test_an_address_is_one_number(fleet: Fleet) -> None:
    for meter in range(N):
        address = fleet.address(meter)
        number = number_of(address.wire())
        assert address_of(number) == address
        assert f"{number:016X}"[4:] == f"{address.id}{address.version:02X}{address.device_type:02X}"


def test_a_roll_answers_as_registry_and_keyring_do(fleet: Fleet) -> None:
    twins = Twins(fleet, keyless=[4])
    opening = twins.many.opening
    for meter in range(N):
        address = fleet.address(meter)
        entry = twins.table.entry(twins.table.row(address))
        assert entry == twins.registry.find(address)
        assert opening.table.keyed[meter] == (fleet.key(meter) is not None and meter != 4)
    assert twins.table.row(dataclasses.replace(fleet.address(0), version=0)) == -1


def test_a_meter_registered_twice_is_refused(fleet: Fleet) -> None:
    table = Twins(fleet).table
    columns: dict[str, Any] = {
        name: getattr(table, name)
        for name in ("mode", "interval_ns", "keys", "keyed", "bound_first", "bound", "sends_time", "silent_ns")
    }
    wire = table.wire.copy()
    wire[1] = wire[0]
    with pytest.raises(ValueError, match=f"{fleet.address(0)} is registered twice"):
        MeterTable.made(wire, table.gateways, **columns)
    with pytest.raises(ValueError, match="in the order of their names"):
        MeterTable.made(table.wire, ("b", "a"), **columns)


def test_times_beyond_the_limit_and_strange_gateways_are_refused(fleet: Fleet) -> None:
    from sim.core.bundle import Bundle, Heard

    for one, said in (
        (Bundle("gw-0001", 1, 0, (Heard(b"x", 1 << 62, -70.0),)), "73 years"),
        (Bundle("gw-9999", 1, 0, (Heard(b"x", 0, -70.0),)), "no gateway 'gw-9999'"),
    ):
        with pytest.raises(ValueError, match=said):
            Batch.of([one], GATEWAYS)
