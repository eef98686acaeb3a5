"""How fast a city is, as ratios to what is measured in the same run; the limits hold on a busy machine too."""

from __future__ import annotations

from typing import Any

from bench.perf.air import simpy_timeouts
from bench.perf.city import telegram_rate


def test_a_city_to_encrypted_bytes(benchmark: Any) -> None:
    """100 000 meters in one shard: every frame sent, every one heard built, encrypted, CRC'd."""
    rates = []
    benchmark.pedantic(lambda: rates.append(telegram_rate(100_000, "bytes")), rounds=3)
    timeouts = simpy_timeouts()
    benchmark.extra_info.update(transmissions_s=max(rates), times_simpy_timeouts=max(rates) / timeouts)
    assert max(rates) / timeouts > 7  # 18


def test_the_radio_of_a_city_costs_less_than_its_bytes(benchmark: Any) -> None:
    rates = []
    benchmark.pedantic(lambda: rates.append(telegram_rate(100_000, "radio")), rounds=3)
    radio, bytes_ = max(rates), telegram_rate(100_000, "bytes")
    benchmark.extra_info.update(transmissions_s=radio, of_it_with_bytes=bytes_ / radio)
    assert radio > 0.9 * bytes_
