"""The ratio of two knees that the portal's processor sets: what a bundle of a full take costs, by the clients in C over
by ours, from rounds of pairs. Pure: figures in, figures out.

A core of the portal's own is full at 1 / (its processor time a bundle), so the ratio of the two loads is the inverse of
that of the two times. A take: open, judge, store, commit, sign the acknowledgements. Its cost is told in times of the
yardstick, since a second of a processor is not always as much.

What it says: whether a knee that our generator finds is one of the portal or of how our generator brings its bundles.
The portal is the same program on both sides, so where the ratio is not near 1, one of the two makes it work harder: by
bundles of another size, other gateways in a take, what comes twice. It says nothing about how fast a machine is, nor
about a broker that is full first. Not in it: reading a bundle from the session (0.07 to 0.14 ms here, by how many come
at once), sending acknowledgements (the clients in C have no custody), takes that are not full, waiting for a disk.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from bench.load.paired_orders import Round
from bench.load.yardstick import NOMINAL_S

INTERVAL_MOST: Final = 0.1
"""From the least to the most of the runs' ratios, as a share of the one in the middle."""
PAIRS_LEAST: Final = 4


class Cost(NamedTuple):
    """Of the portal for a bundle of a full take, in the yardstick's times, of one run. `ratio`: the clients in C over
    ours, which is the load at which ours fills a core over theirs."""

    ours: float
    ratio: float


def cost(rounds: Sequence[Round]) -> Cost | None:
    """None of fewer than PAIRS_LEAST pairs."""
    ours, ratios = [], []
    for one in rounds:
        for (ours_s, ours_unit_s), (by_c_s, by_c_unit_s) in zip(one.ours.each_take, one.by_c.each_take, strict=True):
            ours.append(ours_s / ours_unit_s / one.take_most)
            ratios.append((by_c_s / by_c_unit_s) / (ours_s / ours_unit_s))
    return None if len(ratios) < PAIRS_LEAST else Cost(middle_half(ours), middle_half(ratios))


def middle_half(some: Sequence[float]) -> float:
    """The mean without the lower and the upper quarter: takes in which the processor changed its speed lie there."""
    ordered = sorted(some)
    out = len(ordered) // 4
    return statistics.fmean(ordered[out : len(ordered) - out])


def answer(runs: Sequence[Sequence[Round]]) -> dict[str, Any] | None:
    """Of all runs' rounds; None where no run has enough pairs. Milliseconds and loads are those of a machine on which
    the yardstick takes NOMINAL_S."""
    told = [(rounds, found) for rounds in runs if (found := cost(rounds)) is not None]
    if not told:
        return None
    costs = [found for _, found in told]
    ratios = [found.ratio for found in costs]
    full_at = [1 / (found.ours * NOMINAL_S) for found in costs]
    sides = [side for rounds, _ in told for one in rounds for side in (one.ours, one.by_c)]
    units_s = [unit_s for side in sides for _, unit_s in side.each_take]
    return {
        "runs": len(told), "rounds": len(told[0][0]), "pairs": sum(len(side.each_take) for side in sides) // 2,
        "ms_a_bundle": round(1e3 * NOMINAL_S * statistics.median(found.ours for found in costs), 4),
        "ms_a_bundle_by_c": round(1e3 * NOMINAL_S * statistics.median(found.ours * found.ratio for found in costs), 4),
        "full_at_per_s": round(statistics.median(full_at), 2), "full_at_interval": interval(full_at),
        "ratio": round(statistics.median(ratios), 4), "ratios": [round(one, 4) for one in ratios],
        "interval": interval(ratios),
        "yardstick_ms": {"nominal": 1e3 * NOMINAL_S, "least": round(1e3 * min(units_s), 3),
                         "middle": round(1e3 * statistics.median(units_s), 3), "most": round(1e3 * max(units_s), 3)},
    }  # fmt: skip


def words(rounds: Sequence[Round]) -> str:
    """What a run's rounds tell until now."""
    found = cost(rounds)
    if found is None:
        return "pairs: too few takes to tell"
    return (
        f"pairs: a bundle of a full take costs the portal {1e3 * NOMINAL_S * found.ours:.3f} ms where the yardstick "
        f"takes {1e3 * NOMINAL_S:g} ms; ours is full at {found.ratio:.3f} of the clients in C"
    )


def interval(some: Sequence[float]) -> float | None:
    """From the least to the most, as a share of the one in the middle. None of fewer than two."""
    return round((max(some) - min(some)) / statistics.median(some), 4) if len(some) > 1 else None
