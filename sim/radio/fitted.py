"""A propagation model of a user's own: the numbers of a fit (fit.py), kept in a file.

The file is TOML with the numbers, their covariance, and how many links they rest on. What a fit could not tell keeps
the number of ITU-R P.1238, or of P.2109 for outer walls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path as File

import numpy as np

from sim.core.quoting import quoted
from sim.core.settings import SpecError, build, number, read_toml
from sim.radio.building_entry import entry_loss_db
from sim.radio.fit import Fit
from sim.radio.models.p1238 import MODEL as P1238
from sim.radio.models.port import F64, FREQUENCY_MHZ, Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A Model (models/port.py). `power`: N, ten times the exponent. `power_dbm`: that the fit found, or None."""

    source: str
    power: float = number(P1238.power, low=0.0, high=120.0)
    floor_db: float = number(P1238.floor_db, low=-20.0, high=60.0)
    outer_wall_db: float = number(round(entry_loss_db("traditional", FREQUENCY_MHZ, 0.5), 2), low=-20.0, high=60.0)
    sigma_db: float = number(P1238.sigma_db, low=0.0, high=40.0)
    power_dbm: float | None = number(None, low=-60.0, high=60.0)
    heard: int = number(0, low=0, high=10**9)
    unheard: int = number(0, low=0, high=10**9)
    names: tuple[str, ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()

    @property
    def id(self) -> str:
        return "fitted"

    def loss_db(self, path: Path, frequency_mhz: float = FREQUENCY_MHZ) -> F64:
        """Median loss of each path in dB."""
        fixed = 20 * math.log10(frequency_mhz) - 28
        walls = self.outer_wall_db * path.outer_walls
        loss: F64 = fixed + self.power * np.log10(path.distance_m) + self.floor_db * path.floors + walls
        return loss


def of(fit: Fit, source: str) -> Fitted:
    """Its numbers."""
    told = dict(zip(fit.names, fit.values, strict=True))
    return Fitted(
        source=source, heard=fit.heard, unheard=fit.unheard, names=fit.names, covariance=fit.covariance, **told
    )


def load(path: File) -> Fitted:
    """Raises SpecError."""
    table, place = read_toml(path)
    told = build(Fitted, table, place)
    size = len(told.names)
    if len(told.covariance) != size or any(len(row) != size for row in told.covariance):
        raise place.error("covariance", f"has a row and a column for each of names, {size}")
    for at, name in enumerate(told.names):
        if name not in ("power", "floor_db", "outer_wall_db", "power_dbm", "sigma_db"):
            raise place.error(f"names[{at}]", f"{quoted(name)} is nothing that a fit has")
    matrix = np.array(told.covariance, dtype=np.float64).reshape(size, size)
    if size and (
        not np.isfinite(matrix).all()
        or not np.allclose(matrix, matrix.T)
        or np.linalg.eigvalsh(matrix).min() < -1e-9 * abs(matrix).max()
    ):
        raise SpecError(f"{path}: covariance: is none, as it is not symmetric or has a negative direction; fit anew")
    return told
