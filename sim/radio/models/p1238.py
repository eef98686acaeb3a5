"""ITU-R P.1238, the form up to its tenth edition: 20 log10 f + N log10 d + Lf(n) - 28, residential: N = 28, Lf = 4 n.

Scope: indoors, distances above 1 m, one building; walls are in N. Outer walls count with `outer_wall_db` of the site.
sigma is that of its table for 1.8 to 2 GHz, residential.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim.radio.models.port import F64, FREQUENCY_MHZ, Path


@dataclass(frozen=True, slots=True)
class P1238:
    """`power`: N; `floor_db`: Lf of one floor."""

    id: str = "p1238"
    source: str = "ITU-R P.1238, residential"
    sigma_db: float = 8.0
    power: float = 28.0
    floor_db: float = 4.0

    def loss_db(self, path: Path, frequency_mhz: float = FREQUENCY_MHZ) -> F64:
        fixed = 20 * math.log10(frequency_mhz) - 28
        loss: F64 = fixed + self.power * np.log10(path.distance_m) + self.floor_db * path.floors
        return loss


MODEL = P1238()
