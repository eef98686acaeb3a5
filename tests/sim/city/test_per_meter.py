"""Meters without a reading, by day, month and meter, against the frames one by one; and why the worst are not heard."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import numpy as np

from sim.city.conduct import run
from sim.city.per_meter import Bad
from sim.city.plan import Blocks, CityPlan, Dead, Jammer, Outages
from sim.city.shard import Shard
from sim.city.worst_meters import reason, why
from sim.core.clock import NS_PER_S
from sim.core.events import Fate
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.radio.site_spec import SiteSpec
from sim.world_spec import WorldSpec

DAY_NS = 86_400 * NS_PER_S
FLEET = (FleetSpec("a", "vipa-c10", 500, interval_s=14_400.0), FleetSpec("b", "vipa-c10", 300, interval_s=43_200.0))
SPEC = WorldSpec(
    "far", "Far meters", FLEET, (GatewaySpec(count=3),), site=SiteSpec(path_loss_exponent=4.6, spacing_m=60.0),
    start=datetime(2026, 1, 30, tzinfo=UTC),
)  # fmt: skip
PLAN = CityPlan(SPEC, 3, 4 * DAY_NS + 7_200 * NS_PER_S, "radio", window_ns=1_000 * NS_PER_S, shards=1)


def test_days_months_and_the_worst_are_those_of_the_frames() -> None:
    shard = Shard(PLAN, Blocks.of(SPEC).tiles(1)[0])
    heard = np.zeros((4, SPEC.meters), dtype=np.int64)
    count = np.zeros(SPEC.meters, dtype=np.int64)
    for until_ns in PLAN.windows():
        rows = shard.names[shard.window(until_ns).meter]
        np.add.at(count, rows, 1)
        if until_ns <= 4 * DAY_NS:
            heard[(until_ns - 1) // DAY_NS][rows] = 1
    told = run(PLAN)
    assert list(told.missed["without_a_reading"].values()) == (heard == 0).sum(axis=1).tolist()
    assert [one["last_day"] for one in told.missed["at_month_end"]] == ["2026-01-31", "2026-02-02"]
    january, february = told.missed["at_month_end"]
    assert january["without_in_month"] == np.count_nonzero(heard[:2].sum(axis=0) == 0)
    assert february["without_that_day"] == np.count_nonzero(heard[3] == 0)
    assert told.missed["never"] == np.count_nonzero(count == 0) > 0
    missed = (heard == 0).sum(axis=0)
    assert [one["days_missed"] for one in told.worst] == sorted(missed.tolist(), reverse=True)[:5]
    for one in told.worst:
        assert one["heard"] == count[one["meter"]] and one["sent"] >= one["heard"]


def test_neither_cut_nor_window_changes_them() -> None:
    whole = run(PLAN)
    for changes in ({"shards": 4}, {"window_ns": 700 * NS_PER_S}):
        other = run(dataclasses.replace(PLAN, **changes))  # type: ignore[arg-type]
        assert (other.missed, other.worst) == (whole.missed, whole.worst)


def test_the_fates_of_the_worst_meters_are_those_of_the_whole_run() -> None:
    """With meters that are heard at times and seldom: every fate at every gateway, not the received alone."""
    near = dataclasses.replace(SPEC, site=dataclasses.replace(SPEC.site, path_loss_exponent=4.2))
    plan = dataclasses.replace(PLAN, spec=near, duration_ns=DAY_NS)
    shard = Shard(plan, Blocks.of(near).tiles(1)[0])
    fates = np.zeros((near.meters, len(Fate)), dtype=np.int64)
    for until_ns in plan.windows():
        batch = shard.fly(until_ns, detail=True, only=None).result.batch
        assert batch is not None
        np.add.at(fates, (shard.names[batch.source], batch.fate), 1)
    seldom = np.flatnonzero((fates[:, Fate.RECEIVED] > 0) & (fates[:, Fate.OUT_OF_RANGE] > 0))[[0, 7, -3, -1]]
    told = why(plan, [Bad(0, 0.5, meter, 1) for meter in seldom.tolist()])
    assert [one["meter"] for one in told] == seldom.tolist()
    for one in told:
        mine = fates[one["meter"]]
        assert one["fates"] == {fate.label: mine[fate] for fate in Fate if mine[fate]}
        assert set(one["gateways"]) <= {"gw-0001", "gw-0002", "gw-0003"} and one["gateways"]


def test_a_reason_is_what_cost_most() -> None:
    counts = [0] * len(Fate)
    assert reason(counts) == "no gateway is in its reach"
    counts[Fate.RECEIVED] = 5
    assert reason(counts) == "nothing of it was lost"
    counts[Fate.COLLISION], counts[Fate.OUT_OF_RANGE] = 3, 4
    assert reason(counts) == "out of range: 4 of 12 at the gateways in its reach"


def test_a_dead_gateway_and_a_jammer_are_felt_for_as_long_as_they_last() -> None:
    one = WorldSpec("one", "One gateway", (FleetSpec("a", "vipa-c10", 40, interval_s=3_600.0),), (GatewaySpec(),))
    plan = CityPlan(one, 3, 3 * DAY_NS, "radio", window_ns=1_000 * NS_PER_S)
    free = run(plan)
    assert set(free.missed["without_a_reading"].values()) == {0}
    for changes, fate in (
        ({"dead": (Dead(0, 0.0, 86_400.0),)}, Fate.GATEWAY_DOWN),
        ({"jammers": (Jammer(0, lasting_s=86_400.0),)}, Fate.JAMMED),
    ):
        struck = run(dataclasses.replace(plan, **changes))  # type: ignore[arg-type]
        first, *rest = struck.missed["without_a_reading"].values()
        assert rest == [0, 0] and 36 <= first <= 40  # the nearest are louder than the jammer
        assert 36 * 24 < struck.fates[fate.label] < 41 * 24
        other = run(dataclasses.replace(plan, window_ns=900 * NS_PER_S, **changes))  # type: ignore[arg-type]
        assert (other.received_digest, other.fates) == (struck.received_digest, struck.fates)
    weeks = run(dataclasses.replace(plan, outages=Outages(1.0, 14 * 86_400.0)))  # longer than a day, and than the run
    assert weeks.fates[Fate.GATEWAY_DOWN.label] > 40 * 24


def test_meters_in_step_meet_each_other() -> None:
    fleet = FleetSpec("a", "vipa-c10", 60, interval_s=900.0)
    one = WorldSpec("one", "One gateway", (fleet,), (GatewaySpec(),))
    plan = CityPlan(one, 3, 6 * 3_600 * NS_PER_S, "radio")
    apart = run(plan)
    step = dataclasses.replace(plan, spec=dataclasses.replace(one, fleet=(dataclasses.replace(fleet, in_step_s=1.0),)))
    together = run(step)
    assert together.delivery_ratio < apart.delivery_ratio - 0.1
    starts = Shard(step, Blocks.of(one).tiles(1)[0]).fleet.population
    assert starts.t0_ns.max() < NS_PER_S and set(starts.acc0.tolist()) == {0}
