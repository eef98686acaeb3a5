"""Frames settled before anything is sorted have the fates of the whole sweep, on airs large enough for it."""

from __future__ import annotations

import pytest

from bench.perf.air import City
from sim.core.events import Fate
from sim.radio.capture_effect import fsk
from sim.radio.receiver_profile import ReceiverProfile


@pytest.mark.parametrize("seconds", [60, 400, 900])
@pytest.mark.parametrize("faded", [False, True])
@pytest.mark.parametrize("meters_a_gateway", [20, 500, 8_000])
def test_the_short_cuts_give_the_fates_of_the_whole_sweep(seconds: int, faded: bool, meters_a_gateway: int):
    settings = {"fading_cdb": 300, "profile": ReceiverProfile.plain(fsk()), "weaker_cdb": 2_500} if faded else {}
    meters = max(400, 2 * meters_a_gateway)
    both = [City(meters, meters // meters_a_gateway, window_ns=seconds * 10**9, **settings) for _ in range(2)]
    for _ in range(4):
        results = [
            city.engine.window(city.engine.now_ns + city.window_ns, city.frames(), detail=detail)
            for city, detail in zip(both, (False, True), strict=True)  # frames reported one by one take no short cut
        ]
        assert (results[0].counts == results[1].counts).all()
        assert (results[0].heard == results[1].heard).all()
        assert results[0].frames_sent == results[1].frames_sent
        assert results[0].counts[:, Fate.RECEIVED].sum() > 0
        assert not faded or results[0].counts[:, Fate.OUT_OF_RANGE].sum() > results[0].counts[:, Fate.RECEIVED].sum()


@pytest.mark.parametrize("faded", [False, True])
@pytest.mark.parametrize("meters_a_gateway", [20, 500, 8_000])
def test_received_frames_alone_are_reported_as_with_all_others(faded: bool, meters_a_gateway: int):
    """The short cuts report what the whole sweep reports, also where one gateway was down."""
    settings = {"fading_cdb": 300, "profile": ReceiverProfile.plain(fsk()), "weaker_cdb": 2_500} if faded else {}
    meters = max(1_000, 2 * meters_a_gateway)
    both = [City(meters, meters // meters_a_gateway, window_ns=400 * 10**9, **settings) for _ in range(2)]
    for number in range(4):
        down = [[(500 * 10**9, 600 * 10**9)] if number == 1 and r == 0 else [] for r in range(both[0].engine.gateways)]
        seen = []
        for city, only in zip(both, (None, Fate.RECEIVED), strict=True):
            until_ns, frames = city.engine.now_ns + city.window_ns, city.frames()
            batch = city.engine.window(until_ns, frames, outages=down, detail=True, only=only).batch
            assert batch is not None
            columns = (batch.source, batch.k, batch.receiver, batch.fate, batch.rssi_cdbm, batch.start_ns)
            rows = sorted(zip(*(column.tolist() for column in columns), strict=True))
            seen.append([row for row in rows if row[3] == Fate.RECEIVED] if only is None else rows)
        assert seen[0] == seen[1]
        assert len(seen[0]) > 100
