"""ITU-R P.1238-11, site-general: 10 a log10 d + b + 10 c log10 f (GHz), sigma as given; office, out of sight.

Scope: one floor, 4 to 30 m. There is no residential row; in its table an office in sight has a 1.46, b 34.62, c 2.03,
sigma 3.76. Floors are not in this form: where one is crossed, the older form's 4 dB each are added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim.radio.models.p1238 import MODEL as OLDER
from sim.radio.models.port import F64, FREQUENCY_MHZ, Path


@dataclass(frozen=True, slots=True)
class P123811:
    """`distance`, `fixed_db`, `frequency`: a, b, c."""

    id: str = "p1238-11"
    source: str = "ITU-R P.1238-11, office out of sight"
    sigma_db: float = 5.04
    distance: float = 2.46
    fixed_db: float = 29.53
    frequency: float = 2.38

    def loss_db(self, path: Path, frequency_mhz: float = FREQUENCY_MHZ) -> F64:
        fixed = self.fixed_db + 10 * self.frequency * math.log10(frequency_mhz / 1_000)
        loss: F64 = fixed + 10 * self.distance * np.log10(path.distance_m) + OLDER.floor_db * path.floors
        return loss


MODEL = P123811()
IN_SIGHT = P123811("p1238-11-sight", "ITU-R P.1238-11, office in sight", 3.76, 1.46, 34.62, 2.03)
