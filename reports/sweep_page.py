"""report.html of a sweep: delivery against load with the closed form beside it, what became of frames at each point, a
map of the worst point, and all points in a table, from run.json and sweep.json.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from reports import page, plots
from reports.city_page import lowest, map_of, read_json

LOAD: Final = "load at a gateway, erlang (air time begun / time)"
LOAD_VARIES: Final = 1.3  # times; less is no axis


def write(directory: Path) -> Path:
    """Raises RunError when the sweep was not finished, OSError when the disk is full."""
    return page.write(directory, render(read_json(directory / "run.json"), read_json(directory / "sweep.json")))


def render(run: dict[str, Any], sweep: dict[str, Any]) -> str:
    points = sweep["points"]
    keys = [key for axis in sweep["vary"] for key in axis["keys"]]
    worst = points[sweep["worst"]["point"]]
    return page.environment().get_template("sweep.html.j2").render(
        run=run, sweep=sweep, points=points, keys=keys, worst=worst, against=curves(sweep),
        expected=[one for point in points for one in point["expected"]],
        stacked=_drawn(plots.stacked(points), "fates", _fates_in_words(points)),
        formulas=sorted({(p["formula_name"], p["formula_why"]) for p in points if p["formula"] is not None}),
        without=sorted({p["formula_why"] for p in points if p["formula"] is None}),
        **map_of(sweep["worst"]["blocks"], "map"), blocks=lowest(sweep["worst"]["blocks"]),
    )  # fmt: skip


def curves(sweep: dict[str, Any]) -> list[str]:
    """Delivery against load, where that varies, and against the first varied key that is a number."""
    points = sweep["points"]
    out = []
    loads = [point["load"] for point in points]
    if min(loads) > 0 and max(loads) / min(loads) >= LOAD_VARIES:
        rest = _others(sweep, max((axis["keys"][0] for axis in sweep["vary"]), key=lambda key: _moves_load(sweep, key)))
        out.append(_drawn(plots.against(points, "load", LOAD, sweep["curve"], rest), "load", _in_words(points, "load")))
    for key in (axis["keys"][0] for axis in sweep["vary"]):
        drawn = plots.against(points, key, key, (), _others(sweep, key))
        if drawn is not None:
            return [*out, _drawn(drawn, "key", _in_words(points, key))]
    return out


def _others(sweep: dict[str, Any], key: str) -> list[str]:
    """For each point what else is varied than by the axis of `key`."""
    axes = [axis["keys"] for axis in sweep["vary"]]
    own = next(axis for axis in axes if key in axis)
    rest = [name for axis in axes if axis is not own for name in axis]
    return [", ".join(f"{name} = {point['settings'][name]}" for name in rest) for point in sweep["points"]]


def _moves_load(sweep: dict[str, Any], key: str) -> float:
    """How far the load goes, largest / least, where all but the axis of `key` stays as at the first point."""
    others = _others(sweep, key)
    loads = [point["load"] for point, rest in zip(sweep["points"], others, strict=True) if rest == others[0]]
    return float(max(loads) / min(loads))


def _drawn(figure: Any, prefix: str, words: str) -> str:
    return Markup(plots.as_svg(figure, prefix, words)) if figure is not None else ""


def _in_words(points: list[dict[str, Any]], x: str) -> str:
    def text(point: dict[str, Any]) -> str:
        at = f"{point['load']:.4g}" if x == "load" else str(point["settings"][x])
        formula = "" if point["formula"] is None else f" (closed form {point['formula']:.4f})"
        return f"at {at}: {point['figures']['delivery_ratio']['mean']:.4f}{formula}"

    return f"Delivery ratio against {x}, " + "; ".join(text(point) for point in points[:40]) + "."


def _fates_in_words(points: list[dict[str, Any]]) -> str:
    rows = (
        f"{point['name']}: " + ", ".join(f"{name} {100 * part:.1f} %" for name, part in point["fates"].items() if part)
        for point in points[:40]
    )
    return "Frames at a gateway in reach by what became of them. " + "; ".join(rows) + "."
