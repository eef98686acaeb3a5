"""What came out of a sweep: each point's figures over its seeds, the closed form beside them, and what was expected.

The rule kept here: all of it is worked out from finished shards, never from how they were made, so that the digest of a
sweep is the same for any number of workers, on a cluster, and after it was taken up again.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from bench.sweep import closed_form
from bench.sweep.closed_form import Form
from bench.sweep.grid import Expectation, Point, Sweep
from bench.sweep.point_measures import of_depth
from sim.city.conduct import CityResult, ShardResult, combined

CURVE_POINTS: Final = 60
Results = Mapping[tuple[int, int], CityResult]


def results(sweep: Sweep, shards: Mapping[tuple[int, int, int], ShardResult]) -> dict[tuple[int, int], CityResult]:
    """City results of points and seeds whose shards are all there."""
    by_run: dict[tuple[int, int], list[ShardResult]] = {}
    for (point, seed, _), shard in sorted(shards.items()):
        by_run.setdefault((point, seed), []).append(shard)
    out = {}
    for (point, seed), done in by_run.items():
        plan = sweep.plan(sweep.points[point], seed)
        took_s = sum(one.build_s + one.run_s for one in done)
        out[point, seed] = combined(plan, done, 1, took_s)
    return out


def as_json(sweep: Sweep, found: Results) -> dict[str, Any]:
    """The sweep as JSON: `points` in order, `failed` expectations, `worst` point with its map, `curve` of the closed
    form over load where one holds at every point, `digest` of all telegrams received."""
    forms = [closed_form.of(sweep.plan(point, sweep.spec.seeds[0])) for point in sweep.points]
    points = [_point(sweep, point, forms[point.number], found) for point in sweep.points]
    worst = min(points, key=lambda row: row["figures"]["delivery_ratio"]["mean"])
    return {
        "title": sweep.spec.title,
        "world": sweep.spec.world,
        "hours": sweep.spec.hours,
        "depth": sweep.spec.depth,
        "seeds": list(sweep.spec.seeds),
        "vary": [{"keys": list(keys), "values": [list(value) for value in values]} for keys, values in sweep.axes],
        "points": points,
        "failed": [
            f"{row['name']}: {one['text']}, found {one['found']:.4g}"
            for row in points for one in row["expected"] if not one["held"]
        ],
        "worst": {"point": worst["number"], "blocks": _blocks(sweep, worst["number"], found)},
        "curve": _curve([form for form in forms if isinstance(form, Form)], points),
        "digest": _digest(found),
    }  # fmt: skip


def _point(sweep: Sweep, point: Point, form: Form | str, found: Results) -> dict[str, Any]:
    runs = [found[point.number, seed] for seed in sweep.spec.seeds]
    figures = {name: _spread([figure(run) for run in runs]) for name, figure in of_depth(sweep.spec.depth).items()}
    pairs = statistics.fmean(sum(run.fates.values()) for run in runs)
    air_time_s = closed_form.mean_air_time_ns(point.spec) / 1e9
    value = form.delivered(closed_form.load(point.spec)) if isinstance(form, Form) else None
    expected = [
        judged(one, figures[one.figure]["mean"], value)
        for one in sweep.expectations if one.holds_at(point.settings)
    ]  # fmt: skip
    return {
        "number": point.number,
        "name": point.name,
        "settings": point.settings,
        "meters": point.spec.meters,
        "gateways": point.spec.gateways,
        "load": pairs * air_time_s / (point.spec.gateways * sweep.spec.hours * 3_600),
        "figures": figures,
        "fates": {
            label: statistics.fmean(run.fates[label] / max(1, sum(run.fates.values())) for run in runs)
            for label in runs[0].fates
        },
        "formula": value,
        "formula_name": form.name if isinstance(form, Form) else "",
        "formula_why": form.assumes if isinstance(form, Form) else form,
        "expected": expected,
        "held": all(one["held"] for one in expected),
        "digests": {str(seed): run.received_digest for seed, run in zip(sweep.spec.seeds, runs, strict=True)},
        "cpu_s": round(sum(run.wall_s for run in runs), 2),
    }  # fmt: skip


def _spread(values: list[float]) -> dict[str, float]:
    """`spread`: the standard deviation over seeds; 0 with one seed."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": statistics.fmean(values), "low": min(values), "high": max(values), "spread": spread}


def judged(one: Expectation, found: float, formula: float | None) -> dict[str, Any]:
    """Whether a figure is what was expected; `formula`: the closed form's value."""
    if one.limit == "formula":
        assert formula is not None  # sweep_plan refused it otherwise
        held = abs(found - formula) <= one.value
    else:
        held = found >= one.value if one.limit == "min" else found <= one.value
    return {
        "figure": one.figure, "limit": one.limit, "value": one.value, "text": one.text, "found": found, "held": held,
    }  # fmt: skip


def _blocks(sweep: Sweep, point: int, found: Results) -> dict[str, Any]:
    """The map of one point, all seeds together."""
    maps = [found[point, seed].blocks for seed in sweep.spec.seeds]
    return {
        "columns": maps[0]["columns"],
        "rows": maps[0]["rows"],
        **{key: np.sum([one[key] for one in maps], axis=0).tolist() for key in ("sent", "heard")},
    }


def _curve(forms: list[Form], points: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """(load, delivered): one curve for all points, if it is one formula of the load alone."""
    if len(forms) < len(points) or len(set(forms)) > 1:
        return []
    loads = [row["load"] for row in points]
    low, high = min(loads), max(loads)
    return [(x, forms[0].delivered(x)) for x in np.geomspace(low, high, CURVE_POINTS).tolist()] if high > low else []


def _digest(found: Results) -> str:
    rows = [f"{point} {seed} {run.received_digest}" for (point, seed), run in sorted(found.items())]
    return hashlib.blake2b("\n".join(rows).encode(), digest_size=8).hexdigest()
