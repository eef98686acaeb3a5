"""How well a score separates two kinds of things: the area under the ROC curve, within strata. No attack by itself.

It is the share of pairs (one of each kind, of the same stratum) in which the score puts the right one higher; ties
count half. 0.5 is chance, 1 is certainty. Strata keep out what is known without the score, such as the hour.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from numpy import asarray, float64, searchsorted, sort

BETTER_THAN_CHANCE: Final = 0.55
Scored = tuple[int, float, bool]  # stratum, score, is of the kind that is looked for


def separation(rows: Iterable[Scored]) -> float:
    """The area under the curve; 0.5 when no stratum has both kinds."""
    strata: dict[int, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for stratum, score, wanted in rows:
        strata[stratum][wanted].append(score)
    right, pairs = 0.0, 0
    for others, wanted_ones in strata.values():
        if not others or not wanted_ones:
            continue
        low = sort(asarray(others, dtype=float64))
        below = searchsorted(low, wanted_ones, side="left")
        upto = searchsorted(low, wanted_ones, side="right")
        right += float((below + upto).sum()) / 2
        pairs += len(others) * len(wanted_ones)
    return right / pairs if pairs else 0.5


def beyond_chance(wanted: int, others: int) -> float:
    """The area that a score has to be above to tell anything: 0.55, and a half plus three standard errors of the area
    that a score which says nothing has with so many of each kind (Mann and Whitney)."""
    error = math.sqrt((wanted + others + 1) / (12 * wanted * others)) if wanted and others else 0.5
    return max(BETTER_THAN_CHANCE, 0.5 + 3 * error)


def weighted(rows: Sequence[tuple[int, dict[str, float], bool]]) -> dict[str, float]:
    """Each feature's weight by how well it separates by itself, with its sign: area minus a half."""
    names = rows[0][1] if rows else {}
    return {name: separation((stratum, features[name], wanted) for stratum, features, wanted in rows) - 0.5
            for name in names}  # fmt: skip


def roc(rows: Iterable[Scored], points: int = 40) -> tuple[tuple[float, float], ...]:
    """(share of the others taken for it, share of the wanted found), from the highest score down, all strata together;
    none where one kind is missing."""
    ordered = sorted(rows, key=lambda row: -row[1])
    wanted = sum(row[2] for row in ordered)
    others = len(ordered) - wanted
    if not wanted or not others:
        return ()
    found, right, wrong = [(0.0, 0.0)], 0, 0
    step = max(1, len(ordered) // points)
    for place, (_, score, is_wanted) in enumerate(ordered, 1):
        right, wrong = right + is_wanted, wrong + (not is_wanted)
        last = place == len(ordered)
        if last or (ordered[place][1] != score and place >= step * len(found)):  # equal scores are one decision
            found.append((round(wrong / others, 4), round(right / wanted, 4)))
    return tuple(found)
