"""Frames settled before anything is sorted have the fates that numpy gives them, on airs large enough for it."""

from __future__ import annotations

import pytest

from bench.perf.air import City
from sim.core.events import Fate
from sim.radio.capture import fsk

pytest.importorskip("numba")


@pytest.mark.parametrize("seconds", [60, 400, 900])
@pytest.mark.parametrize("faded", [False, True])
@pytest.mark.parametrize("meters_a_gateway", [20, 500, 8_000])
def test_fates_of_a_city_are_numpy_s(seconds: int, faded: bool, meters_a_gateway: int):
    settings = {"fading_cdb": 300, "capture": fsk()} if faded else {}
    meters = max(400, 2 * meters_a_gateway)
    both = [
        City(meters, meters // meters_a_gateway, backend=backend, window_ns=seconds * 10**9, **settings)
        for backend in ("numba", "numpy")
    ]
    for _ in range(4):
        results = [city.engine.window(city.engine.now_ns + city.window_ns, city.frames()) for city in both]
        assert (results[0].counts == results[1].counts).all()
        assert (results[0].heard == results[1].heard).all()
        assert results[0].frames_sent == results[1].frames_sent
        assert results[0].counts[:, 0].sum() > 0


@pytest.mark.parametrize("faded", [False, True])
@pytest.mark.parametrize("meters_a_gateway", [20, 500, 8_000])
def test_who_is_told_of_received_frames_alone_is_told_the_same(faded: bool, meters_a_gateway: int):
    """The short cuts tell what the whole sweep tells, also where one gateway was down."""
    settings = {"fading_cdb": 300, "capture": fsk()} if faded else {}
    meters = max(1_000, 2 * meters_a_gateway)
    both = [City(meters, meters // meters_a_gateway, window_ns=400 * 10**9, **settings) for _ in range(2)]
    for number in range(4):
        down = [[(500 * 10**9, 600 * 10**9)] if number == 1 and r == 0 else [] for r in range(both[0].engine.receivers)]
        told = []
        for city, only in zip(both, (None, Fate.RECEIVED), strict=True):
            until_ns, frames = city.engine.now_ns + city.window_ns, city.frames()
            batch = city.engine.window(until_ns, frames, outages=down, detail=True, only=only).batch
            assert batch is not None
            columns = (batch.source, batch.k, batch.receiver, batch.fate, batch.rssi_cdbm, batch.start_ns)
            rows = sorted(zip(*(column.tolist() for column in columns), strict=True))
            told.append([row for row in rows if row[3] == Fate.RECEIVED] if only is None else rows)
        assert told[0] == told[1]
        assert len(told[0]) > 200
