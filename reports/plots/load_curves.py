"""What a load does to a service: latency over the load with the sentence's limit, and the tail of latencies by
percentile, as HdrHistogram draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from reports import palette
from reports.plots.canvas import half_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

LEAST_S: Final = 1e-4
TAIL: Final = (("p50_s", "50"), ("p90_s", "90"), ("p99_s", "99"), ("p99.9_s", "99.9"), ("p99.99_s", "99.99"))


def over_load(trials: Sequence[Mapping[str, Any]], within_s: float) -> Figure:
    """`trials`: as the answer has them: per_s, holds, driver, latency. A trial that stored nothing has no point."""
    with style():
        figure, axes = half_figure()
        shown = sorted((one for one in trials if one["latency"]["count"]), key=lambda one: one["per_s"])
        marks = (
            ("ours", True, "teal", "o", "holds"),
            ("ours", False, "red", "X", "breaks"),
            ("c", True, "muted", "^", "clients in C, holds"),
            ("c", False, "muted", "v", "clients in C, breaks"),
        )
        for driver, holds, colour, mark, label in marks:
            some = [one for one in shown if one["driver"] == driver and one["holds"] is holds]
            if some:
                axes.plot([one["per_s"] for one in some], [_s(one, "p99_s") for one in some], mark, markersize=5,
                          color=palette.light(colour), label=label)  # fmt: skip
        axes.axhline(within_s, color=palette.light("ink"), linewidth=0.8, linestyle=":", label=f"within {within_s:g} s")
        axes.set_xscale("log")
        _plain(axes.xaxis, (1.0, 2.0, 5.0))
        _seconds(axes)
        axes.set_xlabel("bundles a second", color=palette.light("muted"))
        axes.set_title("99 of 100 readings stored within, s", fontsize=8.2, loc="left", color=palette.light("muted"))
        axes.legend(loc="upper left", frameon=False)
        return figure


def tail(curves: Mapping[str, Mapping[str, Any]], within_s: float) -> Figure:
    """`curves`: a title -> the latency of a trial."""
    with style():
        figure, axes = half_figure()
        at = list(range(len(TAIL)))
        for (title, latency), colour, mark in zip(curves.items(), ("teal", "red"), ("o-", "X--"), strict=False):
            axes.plot(at, [max(latency[key], LEAST_S) for key, _ in TAIL], mark, markersize=4,
                      color=palette.light(colour), label=title)  # fmt: skip
        axes.axhline(within_s, color=palette.light("ink"), linewidth=0.8, linestyle=":", label=f"within {within_s:g} s")
        axes.set_xticks(at, [label for _, label in TAIL])
        _seconds(axes)
        axes.set_xlabel("so many of 100 readings", color=palette.light("muted"))
        axes.set_title("stored within, s", fontsize=8.2, loc="left", color=palette.light("muted"))
        axes.legend(loc="upper left", frameon=False)
        return figure


def _seconds(axes: Axes) -> None:
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.6)  # room for the legend
    _plain(axes.yaxis, (1.0,))


def _plain(axis: Axis, steps: tuple[float, ...]) -> None:
    """Numbers on a logarithmic axis as people write them, at these steps of each power of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _s(trial: Mapping[str, Any], key: str) -> float:
    return max(float(trial["latency"][key]), LEAST_S)
