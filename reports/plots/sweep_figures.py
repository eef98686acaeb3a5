"""The points of a sweep: delivery against load with the closed form beside it, and what became of frames at gateways.

against: simulated means as dots with a bar from the least to the largest seed; the closed form as a line where one
formula holds for all points, as crosses where it differs from point to point, not at all where none holds; a limit
that delivery is held to as a dashed line.

stacked: only frames that were in range of a gateway, each fate with a pattern of its own beside its colour; what was
out of range, which is no question of load, stands as a number at the end of the bar.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from reports import palette
from reports.plots.canvas import WIDTH_IN, axes_style, figure_of, half_figure, shorten, style
from sim.core.events import Fate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS: Final = 40
LOG_FROM: Final = 8.0  # an axis whose values span more than this is logarithmic
TICKED: Final = 8  # values that can each have their number under the axis
FAR: Final = Fate.OUT_OF_RANGE.label
MARKERS: Final = "os^Dv*"


def against(
    points: Sequence[dict[str, Any]], x: str, label: str, curve: Sequence[Sequence[float]] = (),
    series: Sequence[str] = (),
) -> Figure | None:  # fmt: skip
    """Delivery ratio over `x`: "load", or a key of the points' settings. `curve`: (x, delivery) of the closed form.
    `series`: for each point what its marker is to show. None where x does not vary or is no number."""
    at = [point["load"] if x == "load" else point["settings"].get(x) for point in points]
    if any(type(value) not in (int, float) for value in at) or len(set(at)) < 2:
        return None
    with style():
        return _against(points, [float(value) for value in at], label, curve, series)


def _against(
    points: Sequence[dict[str, Any]], at: list[float], label: str, curve: Sequence[Sequence[float]],
    series: Sequence[str],
) -> Figure:  # fmt: skip
    figure, axes = half_figure()
    ratios = [point["figures"]["delivery_ratio"] for point in points]
    theirs = [(x, point["formula"]) for x, point in zip(at, points, strict=True) if point["formula"] is not None]
    if curve:
        axes.plot(*zip(*curve, strict=True), color=palette.light("amber"), linewidth=1.5, label="closed form", zorder=2)
    elif theirs:
        axes.plot(*zip(*theirs, strict=True), "x", color=palette.light("amber"), markersize=7, label="closed form",
                  zorder=3)  # fmt: skip
    for x, ratio in zip(at, ratios, strict=True):
        axes.plot([x, x], [ratio["low"], ratio["high"]], color=palette.light("teal"), linewidth=1.2, zorder=3)
    for limit in expected_limits(points):
        axes.axhline(limit, color=palette.light("ink"), linewidth=0.8, linestyle="--", zorder=2,
                     label=f"expected limit {limit:g}")  # fmt: skip
    _markers(axes, at, [ratio["mean"] for ratio in ratios], series)
    _scale(axes, at)
    least = min(ratio["low"] for ratio in ratios)
    axes.set_ylim(0 if least < 0.6 else math.floor(10 * least - 1) / 10, 1.02)
    axes.locator_params(axis="y", nbins=6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(label, color=palette.light("muted"))
    figure.text(0.01, 0.955, "telegrams delivered / sent", color=palette.light("ink"), va="center")
    axes.legend(loc="best", frameon=True, framealpha=1.0, facecolor=palette.light("paper"), edgecolor="none",
                labelcolor=palette.light("muted"), handlelength=1.6)  # fmt: skip
    return figure


def expected_limits(points: Sequence[dict[str, Any]]) -> list[float]:
    """What delivery must not be below or above at one point or more."""
    return sorted({
        float(one["value"]) for point in points for one in point["expected"]
        if one.get("figure") == "delivery_ratio" and one["limit"] in ("min", "max")
    })  # fmt: skip


def _markers(axes: Axes, at: list[float], means: list[float], series: Sequence[str]) -> None:
    names = list(dict.fromkeys(series))
    if not 2 <= len(names) <= len(MARKERS):
        axes.plot(at, means, "o", color=palette.light("teal"), markersize=4.6, zorder=4,
                  label="simulated, mean and range of seeds")  # fmt: skip
        return
    for marker, name in zip(MARKERS, names, strict=False):
        own = sorted((x, y) for x, y, theirs in zip(at, means, series, strict=True) if theirs == name)
        axes.plot(*zip(*own, strict=True), marker=marker, color=palette.light("teal"), markersize=4.6, linewidth=0.7,
                  label=shorten(name), zorder=4)  # fmt: skip


def _scale(axes: Axes, at: list[float]) -> None:
    """Values of many sizes stand on a logarithmic axis, with plain numbers under it: a few whole ones themselves."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

    if min(at) > 0 and max(at) / min(at) > LOG_FROM:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(min(at) / 1.25, max(at) * 1.25)
    else:
        axes.locator_params(axis="x", nbins=7)
    if len(set(at)) <= TICKED and all(value.is_integer() for value in at):
        axes.xaxis.set_major_locator(FixedLocator(sorted(set(at))))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def stacked(points: Sequence[dict[str, Any]]) -> Figure | None:
    """What became of frames in range of a gateway, one bar a point; None for more points than can be read."""
    if not 1 <= len(points) <= MOST_BARS:
        return None
    with style():
        return _stacked(points)


