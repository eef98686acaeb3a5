"""What happened in one world, from its Story.

timeline: one row a lane (what happened, by label), world time to the right; a tick is taller the more events fall in
its column, since a wall of single ticks would hide a storm. Below, on the same axis, the delivery ratio: telegrams
heard by at least one gateway / telegrams sent in that window; and readings stored / telegrams sent, which lags behind
by the gateways' bundling and may pass 1 when a backlog drains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from reports import palette
from reports.event_digest import Lane, Story
from reports.plots.bars import bars_of
from reports.plots.canvas import WIDTH_IN, axes_style, figure_of, shorten, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT_IN: Final = 2.55
LANE_IN: Final = 0.235
RATIO_IN: Final = 1.25
COLUMNS: Final = 300  # of the timeline; finer than the eye can see
LANES: Final = 14
_UNITS: Final = (  # unit, nanoseconds, the longest span shown in it, steps between ticks
    ("s", 1e9, 240.0, (0.1, 0.5, 1, 2, 5, 10, 15, 30, 60)),
    ("min", 60e9, 240.0, (1, 2, 5, 10, 15, 30, 60)),
    ("h", 3_600e9, 120.0, (1, 2, 3, 6, 12, 24)),
    ("days", 86_400e9, math.inf, (1, 2, 5, 7, 14, 28, 56, 91, 182, 365)),
)


def timeline(story: Story) -> Figure | None:
    """Lanes and delivery ratio over world time; None when the story holds neither."""
    with style():
        return _timeline(story)


def _timeline(story: Story) -> Figure | None:
    lanes = _choose(story)
    windows = len(story.windows)
    if not lanes and not windows:
        return None
    lanes_in = max(len(lanes), 1) * LANE_IN + 0.12 if lanes else 0.0
    ratio_in = RATIO_IN if windows else 0.0
    gap_in = 0.14 if lanes and windows else 0.0
    height_in = 0.1 + lanes_in + gap_in + ratio_in + 0.5
    figure = figure_of(WIDTH_IN, height_in)
    width, left = (WIDTH_IN - LEFT_IN - 0.62) / WIDTH_IN, LEFT_IN / WIDTH_IN
    unit, unit_ns, _, steps = next(unit for unit in _UNITS if story.last_ns / unit[1] <= unit[2])
    end = max(story.last_ns / unit_ns, 1e-9)
    axes: Axes | None = None
    if windows:
        axes = figure.add_axes((left, 0.5 / height_in, width, ratio_in / height_in))
        _draw_ratio(axes, story, unit_ns)
    if lanes:
        bottom_in = 0.5 + ratio_in + gap_in
        strip = figure.add_axes((left, bottom_in / height_in, width, lanes_in / height_in), sharex=axes)
        _draw_lanes(strip, lanes, unit_ns, end)
        if axes is not None:
            strip.tick_params(labelbottom=False, bottom=False)
        axes = axes or strip
    assert axes is not None
    step = next((step for step in steps if end / step <= 12), steps[-1])
    axes.set_xlim(0, end * 1.004)
    if end / step <= 24:
        axes.set_xticks([step * tick for tick in range(int(end / step) + 1)])
    axes.set_xlabel(f"world time, {unit}", color=palette.light("muted"))
    return figure


def refused(story: Story) -> Figure | None:
    """Telegrams the portal refused, by its reason; None when it refused none."""
    bars = {reason: (count, "green") for reason, count in story.refused.most_common()}
    with style():
        return bars_of(bars, "telegrams refused by the portal")


def losses(story: Story) -> Figure | None:
    """(frame, receiver) pairs lost on the air, by reason; None when none was."""
    bars = {reason: (count, palette.FATES.get(reason, "grey")) for reason, count in story.losses.items()}
    with style():
        return bars_of(bars, "receptions lost on the air (a frame at a receiver in reach)")


def _choose(story: Story) -> list[Lane]:
    """The lanes that are drawn: all of them, or of too many the fullest in each group."""
    lanes = story.lanes_of(*palette.GROUPS)
    if len(lanes) <= LANES:
        return lanes
    first = {id(next(lane for lane in lanes if lane.group == group)) for group in {lane.group for lane in lanes}}
    ranked = sorted(lanes, key=lambda lane: (id(lane) not in first, -len(lane.times_ns)))
    keep = {id(lane) for lane in ranked[:LANES]}
    return [lane for lane in lanes if id(lane) in keep]


def _draw_lanes(axes: Axes, lanes: Sequence[Lane], unit_ns: float, end: float) -> None:
    axes_style(axes)
    axes.spines["bottom"].set_visible(False)
    for row, lane in enumerate(lanes):
        colour = palette.light(palette.GROUPS[lane.group])
        counts: dict[int, int] = {}
        for time_ns in lane.times_ns:
            column = min(max(int(time_ns / unit_ns / end * COLUMNS), 0), COLUMNS)
            counts[column] = counts.get(column, 0) + 1
        xs: list[float] = []
        ys: list[float] = []
        top = math.log1p(max(counts.values()))
        for column in sorted(counts):
            half = 0.2 + 0.22 * (math.log1p(counts[column]) / top if top > math.log(2) else 1.0)
            xs += [column * end / COLUMNS, column * end / COLUMNS, math.nan]
            ys += [row - half, row + half, math.nan]
        axes.axhline(row, color=palette.light("line"), linewidth=0.6, zorder=0)
        axes.plot(xs, ys, color=colour, linewidth=1.6, solid_capstyle="butt")
        axes.annotate(
            f"{len(lane.times_ns):,}".replace(",", " "), (1.0, row), xycoords=("axes fraction", "data"), xytext=(8, 0),
            textcoords="offset points", va="center", ha="left", color=palette.light("muted"), fontsize=7.6,
        )  # fmt: skip
    axes.set_ylim(len(lanes) - 0.45, -0.55)
    axes.set_yticks(range(len(lanes)), [shorten(f"{lane.group} · {lane.label}") for lane in lanes])
    axes.tick_params(axis="y", length=0, pad=6)
    for text, lane in zip(axes.get_yticklabels(), lanes, strict=True):
        text.set_color(palette.light(palette.GROUPS[lane.group]))


def _draw_ratio(axes: Axes, story: Story, unit_ns: float) -> None:
    axes_style(axes)
    w = story.windows
    step = math.ceil(len(w) / COLUMNS)
    edges = [0.0]
    heard: list[float] = []
    stored: list[float] = []
    for start in range(0, len(w), step):
        part = slice(start, start + step)
        sent = sum(w.sent[part])
        edges.append(w.end_ns[part][-1] / unit_ns)
        heard.append(sum(w.heard[part]) / sent if sent else math.nan)
        stored.append(sum(w.stored[part]) / sent if sent else math.nan)
    axes.stairs(stored, edges, baseline=None, color=palette.light("grey"), linewidth=1.1, linestyle=(0, (3, 2)))
    axes.stairs(heard, edges, baseline=None, color=palette.light("teal"), linewidth=1.7)
    top = max([1.0, *(value for value in stored if not math.isnan(value))])
    axes.set_ylim(0, min(top, 1.5) * 1.06)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "", "0.5", "", "1"])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=palette.light("line"), linewidth=0.6)
    axes.set_axisbelow(True)
    y = 0.5
    for label, colour in (("heard / sent  ━━", "teal"), ("stored / sent  ╍╍", "grey")):
        axes.annotate(
            label, (0, y), xycoords="axes fraction", xytext=(-34, 0), textcoords="offset points", va="center",
            ha="right", color=palette.light(colour),
        )  # fmt: skip
        y -= 0.18
    axes.annotate(
        "delivery ratio a window", (0, 0.68), xycoords="axes fraction", xytext=(-34, 0), textcoords="offset points",
        va="center", ha="right", color=palette.light("ink"),
    )  # fmt: skip
