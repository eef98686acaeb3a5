"""A map of a given site: houses as boxes, shaded by their meters, and gateways as numbered dots. North is up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports import palette
from reports.plots.canvas import WIDTH_IN, figure_of, style
from reports.plots.site_map import DARK, PALE
from sim.radio.site_file import SiteFile

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN_M: Final = 15.0
_HIGHEST_IN: Final = 9.0
_NUMBERED: Final = 100
"""More gateways than these have no numbers: they would cover the map."""


def meters_of(site: SiteFile) -> dict[str, int]:
    """House -> its meters, in the order of the file."""
    count = {one.name: 0 for one in site.house}
    for one in site.meter:
        count[one.house] += one.count
    return count


def house_map(site: SiteFile) -> Figure:
    """The site from above."""
    with style():
        return _house_map(site)


def _house_map(site: SiteFile) -> Figure:
    from matplotlib.collections import PatchCollection
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    count = meters_of(site)
    low_x = min(h.east_m - h.width_m / 2 for h in site.house) - _MARGIN_M
    high_x = max(h.east_m + h.width_m / 2 for h in site.house) + _MARGIN_M
    low_y = min(h.north_m - h.depth_m / 2 for h in site.house) - _MARGIN_M
    high_y = max(h.north_m + h.depth_m / 2 for h in site.house) + _MARGIN_M
    wide = WIDTH_IN - 1.6
    high = min(max(wide * (high_y - low_y) / (high_x - low_x), 1.6), _HIGHEST_IN)
    figure = figure_of(WIDTH_IN, high + 0.6)
    axes = figure.add_axes((0.07, 0.45 / (high + 0.6), wide / WIDTH_IN, high / (high + 0.6)))
    boxes = PatchCollection(
        [Rectangle((h.east_m - h.width_m / 2, h.north_m - h.depth_m / 2), h.width_m, h.depth_m) for h in site.house],
        cmap=LinearSegmentedColormap.from_list("meters", [PALE, DARK]), edgecolor=palette.light("muted"), linewidth=0.5,
    )  # fmt: skip
    boxes.set_array([count[one.name] for one in site.house])
    boxes.set_clim(0, max(count.values()))
    axes.add_collection(boxes)
    places = site.gateway_places()
    axes.scatter(places[:, 0], places[:, 1], s=22, color=palette.light("red"), zorder=3)
    behind = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    if len(places) <= _NUMBERED:
        for number, (x, y, _) in enumerate(places, start=1):
            axes.annotate(str(number), (x, y), (4, 4), textcoords="offset points", fontsize=8, zorder=4, bbox=behind)
    axes.set_xlim(low_x, high_x)
    axes.set_ylim(low_y, high_y)
    axes.set_aspect("equal")
    axes.tick_params(length=0, labelcolor=palette.light("muted"))
    axes.set_xlabel("metres east", color=palette.light("muted"))
    axes.set_ylabel("metres north", color=palette.light("muted"))
    for side in axes.spines.values():
        side.set_visible(False)
    scale = figure.colorbar(boxes, ax=axes, shrink=0.8)
    scale.outline.set_visible(False)
    scale.set_label("meters in the house", color=palette.light("muted"))
    scale.ax.tick_params(length=0, labelcolor=palette.light("muted"))
    return figure
