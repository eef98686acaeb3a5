"""The knee in processor time: what each thread that carries the service takes of a processor for a bundle, and so the
load at which one processor of its own would be full.

A knee that is searched for is one of the machine at that hour: what other programs take moves it. A thread's processor
time a bundle (utime and stime of /proc/PID/stat) does not grow when others run. It still is one of the hour: how fast a
processor of a rented machine is may change by 1.6 within a second (yardstick), a take of fewer gateways costs less, and
the store's growth adds a third over 8 000 bundles. What is compared between runs is the ratio of paired_knee.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from bench.load.load_orders import Stored
from bench.load.outcome import Outcome
from bench.load.paired_knee import interval
from bench.load.portal_process import TAKE_MOST

THREADS: Final = ("broker", "companion", "portal", "takers")
"""Groups of processes that are one thread of work each."""
LEAST_TAKES: Final = 4
LEAST_S: Final = 0.5
"""Of a thread's processor time in a trial: /proc counts in hundredths of a second."""


def costs_s(trial: Outcome) -> dict[str, float]:
    """Thread -> seconds of a processor for a bundle that was stored; without those that took too little to tell."""
    if not trial.stored:
        return {}
    told = {id_: spent_s / trial.stored for id_ in THREADS if (spent_s := trial.spent_s.get(id_, 0.0)) >= LEAST_S}
    return told if trial.full_take_s is None or "portal" not in told else told | {"portal": trial.full_take_s}


def full_take_s(stored: Stored, bundles: int) -> float | None:
    """Of a processor for a bundle, in a portal whose takes are full, and what reading costs. Of LEAST_TAKES full ones
    and more the one in the middle: some are slow by what others did to the caches. Of fewer what a take costs at its
    size, by a straight line over all takes (a commit and its answers cost as much for one bundle as for many): a
    machine that starves the broker makes takes small; so does a load that is low. None of fewer than LEAST_TAKES."""
    if len(stored.each_take) < LEAST_TAKES or not bundles:
        return None
    sizes, spent_s = np.array(stored.each_take).T
    a_bundle_s = spent_s.sum() / sizes.sum()
    full = sizes == TAKE_MOST
    if full.sum() >= LEAST_TAKES:
        a_bundle_s = np.median(spent_s[full]) / TAKE_MOST
    elif sizes.std() > 0:
        slope_s, fixed_s = np.polyfit(sizes, spent_s, 1)
        if slope_s > 0 and fixed_s > 0:
            a_bundle_s = slope_s + fixed_s / TAKE_MOST
    return float(a_bundle_s + stored.read_s / bundles)


def pairs(searched: Sequence[tuple[Sequence[Outcome], Sequence[Outcome]]]) -> list[tuple[Outcome, Outcome]]:
    """(ours, of the clients in C) at the same load, the highest of each run that both have. `searched`: of each run its
    trials, and those of the clients in C."""
    found = []
    for ours, by_c in searched:
        last = {one.per_s: one for one in ours if costs_s(one)}
        both = [one for one in by_c if one.per_s in last and costs_s(one)]
        if both:
            most = max(both, key=lambda one: one.per_s)
            found.append((last[most.per_s], most))
    return found


def answer(searched: Sequence[tuple[Sequence[Outcome], Sequence[Outcome]]]) -> dict[str, Any] | None:
    """None where no trial took long enough. Medians over the runs; `thread`: the one that is full first."""
    both = pairs(searched)
    ours = [one for one, _ in both]
    if not both:
        told = [[one for one in trials if costs_s(one)] for trials, _ in searched]
        ours = [max(some, key=lambda one: one.per_s) for some in told if some]
    if not ours:
        return None
    cost = _medians([costs_s(one) for one in ours])
    thread = max(cost, key=lambda id_: cost[id_])
    c_cost = _medians([costs_s(one) for _, one in both])
    full_at = [1 / costs_s(one)[thread] for one in ours if thread in costs_s(one)]
    return {
        "thread": thread, "per_s": ours[-1].per_s, "runs": len(ours),
        "ms_a_bundle": {id_: round(1e3 * one, 4) for id_, one in cost.items()},
        "ms_a_bundle_by_c": {id_: round(1e3 * one, 4) for id_, one in c_cost.items()},
        "full_at_per_s": round(statistics.median(full_at), 2), "full_at_interval": interval(full_at),
    }  # fmt: skip


def _medians(some: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each thread that every run tells of."""
    every = set.intersection(*(set(one) for one in some)) if some else set()
    return {id_: statistics.median(one[id_] for one in some) for id_ in THREADS if id_ in every}
