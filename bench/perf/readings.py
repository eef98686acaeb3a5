"""What the rest of the path costs: telegrams a second, from what a city's gateways received to readings in the store.

Built, bundled, handed over as bytes, looked up, checked, decrypted, read, judged, held against the fleet's truth and
written as columns to disk; copies heard by other gateways are carried along and do not count. `whole` counts the air
before it too.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.perf.city import world
from sim.city.plan import Blocks, CityPlan
from sim.city.shard import Shard
from sim.city.stored_readings import Readings
from sim.core.clock import NS_PER_HOUR
from sim.core.vocabulary import Security

_WARM = 3  # windows: the first begins at midnight, the second compiles, the third is the first with late bundles


@dataclass(frozen=True, slots=True)
class Rates:
    """Readings stored a second of processor time: `path` from reception to store, `whole` with the air before it."""

    path: float
    whole: float


def rates(meters: int = 100_000, security: Security = "mode5", windows: int = 6) -> Rates:
    """The best window of a city in one shard."""
    spec = world(meters).with_setting("fleet.security", security)
    path = whole = 0.0
    with tempfile.TemporaryDirectory(prefix="wmbench-readings-") as folder:
        plan = CityPlan(spec, 1, 4 * NS_PER_HOUR, "readings", out=Path(folder))
        shard = Shard(plan, Blocks.of(plan.spec).tiles(1)[0])
        readings = Readings(plan, shard, 0, plan.out)
        for number, until_ns in enumerate(plan.windows()[: _WARM + windows]):
            before, begun = readings.stored, time.process_time()
            heard = shard.window(until_ns, detail=True)
            flown = time.process_time()
            assert heard.batch is not None
            readings.window(heard.batch, len(heard.meter), until_ns)
            done, stored = time.process_time(), readings.stored - before
            if number >= _WARM:
                path, whole = max(path, stored / (done - flown)), max(whole, stored / (done - begun))
        readings.abandon()
    return Rates(path, whole)
