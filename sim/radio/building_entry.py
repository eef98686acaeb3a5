"""ITU-R P.2109-2, building entry loss: what it takes to get into (or out of) a building, by the share of places.

    m1 = r + s l + t l^2 + 0.212 |elevation|    s1 = u + v l    m2 = w + x l    s2 = y + z l    l = log10(f / GHz)
    L(p) = 10 log10(10^(0.1 (s1 Q + m1)) + 10^(0.1 (s2 Q + m2)) + 10^-0.3)                       Q = Q^-1(p)

Scope: 80 MHz to 100 GHz. p is the share of places in which the loss is not exceeded.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final, Literal

TRADITIONAL: Final = (12.64, 3.72, 0.96, 9.6, 2.0, 9.1, -3.0, 4.5, -2.0)
EFFICIENT: Final = (28.19, -3.0, 8.48, 13.5, 3.8, 27.8, -2.9, 9.4, -2.1)
Building = Literal["traditional", "thermally efficient"]
_COEFFICIENTS: Final = {"traditional": TRADITIONAL, "thermally efficient": EFFICIENT}


def entry_loss_db(building: Building, frequency_mhz: float, share: float, elevation_deg: float = 0.0) -> float:
    """The loss not exceeded in this share (above 0, below 1) of places."""
    r, s, t, u, v, w, x, y, z = _COEFFICIENTS[building]
    tens, q = math.log10(frequency_mhz / 1_000), NormalDist().inv_cdf(share)
    first = (u + v * tens) * q + r + s * tens + t * tens**2 + 0.212 * abs(elevation_deg)
    second = (y + z * tens) * q + w + x * tens
    return 10 * math.log10(10 ** (0.1 * first) + 10 ** (0.1 * second) + 10**-0.3)
