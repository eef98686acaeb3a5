"""What the next gateway buys: the share served over the number of gateways, and without the one missed most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reports import palette
from reports.plots.canvas import half_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def served_curve(curve: Sequence[dict[str, Any]], wanted: float) -> Figure:
    """`curve`: gateways, served, one_dead, a row each."""
    with style():
        figure, axes = half_figure()
        at = [row["gateways"] for row in curve]
        axes.plot(
            at, [row["served"] for row in curve], "o-", markersize=3.5, color=palette.light("teal"), label="all work"
        )
        axes.plot(at, [row["one_dead"] for row in curve], "s--", markersize=3.5, color=palette.light("amber"),
                  label="the one missed most is dead")  # fmt: skip
        axes.axhline(wanted, color=palette.light("ink"), linewidth=0.8, linestyle=":", label=f"wanted {wanted:g}")
        axes.set_xlabel("gateways", color=palette.light("muted"))
        axes.set_ylim(0, 1.03)
        axes.locator_params(axis="x", integer=True)
        axes.legend(loc="lower right", frameon=False)
        return figure