def _stacked(points: Sequence[dict[str, Any]]) -> Figure:
    names = [name for name in palette.FATES if name != FAR and any(point["fates"].get(name) for point in points)]
    near = [max(1e-12, 1 - point["fates"].get(FAR, 0.0)) for point in points]
    row_in = 0.27
    height_in = row_in * len(points) + 0.8
    figure = figure_of(WIDTH_IN, height_in)
    axes = figure.add_axes((0.22, 0.42 / height_in, 0.63, row_in * len(points) / height_in))
    axes_style(axes)
    left = [0.0] * len(points)
    for name in names:
        shares = [point["fates"].get(name, 0.0) / whole for point, whole in zip(points, near, strict=True)]
        axes.barh(range(len(points)), shares, left=left, height=0.72, color=palette.light(palette.FATES[name]),
                  label=name, hatch=palette.HATCHES[name], edgecolor=palette.light("paper"), linewidth=0.4)  # fmt: skip
        for row, share in enumerate(shares):
            if share >= 0.055:
                axes.annotate(
                    f"{100 * share:.0f} %", (left[row] + share / 2, row), va="center", ha="center", fontsize=7,
                    color=palette.light("ink"),
                    bbox={"boxstyle": "round,pad=0.16", "facecolor": palette.light("paper"), "edgecolor": "none"},
                )  # fmt: skip
        left = [a + b for a, b in zip(left, shares, strict=True)]
    for row, whole in enumerate(near):
        axes.annotate(f"{100 * (1 - whole):.0f} % out of range", (1, row), xytext=(6, 0), textcoords="offset points",
                      va="center", color=palette.light("muted"), fontsize=7.6)  # fmt: skip
    axes.set_yticks(range(len(points)), [shorten(_brief(point["settings"]) or point["name"], 34) for point in points])
    axes.set_ylim(len(points) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", "20 %", "40 %", "60 %", "80 %", "100 %"])
    axes.tick_params(axis="y", length=0, labelcolor=palette.light("ink"))
    axes.set_xlabel("share of frames in range of a gateway", color=palette.light("muted"))
    axes.legend(loc="lower left", bbox_to_anchor=(-0.005, 1.0), ncols=len(names), frameon=False, borderaxespad=0.2,
                labelcolor=palette.light("ink"), handlelength=1.8, columnspacing=1.4)  # fmt: skip
    return figure


def _brief(settings: dict[str, Any]) -> str:
    """Settings; of several the last parts of their keys."""
    if len(settings) == 1:
        return ", ".join(f"{key} = {value}" for key, value in settings.items())
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in settings.items())
