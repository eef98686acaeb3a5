"""Figures of a world's real gateways, beside those of its clock: what was fed, what came, how late."""

from __future__ import annotations

from typing import Final

from bench.rig.scenario import Stage
from sim.core.clock import NS_PER_MS
from sim.core.wall_clock import WallClock
from sim.truth.given_values import judged

_FIGURES: Final = (
    ("frames_handed", "telegrams handed over", ""),
    ("frames_torn", "telegrams it was not given whole", ""),
    ("delivered", "telegrams that came back", ""),
    ("handed_late_p99_ms", "handed over late, p99", "ms"),
    ("latency_p50_ms", "from the air to its delivery, p50", "ms"),
    ("latency_p99_ms", "from the air to its delivery, p99", "ms"),
)


def measure_real(stage: Stage) -> None:
    """Of a world that passes by the wall's clock; of others nothing."""
    clock = stage.inner.clock
    if not isinstance(clock, WallClock):
        return
    stage.measure("the world behind its wall clock, at most", clock.lateness.worst_ns / NS_PER_MS, "ms")
    for gateway in (one for one in stage.inner.gateways if one.real):
        said = gateway.as_json()
        for key, name, unit in _FIGURES:
            value = said[key]
            assert isinstance(value, int | float)
            stage.measure(f"{gateway.id}: {name}", value, unit)
        found = judged(stage.truth, gateway)
        if found.all:
            stage.measure(f"{gateway.id}: deliveries of values", found.all)
            stage.measure(f"{gateway.id}: of which those of a telegram that the meter sent", found.true)
