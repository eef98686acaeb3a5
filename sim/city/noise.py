"""Jammers of a city: noise beside a gateway without a pause, at each gateway as loud as the distance says.

The noise of a window is a burst on each channel at each receiver that it reaches; one that goes on into the next window
is another burst there, so that no window matters.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.city.plan import CityPlan, Jammer
from sim.core.clock import ns
from sim.radio.emissions import Emission
from sim.radio.link_modes import Mode
from sim.radio.propagation import Propagation, centimetres
from sim.radio.reference import IntruderFrame, Pair
from sim.site_plan import site_of

I64 = NDArray[np.int64]
QUIETEST_CDBM: Final = -12_000
"""Noise below this is left out: it is below what any receiver's own noise is."""
_CHANNELS: Final = (Mode.T1, Mode.S1)  # T1 and C1 share one


class Noise:
    """Of one shard. `receivers`: numbers of the world; `sources`: numbers from there on are free on the shard's air."""

    def __init__(self, plan: CityPlan, receivers: I64, propagation: Propagation, sources: int) -> None:
        self._sources, self._bursts = sources, 0
        self._jammers: list[tuple[Jammer, list[tuple[int, int]]]] = []
        if not plan.jammers:
            return
        site = site_of(plan.spec, only=np.zeros(1, np.int64))
        there = centimetres(site.gateways)[receivers]
        for one in plan.jammers:
            place = centimetres(site.beside_gateway(one.gateway, one.metres)[None])
            level = round(one.power_dbm * 100) - propagation.loss_cdb(place, there)[0]
            loud = np.flatnonzero(level >= QUIETEST_CDBM)
            self._jammers.append((one, list(zip(loud.tolist(), level[loud].tolist(), strict=True))))

    def bursts(self, begin_ns: int, until_ns: int) -> list[IntruderFrame]:
        """What begins in [begin, until)."""
        out = []
        for number, (one, loud) in enumerate(self._jammers):
            low = max(begin_ns, ns(one.from_s))
            high = min(until_ns, ns(one.from_s + one.lasting_s))
            if low >= high:
                continue
            for mode in _CHANNELS:
                burst = Emission(self._sources + number, self._bursts, mode, low, high, 0, round(one.power_dbm * 100),
                                 _no_bytes, None, True)  # fmt: skip
                self._bursts += 1
                out.append(IntruderFrame(burst, [Pair(at, level, 0, False, False) for at, level in loud]))
        return out


def _no_bytes(source: int, k: int) -> bytes:
    raise ValueError(f"noise ({source}, {k}) has no bytes")
