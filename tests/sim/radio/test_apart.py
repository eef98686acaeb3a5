"""Frames settled before anything is sorted have the fates that numpy gives them, on airs large enough for it."""

from __future__ import annotations

import pytest

from bench.perf.air import City
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
