"""The composer of telegrams against the meters in words, at the edges of the calendar, and its data against mistakes.

Every type in every security, one telegram at a time and many at once: clocks on either side of a midnight, a month's
end, the sixteenth, a set date, the leap day; healthy, tampered with, and with a low battery.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrays import ciphers
from sim.core.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S
from sim.core.seeds import Seeds
from sim.meters import telegram_batch
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from sim.meters.physics.formulas import LARGE_ML, SMALL_ML, drawn
from sim.meters.quantities import QUANTITIES
from tests.oracles import meters_in_words

INTERVAL_S = 900
START = datetime(2027, 12, 20)  # noqa: DTZ001  2028 has a leap day; the calendar makes it UTC
EDGES = {
    "set date": datetime(2028, 1, 1),  # noqa: DTZ001
    "day before the set date": datetime(2027, 12, 31),  # noqa: DTZ001
    "day after": datetime(2028, 1, 2),  # noqa: DTZ001
    "sixteenth": datetime(2028, 1, 16),  # noqa: DTZ001
    "thirty-first": datetime(2028, 1, 31),  # noqa: DTZ001
    "month": datetime(2028, 2, 1),  # noqa: DTZ001
    "leap day": datetime(2028, 2, 29),  # noqa: DTZ001
    "after the leap day": datetime(2028, 3, 1),  # noqa: DTZ001
    "next year's end": datetime(2028, 12, 31),  # noqa: DTZ001
    "next set date": datetime(2029, 1, 1),  # noqa: DTZ001
}
TAMPERS = ("opened", "removed", "sensor")


def _fleet(start: datetime = START, meters: int = 6) -> Fleet:
    groups = [
        FleetSpec(f"{one.id} {security}", one.id, meters, security=security, interval_s=float(INTERVAL_S))
        for one in kinds().values()
        for security in one.securities
    ]
    return Fleet(groups, Seeds(4), start=start)


def _tampered(fleet: Fleet) -> Fleet:
    """Every third meter, in each of the three ways, at odd times before the first edge and at the second, every fourth
    of them until a technician comes; and some of the water meters with a burst pipe."""
    for meter in range(0, fleet.n, 3):
        at_ns = 5 * NS_PER_DAY if meter % 2 else 12 * NS_PER_DAY - 3_600 * NS_PER_S
        fleet.tamper(meter, at_ns + meter * NS_PER_S, TAMPERS[meter // 3 % 3])
        if meter % 4 == 0:
            fleet.reset(meter, 35 * NS_PER_DAY + meter * NS_PER_S)
    for place, meter in enumerate(_water_meters(fleet)[1::2]):
        fleet.burst(meter, 9 * NS_PER_DAY + meter * NS_PER_S, 20.5 + place)
    return fleet


def _water_meters(fleet: Fleet) -> list[int]:
    return [meter for meter in range(fleet.n) if fleet.kind(meter).id == "qundis-q-water"]


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return _tampered(_fleet())


def _round(fleet: Fleet, meter: int, edge: datetime) -> tuple[int, int]:
    """The telegrams before and after an edge, by the meter's own clock."""
    edge_ms = (edge - datetime(2000, 1, 1)) // timedelta(milliseconds=1)  # noqa: DTZ001
    k = max(1, (edge_ms - fleet.epoch_ms) // (INTERVAL_S * 1_000) - 2)
    while fleet.clock_ms(meter, fleet.start_ns(meter, k)) < edge_ms:
        k += 1
    assert fleet.clock_ms(meter, fleet.start_ns(meter, k - 1)) < edge_ms
    return k - 1, k


def _agree(fleet: Fleet, meter: list[int], k: list[int], *, crcs: bool = False) -> None:
    made = fleet.telegrams(np.array(meter), np.array(k), crcs=crcs)
    for row, (one, number) in enumerate(zip(meter, k, strict=True)):
        wanted = meters_in_words.telegram(fleet, one, number, crcs=crcs)
        assert made[row] == wanted, f"many: {fleet.kind(one).id} {fleet.security(one)}, meter {one}, telegram {number}"
        if not crcs:
            assert fleet.telegram(one, number) == wanted, f"one: {fleet.kind(one).id}, meter {one}, telegram {number}"


@pytest.mark.parametrize("edge", EDGES)
def test_telegrams_at_an_edge_of_the_calendar(fleet: Fleet, edge: str) -> None:
    pairs = [(meter, k) for meter in range(fleet.n) for k in _round(fleet, meter, EDGES[edge])]
    _agree(fleet, [meter for meter, _ in pairs], [k for _, k in pairs])


def test_the_cases_meet_what_they_are_about(fleet: Fleet) -> None:
    """Each type is seen tampered with in all ways, healthy, and with a low battery."""
    late = _round(fleet, 0, EDGES["next set date"])[1]
    by_type: dict[str, set[str]] = {}
    for meter in range(fleet.n):
        truth = fleet.truth(meter, late)
        what = [tamper.how for tamper in fleet.tampers(meter)] or ["well"]
        by_type.setdefault(fleet.kind(meter).id, set()).update(what, ["low"] if truth.low_power else [])
    assert all({"well", *TAMPERS} <= seen for seen in by_type.values())
    assert sum("low" in seen for seen in by_type.values()) >= 5
    assert len(fleet.leaks()) >= 3
    assert 0 < len(set(fleet.leaks()) & fleet.tampered) < len(fleet.leaks())


def test_a_burst_pipe_runs_through_its_meter(fleet: Fleet) -> None:
    """Beside what is drawn: 20 l/h more than the same meter has in a fleet without a burst, to the litre."""
    meter, leak = next((m, one) for m, one in fleet.leaks().items() if m not in fleet.tampered)
    dry = _fleet()
    k = _round(fleet, meter, EDGES["leap day"])[0]
    hours = (fleet.start_ns(meter, k) - leak.at_ns) / 3_600e9
    more = fleet.truth(meter, k).values["volume_l"] - dry.truth(meter, k).values["volume_l"]
    assert abs(more - hours * leak.litres_an_hour) <= 1.5
    with pytest.raises(ValueError, match="counts no water"):
        fleet.burst(next(m for m in range(fleet.n) if fleet.kind(m).id == "qundis-q-caloric"), 0, 1.0)
    with pytest.raises(ValueError, match="has a burst pipe already"):
        fleet.burst(meter, 0, 1.0)


def test_a_household_draws_as_much_as_expected_and_with_pauses() -> None:
    """Never back, never further from what was expected than one draw of each kind; many quarters of an hour
    have none."""
    step = 2_500  # ml expected in a quarter of an hour: a busy one
    counts = [drawn(at, 12_345_678) for at in range(0, 10_000_000, step)]
    rises = [after - before for before, after in itertools.pairwise(counts)]
    assert min(rises) == 0
    assert 0.4 < sum(rise < 1_000 for rise in rises) / len(rises) < 0.9
    assert max(abs(count - at * step) for at, count in enumerate(counts)) < SMALL_ML + LARGE_ML
    assert counts != [drawn(at, 12_345_679) for at in range(0, 10_000_000, step)]


@pytest.mark.parametrize("engine", ciphers.engines())
def test_each_engine_with_crcs(fleet: Fleet, engine: ciphers.Engine) -> None:
    ciphers.use(engine)
    try:
        meter = list(range(fleet.n))
        _agree(fleet, meter, [_round(fleet, one, EDGES["leap day"])[one % 2] for one in meter], crcs=True)
    finally:
        ciphers.use(None)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_any_telegram(fleet: Fleet, data: st.DataObject) -> None:
    meter = data.draw(st.lists(st.integers(0, fleet.n - 1), min_size=1, max_size=12))
    k = [data.draw(st.integers(0, 90_000)) for _ in meter]
    _agree(fleet, meter, k)


def test_every_quantity_of_the_table_is_in_words_too(fleet: Fleet) -> None:
    """Those that no type sends as well."""
    assert QUANTITIES.keys() <= meters_in_words.QUANTITIES.keys()
    day, _ = fleet._day(0, fleet.epoch_ms // 86_400_000 + 40)
    time_ns = 40 * NS_PER_DAY + 7 * NS_PER_MS
    from sim.meters.evaluate import value

    for meter in range(0, fleet.n, 5):
        one = meters_in_words.Meter(fleet, meter, time_ns)
        day, _ = fleet._day(int(fleet.population.group[meter]), one.ms // 86_400_000)
        instant = fleet._instant(meter, one.ms, time_ns)
        for name, quantity in QUANTITIES.items():
            for back in (0, 1, 11, 12):
                said = value(day.step(quantity, back), instant, fleet.heat.plain)
                assert said == meters_in_words.QUANTITIES[name](one, back), f"{name}[{back}] of meter {meter}"


def test_healthy_meters_are_all_made_by_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it could be wrong for ever and the single telegrams would cover it up."""
    fleet = _fleet()
    meter, k = np.repeat(np.arange(fleet.n), 2), np.tile([1_000, 1_057], fleet.n)  # two days
    wanted = [fleet.telegram(one, number) for one, number in zip(meter.tolist(), k.tolist(), strict=True)]

    def never(*_arguments: object) -> bytes:
        raise AssertionError("made one at a time")

    monkeypatch.setattr(Fleet, "telegram", never)
    for engine in ciphers.engines():
        ciphers.use(engine)
        try:
            made = fleet.telegrams(meter, k)
        finally:
            ciphers.use(None)
        assert [made[row] for row in range(len(made))] == wanted


def test_rows_at_once_make_no_difference(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    meter, k = np.arange(fleet.n), np.full(fleet.n, 1_152)
    whole = fleet.telegrams(meter, k)
    monkeypatch.setattr(telegram_batch, "_ROWS_AT_ONCE", 5)
    assert np.array_equal(fleet.telegrams(meter, k).data, whole.data)
