"""A map of a site: what share of each block's telegrams arrived.

The rule kept here: a value is shown twice, by shade and, where there is room, by its number. Shades go from pale (all
arrived) to dark (little did), over the range that occurs. A site of many blocks is drawn in squares of several, whose
frames are added up, not averaged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from reports import palette
from reports.plots.canvas import WIDTH_IN, figure_of, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

MOST_ACROSS: Final = 40
NUMBERED_ACROSS: Final = 12
CELL_IN: Final = 0.52
WIDEST_IN: Final = 3.2
PALE, DARK = "#eaf3f5", "#0b3c49"


@dataclass(frozen=True, slots=True)
class Grid:
    """`ratio[row, column]`, NaN where nothing was sent; `a_side`: blocks to a square's side."""

    ratio: NDArray[np.float64]
    a_side: int


def grid(blocks: dict[str, Any]) -> Grid:
    """Delivery by square, from `columns`, `rows` and the counts `sent` and `heard`, row by row."""
    rows, columns = blocks["rows"], blocks["columns"]
    a_side = max(1, math.ceil(max(rows, columns) / MOST_ACROSS))
    down, across = -(-rows // a_side), -(-columns // a_side)
    totals = []
    for key in ("sent", "heard"):
        counts = np.zeros((down * a_side, across * a_side))
        counts[:rows, :columns] = np.reshape(blocks[key], (rows, columns))
        totals.append(counts.reshape(down, a_side, across, a_side).sum(axis=(1, 3)))
    sent, heard = totals
    return Grid(np.where(sent > 0, heard / np.maximum(sent, 1), np.nan), a_side)


def heat_map(blocks: dict[str, Any]) -> Figure | None:
    """The site from above, first block top left; None for a site of one block, which is no map."""
    if blocks["columns"] * blocks["rows"] < 2:
        return None
    with style():
        return _heat_map(grid(blocks))


def _heat_map(one: Grid) -> Figure:
    from matplotlib.colors import LinearSegmentedColormap

    down, across = one.ratio.shape
    cell = min(CELL_IN, WIDEST_IN / across)
    width_in, height_in = cell * across, cell * down
    whole_in = height_in + 0.75
    left = 0.42
    figure = figure_of(WIDTH_IN / 2, max(whole_in, 1.6))
    high_in = figure.get_figheight()
    wide_in = figure.get_figwidth()
    axes = figure.add_axes((left / wide_in, 1 - (0.3 + height_in) / high_in, width_in / wide_in, height_in / high_in))
    low, high = float(np.nanmin(one.ratio)), float(np.nanmax(one.ratio))
    if high - low < 1e-3:
        low, high = max(0.0, high - 5e-4), high + 5e-4
    shades = LinearSegmentedColormap.from_list("delivery", [DARK, PALE])
    mesh = axes.pcolormesh(one.ratio, cmap=shades, vmin=low, vmax=high, edgecolors=palette.light("paper"),
                           linewidth=0.6 if across <= NUMBERED_ACROSS else 0.0)  # fmt: skip
    axes.set_xlim(0, across)
    axes.set_ylim(down, 0)
    axes.tick_params(length=0, pad=2, labelcolor=palette.light("muted"))
    for side in axes.spines.values():
        side.set_visible(False)
    for ticks, most in ((axes.set_xticks, across), (axes.set_yticks, down)):
        step = max(1, math.ceil(most / 10))
        at = list(range(0, most, step))
        ticks([position + 0.5 for position in at], [str(position * one.a_side + 1) for position in at])
    axes.set_xlabel("block column", color=palette.light("muted"))
    axes.set_ylabel("block row", color=palette.light("muted"))
    if max(across, down) <= NUMBERED_ACROSS:
        for (row, column), value in np.ndenumerate(one.ratio):
            if not math.isnan(value):
                dark = (value - low) / (high - low) < 0.55
                axes.text(column + 0.5, row + 0.5, _number(value, low, high), ha="center", va="center", fontsize=7,
                          color="#ffffff" if dark else "#10222a")  # fmt: skip
    bar = figure.add_axes(((left + width_in + 0.22) / wide_in, axes.get_position().y0, 0.13 / wide_in,
                           axes.get_position().height))  # fmt: skip
    scale = figure.colorbar(mesh, cax=bar)
    scale.outline.set_visible(False)
    scale.set_label("heard / sent", color=palette.light("muted"))
    scale.locator = _few(height_in)
    scale.update_ticks()
    bar.tick_params(length=0, labelcolor=palette.light("muted"))
    figure.text(0.06 / wide_in, 1 - 0.12 / high_in, _title(one), color=palette.light("ink"), va="center")
    return figure


def _few(height_in: float) -> MaxNLocator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=max(2, min(6, int(height_in / 0.3))))


def _title(one: Grid) -> str:
    what = "block" if one.a_side == 1 else f"square of {one.a_side} x {one.a_side} blocks"
    return f"delivery ratio of each {what}"


def _number(value: float, low: float, high: float) -> str:
    """Three digits where blocks differ by little, else two; without the nought in front."""
    text = f"{value:.3f}" if high - low < 0.2 else f"{value:.2f}"
    return text.removeprefix("0")


def in_words(blocks: dict[str, Any]) -> str:
    """The map in words, for readers who cannot see it."""
    one = grid(blocks)
    worst = np.unravel_index(np.nanargmin(one.ratio), one.ratio.shape)
    best = np.unravel_index(np.nanargmax(one.ratio), one.ratio.shape)
    down, across = one.ratio.shape
    said = f"Map of {down} rows by {across} columns, {_title(one)}: "
    parts = [
        f"{name} {one.ratio[at]:.4f} in row {at[0] * one.a_side + 1}, column {at[1] * one.a_side + 1}"
        for name, at in (("lowest", worst), ("highest", best))
    ]
    return said + ", ".join(parts) + f", median {float(np.nanmedian(one.ratio)):.4f}."
