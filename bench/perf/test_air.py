"""How fast the air is, as ratios to something measured in the same run, since machines differ and are shared.

    pytest bench/perf/test_air.py            figures: extra_info of --benchmark-json; `./wmbench bench` prints them

The limits asserted are a half to a third of what a quiet machine gives (docs/models/air.md): a noisy one does not
fail, and what became twice or three times as slow does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.perf.air import City, rate, reference_rate, simpy_timeouts
from sim.radio.capture_effect import fsk
from sim.radio.receiver_profile import ReceiverProfile


def test_radio_only(benchmark: Any) -> None:
    """100 000 meters, 200 gateways, two links a meter: goal 50 x SimPy time-outs, 300 x the event model."""
    city = City(100_000, 200)
    city.window()
    benchmark.pedantic(city.window, rounds=15)
    fast, timeouts, events = rate(city.window, lambda: city.sent, 15), simpy_timeouts(), reference_rate()
    benchmark.extra_info.update(
        transmissions_s=fast, times_simpy_timeouts=fast / timeouts, times_event_model=fast / events
    )
    assert fast / timeouts > 25  # 62
    assert fast / events > 120  # 320


def test_with_fading_and_packet_error_curve(benchmark: Any) -> None:
    city, plain = City(100_000, 200, fading_cdb=300, profile=ReceiverProfile.plain(fsk())), City(100_000, 200)
    city.window()
    plain.window()
    benchmark.pedantic(city.window, rounds=10)
    fast, bare = rate(city.window, lambda: city.sent, 8), rate(plain.window, lambda: plain.sent, 8)
    benchmark.extra_info.update(transmissions_s=fast, of_radio_only=fast / bare)
    assert fast / bare > 0.45  # 0.85


def test_time_grows_no_faster_than_the_fleet(benchmark: Any) -> None:
    small, large = City(10_000, 20), City(1_000_000, 2_000)
    for city in (small, large):
        city.window()
    benchmark.pedantic(large.window, rounds=3)
    slow, fast = rate(large.window, lambda: large.sent, 4), rate(small.window, lambda: small.sent, 30)
    exponent = 1 + float(np.log(fast / slow) / np.log(100))
    benchmark.extra_info.update(transmissions_s=slow, exponent=exponent)
    assert exponent < 1.15  # 0.98; a hundred times the meters may cost each of them twice the time, by caches
