"""What a broker accepts and delivers: over the load, a curve each for every number of subscribers, and over the time of
one trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from reports import palette
from reports.plots.canvas import half_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")


def accepted_delivered(trials: Sequence[Mapping[str, Any]]) -> Figure:
    """`trials`: as the answer has them. Accepted dashed, delivered solid; clients in C are paler."""
    with style():
        figure, axes = half_figure((0.13, 0.15, 0.84, 0.75))
        takers = sorted({int(one["takers"]) for one in trials})
        for count, mark in zip(takers, MARKS * len(takers), strict=False):
            for driver, alpha in (("ours", 1.0), ("c", 0.45)):
                some = sorted(
                    (one for one in trials if one["takers"] == count and one["driver"] == driver),
                    key=lambda one: one["per_s"],
                )
                if not some:
                    continue
                at, by = [one["per_s"] for one in some], "" if driver == "ours" else ", C"
                for key, line, colour in (("accepted_per_s", "--", "muted"), ("delivered_per_s", "-", "teal")):
                    label = f"{count} subscribers{by}" if line == "-" else None
                    axes.plot(at, [one[key] for one in some], line + mark, markersize=3.5, linewidth=1.0, alpha=alpha,
                              color=palette.light(colour), label=label)  # fmt: skip
        most = max(one["per_s"] for one in trials)
        axes.plot([0, most], [0, most], ":", color=palette.light("ink"), linewidth=0.8, label="offered")
        axes.set_xlabel("messages offered a second", color=palette.light("muted"))
        _title(axes, "accepted (dashed), delivered, a second")
        axes.legend(loc="upper left", frameon=False)
        return figure


def over_time(trial: Mapping[str, Any]) -> Figure:
    """Sums since the begin of one trial."""
    with style():
        figure, axes = half_figure((0.13, 0.15, 0.84, 0.75))
        at = [one[0] for one in trial["over_time"]]
        if trial["driver"] == "ours":
            axes.plot(at, [one[1] for one in trial["over_time"]], "--", color=palette.light("muted"), label="accepted")
        axes.plot(at, [one[2] for one in trial["over_time"]], "-", color=palette.light("teal"), label="delivered")
        axes.set_xlabel("seconds", color=palette.light("muted"))
        _title(axes, "messages since the begin")
        axes.legend(loc="upper left", frameon=False)
        return figure


def _title(axes: Axes, words: str) -> None:
    axes.set_title(words, fontsize=8.2, loc="left", color=palette.light("muted"))
