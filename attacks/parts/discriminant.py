"""What separates two kinds of rows best, learned from rows whose kind is known: Fisher's linear discriminant, within
strata. No attack by itself.

Features are taken as distances from the mean of their stratum, so what all rows of a stratum share (the time of day)
says nothing. A feature that never differs has no weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Row = tuple[int, Mapping[str, float], bool]
"""Stratum, features by name, is of the kind that is looked for."""
_RIDGE: Final = 0.05
"""Share of a feature's own variance that is added to it: features of few rows are not believed too much."""


def learned(rows: Sequence[Row]) -> dict[str, float]:
    """Weights by feature. Nothing is learned from rows of one kind: all weights are 0."""
    names = sorted(rows[0][1]) if rows else []
    wanted = np.array([row[2] for row in rows], dtype=bool)
    if not names or wanted.all() or not wanted.any():
        return dict.fromkeys(names, 0.0)
    centred = _centred(rows, names)
    scale = centred.std(axis=0)
    told = scale > 0
    if not told.any():
        return dict.fromkeys(names, 0.0)
    x = centred[:, told] / scale[told]
    means = x[wanted].mean(axis=0), x[~wanted].mean(axis=0)
    inside = np.where(wanted[:, None], x - means[0], x - means[1])
    spread = inside.T @ inside / len(x) + _RIDGE * np.eye(x.shape[1])
    weights = np.zeros(len(names))
    weights[told] = np.linalg.solve(spread, means[0] - means[1]) / scale[told]
    return dict(zip(names, weights.tolist(), strict=True))


def scores(rows: Sequence[Row], weights: Mapping[str, float]) -> list[tuple[int, float, bool]]:
    """(stratum, score, kind) of each row, as roc_auc takes them. Equal features have equal scores."""
    names = sorted(weights)
    if not rows:
        return []
    of = np.round(_centred(rows, names) @ np.array([weights[name] for name in names]), 9)
    return [(row[0], float(score), row[2]) for row, score in zip(rows, of, strict=True)]


def _centred(rows: Sequence[Row], names: Sequence[str]) -> NDArray[np.float64]:
    x = np.array([[row[1][name] for name in names] for row in rows], dtype=np.float64).reshape(len(rows), len(names))
    strata = np.array([row[0] for row in rows])
    for one in np.unique(strata):
        inside = strata == one
        x[inside] -= x[inside].mean(axis=0)
    return x
