"""COST 231 multi-wall: free space, 3.4 dB a light wall, 6.9 dB a heavy one, floors 18.3 n^((n + 2) / (n + 1) - 0.46).

Fitted near 1.8 GHz: an upper bound at 868 MHz. Inner walls count as light, outer ones as heavy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.radio.models.free_space import MODEL as FREE_SPACE
from sim.radio.models.port import F64, FREQUENCY_MHZ, Path


@dataclass(frozen=True, slots=True)
class MultiWall:
    """See the file."""

    id: str = "multi-wall"
    source: str = "COST 231 final report, chapter 4: multi-wall model"
    sigma_db: float = 0.0
    light_db: float = 3.4
    heavy_db: float = 6.9
    floor_db: float = 18.3
    bend: float = 0.46

    def loss_db(self, path: Path, frequency_mhz: float = FREQUENCY_MHZ) -> F64:
        walls = self.light_db * path.inner_walls + self.heavy_db * path.outer_walls
        return FREE_SPACE.loss_db(path, frequency_mhz) + walls + self.floors_db(path.floors)

    def floors_db(self, floors: F64) -> F64:
        """Fewer decibels for each further floor."""
        n = np.maximum(floors, 1e-300)
        loss: F64 = np.where(floors > 0, self.floor_db * n ** ((n + 2) / (n + 1) - self.bend), 0.0)
        return loss


MODEL = MultiWall()
