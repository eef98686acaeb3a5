"""Path loss from measured levels: exponent, floor, outer wall, power and spread, with their covariance.

The form is that of ITU-R P.1238, so that a fit replaces its numbers one by one:

    power - level = 20 log10(f / MHz) - 28 + N log10(d / m) + Lf floors + Lw outer walls + N(0, sigma)

A link that was expected and not heard says that its level lies below the receiver's sensitivity. Leaving such links out
makes far places look better than they are, so they count as what they are, censored observations, and the likelihood of
both kinds is maximised (Tobin 1958). In gamma = beta / sigma, theta = 1 / sigma it is concave (Olsen 1978): Newton's
steps end at its one maximum. Confidence comes from the curvature there; spread and covariance are widened by
n / (n - numbers), so that without unheard links all is what least squares says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.radio.models.port import F64, FREQUENCY_MHZ, Path

B8 = NDArray[np.bool_]
FEWEST_HEARD: Final = 8
"""Links heard without which nothing is fitted: four numbers and their spread need some to spare."""
TWO_SIDED_95: Final = 1.959964
_STEPS: Final = 200
_CLOSE: Final = 1e-10
_FAR: Final = -30.0  # below it, erfc is 0 and the tail's first terms are exact enough


class Links(NamedTuple):
    """Arrays of one length. `level_dbm`: the middle level of a link, NaN where it was not heard."""

    path: Path
    level_dbm: F64


class CannotFit(ValueError):
    """Too little, or nothing that tells the numbers apart."""


@dataclass(frozen=True, slots=True)
class Fit:
    """`names`: of what was fitted, as `values` and `covariance` (n, n) have them; `sigma_db` is the last of them. A
    number that the links could not tell is in neither. `heard`, `unheard`: links."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    heard: int
    unheard: int
    not_told: tuple[str, ...] = field(default=())

    def get(self, name: str, otherwise: float) -> float:
        return self.values[self.names.index(name)] if name in self.names else otherwise

    def interval(self, name: str) -> tuple[float, float]:
        """95 of 100, two-sided."""
        at = self.names.index(name)
        half = TWO_SIDED_95 * math.sqrt(self.covariance[at][at])
        return self.values[at] - half, self.values[at] + half


def fit(links: Links, *, power_dbm: float | None, sensitivity_dbm: float | None) -> Fit:
    """`power_dbm`: radiated, gains included; None: unknown, and fitted. `sensitivity_dbm`: needed where links are
    unheard. Raises CannotFit."""
    heard = ~np.isnan(links.level_dbm)
    if heard.sum() < FEWEST_HEARD:
        raise CannotFit(f"{heard.sum()} links were heard and a fit needs {FEWEST_HEARD}; measure at more places")
    if not heard.all() and sensitivity_dbm is None:
        raise CannotFit(
            f"{(~heard).sum()} links were not heard; say how weak a frame the receiver hears (--sensitivity-dbm)"
        )
    level = np.where(heard, links.level_dbm, sensitivity_dbm if sensitivity_dbm is not None else 0.0)
    loss = (power_dbm or 0.0) - level - (20 * math.log10(FREQUENCY_MHZ) - 28)
    offered = {
        "power": np.log10(links.path.distance_m),
        "floor_db": links.path.floors,
        "outer_wall_db": links.path.outer_walls,
    }
    if power_dbm is None:
        offered["power_dbm"] = np.full(len(loss), -1.0)
    names, columns, dropped = _told(offered, heard)
    beta, sigma, covariance = _maximum(np.stack(columns, axis=1), loss, heard)
    values = (*map(float, beta), sigma)
    return Fit(
        (*names, "sigma_db"), values, tuple(tuple(map(float, row)) for row in covariance),
        int(heard.sum()), int((~heard).sum()), dropped,
    )  # fmt: skip


