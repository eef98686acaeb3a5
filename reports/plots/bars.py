"""Counts by reason, as bars with a number each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reports import palette
from reports.plots.canvas import WIDTH_IN, axes_style, figure_of, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BARS: Final = 9
LABEL_CHARS: Final = 33


def bars_of(bars: Mapping[str, tuple[int, str]], label: str) -> Figure | None:
    """One bar a name, (count, colour); the count and its share beside it. None without bars; many small ones in one."""
    if not bars:
        return None
    names = list(bars)
    if len(names) > BARS:
        rest = sum(bars[name][0] for name in names[BARS - 1 :])
        more = f"{len(names) - BARS + 1} other reasons"
        bars = {**{name: bars[name] for name in names[: BARS - 1]}, more: (rest, "grey")}
        names = list(bars)
    height_in = 0.26 * len(names) + 0.72
    figure = figure_of(WIDTH_IN / 2, height_in)
    axes = figure.add_axes((0.475, 0.34 / height_in, 0.34, 0.26 * len(names) / height_in))
    axes_style(axes)
    counts = [bars[name][0] for name in names]
    axes.barh(range(len(names)), counts, height=0.62, color=[palette.light(bars[name][1]) for name in names])
    axes.set_yticks(range(len(names)), [shorten(name, LABEL_CHARS) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, max(counts) * 1.02)
    axes.locator_params(axis="x", nbins=3, integer=True)
    axes.xaxis.set_major_formatter(lambda value, _: _count(value, max(counts)))
    axes.tick_params(axis="y", length=0, labelcolor=palette.light("ink"))
    for row, count in enumerate(counts):
        share = f"{_count(count, count)} · {_percent(count, sum(counts))}"
        axes.annotate(
            share, (count, row), xytext=(5, 0), textcoords="offset points", va="center",
            color=palette.light("muted"), fontsize=7.6,
        )  # fmt: skip
    figure.text(0.01, 1 - 0.2 / height_in, label, color=palette.light("ink"), va="center")
    return figure


def _count(value: float, largest: float) -> str:
    """In full, or in millions where there are several."""
    return f"{value / 1e6:.3g} M" if largest >= 2e6 else f"{value:,.0f}".replace(",", " ")


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return "< 0.1 %" if 0 < share < 0.1 else f"{share:.0f} %" if share >= 10 else f"{share:.1f} %"
