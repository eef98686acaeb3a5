"""How fast readings are stored, as ratios to what is measured in the same run; a busy machine meets them too."""

from __future__ import annotations

from typing import Any

import pytest

from bench.perf.air import simpy_timeouts
from bench.perf.readings import rates


@pytest.mark.parametrize(("security", "least"), [("mode5", 1.2), ("mode7", 1.0)])
def test_from_reception_to_the_store(benchmark: Any, security: Any, least: float) -> None:
    """100 000 meters in one shard: every telegram received is bundled, decrypted, checked and written. A million a
    second are some two of SimPy's time-outs each; a step done in Python for each telegram would be a tenth of that."""
    pytest.importorskip("pyarrow")
    measured = []
    benchmark.pedantic(lambda: measured.append(rates(100_000, security, windows=4)), rounds=2)
    path, whole = max(one.path for one in measured), max(one.whole for one in measured)
    timeouts = simpy_timeouts()
    benchmark.extra_info.update(readings_s=path, with_the_air=whole, times_simpy_timeouts=path / timeouts)
    assert path / timeouts > least
    assert whole <= path
