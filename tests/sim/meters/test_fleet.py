"""The fleet: identities, schedule, and telegrams that say what truth says they say."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import numpy as np
import pytest

from sim.core.clock import NS_PER_DAY, NS_PER_HOUR, NS_PER_S
from sim.core.parts import UnknownPart
from sim.core.seeds import Seeds
from sim.core.settings import SpecError
from sim.meters import civil, quantities
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from wmbus import telegram

START = datetime(2026, 1, 12)  # noqa: DTZ001  a Monday; the calendar makes it UTC
GROUPS = tuple(
    FleetSpec(f"{one.id} {security}", one.id, 7, security=security)
    for one in kinds().values()
    for security in one.securities
)


def _fleet(*groups: FleetSpec, seed: int = 1, start: datetime = START) -> Fleet:
    return Fleet(groups or GROUPS, Seeds(seed), start=start)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_a_telegram_says_what_truth_says(group: FleetSpec) -> None:
    fleet = _fleet(group)
    kind = fleet.kind(0)
    for meter in range(fleet.n):
        for k in (0, 1, 255, 40_000):
            frame = fleet.telegram(meter, k)
            truth = fleet.truth(meter, k)
            read = telegram.read(frame, fleet.key(meter))
            assert len(frame) == fleet.length_bytes(meter)
            assert str(read.address) == str(fleet.address(meter))
            transport = read.telegram.transport
            assert transport is not None and (transport.acc, transport.sts) == (truth.acc, truth.sts)
            assert read.unlocked.counter == truth.counter
            assert read.unlocked.mac_ok is (True if group.security == "mode7" else None)
            assert kind.read(b"".join(record.wire() for record in read.records)) == truth.values
            has_clock = any(kind.quantity(slot.quantity).op == quantities.CLOCK for slot in kind.slots)
            times = [r.value for r in read.records if r.quantity == "date and time" and r.function == "instantaneous"]
            assert [at.replace(second=0) for at in times] == ([truth.meter_time] if has_clock else [])
            units = [r.value for r in read.records if r.dif_vif[-1] == 0x6E and r.storage == 0]
            assert units == ([] if truth.units is None else [truth.units])


def test_telegrams_are_a_pure_function_of_seed_meter_and_k() -> None:
    one, other = _fleet(), _fleet()
    wanted = [(meter, k) for meter in range(one.n) for k in (3, 900, 17)]
    first = [one.telegram(*pair) for pair in wanted]
    assert [other.telegram(*pair) for pair in reversed(wanted)] == first[::-1]
    third = _fleet(seed=2)
    assert not set(first) & {third.telegram(*pair) for pair in wanted}


def test_no_two_meters_share_an_address_or_a_key() -> None:
    fleet = _fleet(*(FleetSpec(name, "vipa-c10", 20_000) for name in "ab"))
    assert len({str(fleet.address(meter)) for meter in range(fleet.n)}) == fleet.n
    assert len({fleet.key(meter) for meter in range(fleet.n)}) == fleet.n
    for meter in (0, 1, 19_999, 20_000, 39_999):
        assert fleet.find(fleet.address(meter)) == meter
    assert fleet.find("VIP 00000000 1E 08") == -1 == fleet.find("nonsense")


def test_a_shared_key_is_the_groups() -> None:
    fleet = _fleet(FleetSpec("own", "vipa-c10", 5), FleetSpec("one", "vipa-c10", 5, key="shared"))
    assert len({fleet.key(meter) for meter in range(10)}) == 6
    assert _fleet(FleetSpec("clear", "vipa-c10", 1, security="none")).key(0) is None


def test_any_windows_together_give_the_same_telegrams() -> None:
    fleet = _fleet(*GROUPS, FleetSpec("walk by", "vipa-c10", 9, mask="workdays 08-18", interval_s=97.0))
    end = NS_PER_DAY
    whole = fleet.window(0, end)
    edges = [0, 1, 7 * NS_PER_S, *range(NS_PER_HOUR, end, 5 * NS_PER_HOUR + 13), end]
    for at in (int(whole.start_ns[5]), int(whole.start_ns[6]) + 1):
        edges.append(at)
    edges.sort()
    parts = [fleet.window(a, b) for a, b in itertools.pairwise(edges)]
    for name in ("start_ns", "meter", "k"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))
    assert np.array_equal(whole.start_ns, fleet.starts(whole.meter, whole.k))
    assert [fleet.start_ns(int(m), int(k)) for m, k in zip(whole.meter[::50], whole.k[::50], strict=True)] == (
        whole.start_ns[::50].tolist()
    )
    assert np.array_equal(np.lexsort((whole.meter, whole.start_ns)), np.arange(len(whole)))
    assert len(fleet.window(5, 5)) == len(fleet.window(6, 5)) == 0


def test_every_telegram_is_in_some_window() -> None:
    fleet = _fleet(FleetSpec("quick", "vipa-c10", 3, interval_s=16.0))
    whole = fleet.window(0, NS_PER_HOUR)
    for meter in range(3):
        mine = whole.k[whole.meter == meter]
        assert mine.tolist() == list(range(len(mine)))
        assert fleet.start_ns(meter, len(mine)) >= NS_PER_HOUR


def test_a_masked_group_is_silent_at_night_and_its_numbers_run_on() -> None:
    fleet = _fleet(FleetSpec("walk by", "vipa-c10", 20, mask="workdays 08-18", interval_s=120.0))
    week = fleet.window(0, 7 * NS_PER_DAY)
    clock = fleet.clocks_ms(week.meter, week.start_ns)
    when = [civil.EPOCH + timedelta(milliseconds=int(ms)) for ms in clock[::11]]
    assert all(8 <= at.hour < 18 and at.weekday() < 5 for at in when)
    assert {at.weekday() for at in when} == {0, 1, 2, 3, 4}
    for meter in range(20):
        mine = week.k[week.meter == meter]
        assert len(mine) == pytest.approx(5 * 10 * 30, abs=12)
        assert np.diff(mine).max() > 14 * 30 - 20  # the night's slots were counted
        assert fleet.sends(meter, int(mine[0])) and not fleet.sends(meter, int(mine[-1]) + 20)


def test_access_number_and_counter() -> None:
    fleet = _fleet()
    for meter in range(fleet.n):
        accs = [fleet.acc(meter, k) for k in range(300)]
        assert all((b - a) & 255 == 1 for a, b in itertools.pairwise(accs))
        counters = [fleet.counter(meter, k) for k in range(300)]
        assert all(b > a for a, b in itertools.pairwise(counters))


def test_a_clock_that_gains_sends_early_and_shows_it() -> None:
    fleet = _fleet(FleetSpec("drifting", "vipa-c10", 50, drift_ppm=200.0))
    who = fleet.population
    fast, slow = int(np.argmax(who.drift_ppb)), int(np.argmin(who.drift_ppb))
    assert who.drift_ppb[fast] > 150_000 and who.drift_ppb[slow] < -150_000
    year_ns = 365 * NS_PER_DAY
    for meter, sign in ((fast, 1), (slow, -1)):
        gained_ms = fleet.clock_ms(meter, year_ns) - fleet.clock_ms(meter, 0) - year_ns // 10**6
        assert gained_ms == pytest.approx(sign * abs(int(who.drift_ppb[meter])) * 31_536 / 1_000, rel=1e-3)
        k = 35_040
        early_ns = int(who.t0_ns[meter]) + 900 * NS_PER_S * k - fleet.start_ns(meter, k)
        assert sign * early_ns > 4_000 * NS_PER_S


def test_counts_never_run_backwards_within_an_accounting_year_and_begin_again_after_it() -> None:
    fleet = _fleet(FleetSpec("all", "qundis-q-caloric", 30), start=datetime(2025, 12, 1))  # noqa: DTZ001
    for meter in range(30):
        before = None
        for k in range(0, 96 * 90, 37):
            truth = fleet.truth(meter, k)
            if before is not None and truth.set_date == before.set_date:
                assert truth.units is not None and before.units is not None
                assert truth.units >= before.units
                assert truth.set_date_units == before.set_date_units
            elif before is not None:
                assert (before.set_date.year, truth.set_date.year) == (2024, 2025)
                assert truth.meter_time.date().isoformat() == "2026-01-01"
                assert truth.set_date_units is not None and before.units is not None
                assert before.units <= truth.set_date_units <= before.units + 5
            before = truth


def test_months_add_up() -> None:
    fleet = _fleet(FleetSpec("months", "techem-radio-4", 40))
    for meter in range(40):
        truth = fleet.truth(meter, 20)
        increments = [truth.values[f"month_increment[{back}]" if back else "month_increment"] for back in range(12)]
        assert sum(increments) == truth.set_date_units
        assert min(increments) >= 0


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
@pytest.mark.parametrize("how", ["opened", "removed", "sensor"])
def test_a_tampered_meter_shows_it_until_it_is_reset(group: FleetSpec, how: str) -> None:
    fleet = _fleet(group)
    k = 500
    before, frame_before = fleet.truth(0, k), fleet.telegram(0, k)
    fleet.tamper(0, fleet.start_ns(0, 400), how)
    assert fleet.truth(0, 399).sts == before.sts and not fleet.truth(0, 399).tampered
    truth = fleet.truth(0, k)
    assert truth.tampered
    assert telegram.parse(fleet.telegram(0, k)).transport.sts == truth.sts == before.sts | 0x08  # type: ignore[union-attr]
    later = fleet.truth(0, k + 96 * 30)
    assert later.tampered
    if how != "opened" and truth.units is not None:
        assert later.units == truth.units == fleet.truth(0, 400).units
    elif truth.units is not None and later.units is not None:
        assert later.units > truth.units
    while_tampered = fleet.telegram(0, k)
    fleet.reset(0, fleet.start_ns(0, k + 1))
    assert fleet.telegram(0, k) == while_tampered and fleet.truth(0, k).tampered, "what was sent stays what it was"
    assert not fleet.truth(0, k + 1).tampered
    fleet.reset(0, fleet.start_ns(0, k))
    assert fleet.telegram(0, k) == frame_before
    assert fleet.telegrams(np.array([0, 0]), np.array([k - 1, k]))[1] == frame_before


def test_how_the_first_types_show_tampering() -> None:
    fleet = _fleet(FleetSpec("v", "vipa-c10", 1), FleetSpec("q", "qundis-q-caloric", 1))
    for meter in (0, 1):
        fleet.tamper(meter, 10 * NS_PER_DAY)
    vipa, qundis = fleet.truth(0, 96 * 12).values, fleet.truth(1, 96 * 12).values
    assert vipa["error_flags"] == 0x08
    assert vipa["seconds_tampered"] == pytest.approx(2 * 86_400, abs=2_000)
    assert qundis["error_date"] == civil.type_g(civil.day_of(2026, 1, 22))


def test_a_meter_off_its_radiator_has_the_rooms_temperature() -> None:
    fleet = _fleet(FleetSpec("v", "vipa-c10", 40))
    warm = [m for m in range(40) if fleet.truth(m, 40).values["radiator_dc"] > fleet.truth(m, 40).values["room_dc"]]
    assert len(warm) > 10
    fleet.tamper(warm[0], 0, "removed")
    values = fleet.truth(warm[0], 40).values
    assert values["radiator_dc"] == values["room_dc"]
    assert values["minutes_unmeasured"] == pytest.approx(600, abs=40)


def test_low_power_comes_and_stays() -> None:
    fleet = _fleet(FleetSpec("old", "vipa-c10", 400))
    now = [fleet.truth(m, 0).low_power for m in range(400)]
    later = [fleet.truth(m, 35_040).low_power for m in range(400)]
    assert 2 <= sum(now) < 30 and sum(later) > sum(now)
    assert all(b or not a for a, b in zip(now, later, strict=True))
    assert fleet.truth(now.index(True), 0).sts == 0x04


def test_a_fleet_that_cannot_be_is_refused() -> None:
    with pytest.raises(UnknownPart, match="no meter type 'vipa'; known, nearest first: vipa-c10"):
        _fleet(FleetSpec("x", "vipa", 1))
    with pytest.raises(SpecError, match="at least one group"):
        Fleet((), Seeds(1), start=START)
    with pytest.raises(ValueError, match="opened, removed, sensor, not 'stolen'"):
        _fleet().tamper(0, 0, "stolen")
    with pytest.raises(IndexError, match="meter 9999 of a fleet of"):
        _fleet().address(9_999)


def test_a_million_meters_are_small() -> None:
    fleet = _fleet(FleetSpec("city", "vipa-c10", 50_000))
    assert fleet.population.nbytes / fleet.n <= 200
