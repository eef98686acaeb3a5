"""Free space (ITU-R P.525): 20 log10 f + 20 log10 d - 27.55. Nothing in the way; a bound from below."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim.radio.models.port import F64, FREQUENCY_MHZ, Path

_CONSTANT_DB = 20 * math.log10(4e6 * math.pi / 299_792_458)  # d in m, f in MHz: -27.55


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """See the file."""

    id: str = "free-space"
    source: str = "ITU-R P.525"
    sigma_db: float = 0.0

    def loss_db(self, path: Path, frequency_mhz: float = FREQUENCY_MHZ) -> F64:
        loss: F64 = 20 * np.log10(path.distance_m) + 20 * math.log10(frequency_mhz) + _CONSTANT_DB
        return loss


MODEL = FreeSpace()