def _told(offered: dict[str, F64], heard: B8) -> tuple[list[str], list[F64], tuple[str, ...]]:
    """Those whose numbers the heard links can tell apart, in this order; the others by name."""
    names: list[str] = []
    columns: list[F64] = []
    for name, column in offered.items():
        with_it = np.stack([*columns, column], axis=1)[heard]
        scale = np.abs(with_it).max(axis=0)
        if (scale > 0).all() and np.linalg.matrix_rank(with_it / scale, tol=1e-6 * math.sqrt(len(with_it))) == len(
            scale
        ):
            names.append(name)
            columns.append(column)
    if "power" not in names:
        raise CannotFit("all links are 1 m long; measure at several distances")
    return names, columns, tuple(name for name in offered if name not in names)


def _maximum(x: F64, y: F64, heard: B8) -> tuple[F64, float, F64]:
    """(beta, sigma, covariance of both). Raises CannotFit."""
    seen, limit = x[heard], x[~heard]
    beta = np.linalg.lstsq(seen, y[heard], rcond=None)[0]
    rest = y[heard] - seen @ beta
    sigma = math.sqrt(float(rest @ rest) / len(rest))
    if sigma < 1e-6:
        raise CannotFit("the levels fit exactly, which no measurement does; give the log of a receiver")
    at = np.append(beta, 1.0) / sigma
    value, gradient, curve = _likelihood(at, seen, y[heard], limit, y[~heard])
    for _ in range(_STEPS):
        step = np.linalg.solve(curve, -gradient)
        size = 1.0
        while True:
            then = at + size * step
            if then[-1] > 0:
                new = _likelihood(then, seen, y[heard], limit, y[~heard])
                if new[0] >= value - 1e-12 * abs(value):
                    break
            size /= 2
            if size < _CLOSE:
                raise CannotFit("the fit does not settle; are far links missing, or all levels alike?")
        at, (value, gradient, curve) = then, new
        if float(np.abs(step).max()) < _CLOSE * float(np.abs(at).max()):
            break
    theta = float(at[-1])
    widen = len(y) / (len(y) - len(beta))
    # beta = gamma / theta, sigma = 1 / theta: the covariance goes with the derivatives
    turn = np.zeros((len(at), len(at)))
    turn[:-1, :-1] = np.eye(len(at) - 1) / theta
    turn[:-1, -1] = -at[:-1] / theta**2
    turn[-1, -1] = -1 / theta**2
    covariance = widen * turn @ np.linalg.inv(-curve) @ turn.T
    return at[:-1] / theta, math.sqrt(widen) / theta, (covariance + covariance.T) / 2


def _likelihood(at: F64, seen: F64, y: F64, limit: F64, c: F64) -> tuple[float, F64, F64]:
    """(log likelihood, its gradient, its curvature) at (gamma, theta)."""
    gamma, theta = at[:-1], float(at[-1])
    rest = theta * y - seen @ gamma
    value = len(y) * math.log(theta) - 0.5 * float(rest @ rest)
    by = np.concatenate([-seen, y[:, None]], axis=1)  # of rest
    gradient = -by.T @ rest
    curve = -by.T @ by
    gradient[-1] += len(y) / theta
    curve[-1, -1] -= len(y) / theta**2
    if len(c):
        z = limit @ gamma - theta * c  # such a link's loss is above c
        logs, mills = _tail(z)
        value += float(logs.sum())
        by = np.concatenate([limit, -c[:, None]], axis=1)
        gradient = gradient + by.T @ mills
        curve = curve - (by * (mills * (z + mills))[:, None]).T @ by
    return value, gradient, curve


def _tail(z: F64) -> tuple[F64, F64]:
    """(log of the normal distribution up to z, density / distribution)."""
    below = np.array([0.5 * math.erfc(-one / math.sqrt(2)) for one in np.maximum(z, _FAR)])
    logs = np.log(below)
    far = z < _FAR
    if far.any():
        t = z[far]
        logs[far] = -t * t / 2 - np.log(-t) - 0.5 * math.log(2 * math.pi) + np.log1p(-1 / t**2)
    density: Any = -z * z / 2 - 0.5 * math.log(2 * math.pi)
    return logs, np.exp(density - logs)
