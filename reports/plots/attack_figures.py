"""The pictures that show an attack: what it got of what it tried, how old what it sent was and whether it was taken,
values before and after it, and the curve of an outcome that has one.

Drawn narrow, for a page of 360 pixels, and without need of colour: filled and hollow, solid and dashed tell apart what
a word beside it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from reports import palette
from reports.plots.canvas import axes_style, figure_of, shorten
from reports.run_model import Claim, Curve
from reports.wording import OFF, mode_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN: Final = 4.5  # 360 pixels at the size in which the text of a page is read
ROWS: Final = 18
DASHES: Final = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
MARKS: Final = ("o", "s", "^", "D")
PAIRS: Final = 6
"""Values before and after that are drawn of one verdict."""
_TICKS_S: Final = ((0.1, "0.1 s"), (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3_600, "1 h"),
                   (36_000, "10 h"), (86_400, "1 d"), (864_000, "10 d"), (8_640_000, "100 d"))  # fmt: skip
_MOST_TICKS: Final = 5
_MARK_POINTS: Final = 5.0
_BESIDE_POINTS: Final = 60.0
_NEAR: Final = 1.3
"""Ages that differ by a smaller factor stand side by side."""
_LABEL_CHARS: Final = 34
_ROW_IN: Final = 0.26


def got_of_tried(claims: Sequence[Claim]) -> Figure | None:
    """A row a verdict: the share of tries that got what the attack wants. None without a count of tries."""
    rows = [(claim, _count(claim, "reached"), _count(claim, "achieved")) for claim in claims]
    rows = [(claim, tried, got) for claim, tried, got in rows if tried][:ROWS]
    if not rows:
        return None
    height_in = _ROW_IN * len(rows) + 0.95
    figure = figure_of(WIDTH_IN, height_in)
    axes = figure.add_axes((0.42, 0.5 / height_in, 0.36, _ROW_IN * len(rows) / height_in))
    axes_style(axes)
    for row, (claim, tried, got) in enumerate(rows):
        weak = claim.defences in OFF
        share = min(got / tried, 1.0)
        colour = palette.light("grey" if weak else palette.VERDICTS.get(claim.verdict, "grey"))
        axes.barh(row, 1.0, height=0.6, facecolor="none", edgecolor=palette.light("line"), linewidth=0.8)
        axes.barh(
            row, share, height=0.6, facecolor="none" if weak else colour, edgecolor=colour, hatch="////" if weak else ""
        )
        axes.annotate(
            f"{got} of {tried}", (1.0, row), xytext=(5, 0), textcoords="offset points", va="center",
            color=palette.light("ink"), fontsize=7.4,
        )  # fmt: skip
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1.0], ["0", "½", "all"])
    axes.set_yticks(
        range(len(rows)), [f"{mode_text(claim.security)}, {shorten(claim.defences or 'on', 14)}" for claim, *_ in rows]
    )
    axes.tick_params(axis="y", length=0, labelcolor=palette.light("ink"))
    axes.set_xlabel(
        "share of tries that got it (hatched: weak on purpose)", color=palette.light("muted"), fontsize=7.4, x=0.2
    )
    _titled(figure, claims, height_in)
    return figure


def age_of_shots(claims: Sequence[Claim]) -> Figure | None:
    """Each shot by how old its genuine telegram was and by whether it became a reading; None where no shot has an
    age."""
    lanes = [
        (claim, [(shot.age_s, shot.rows > 0) for shot in claim.shots if shot.age_s is not None]) for claim in claims
    ]
    lanes = [(claim, shots) for claim, shots in lanes if shots][:ROWS]
    if not lanes:
        return None
    height_in, wide = _ROW_IN * len(lanes) + 1.05, 0.62
    figure = figure_of(WIDTH_IN, height_in)
    axes = figure.add_axes((0.34, 0.6 / height_in, wide, _ROW_IN * len(lanes) / height_in))
    axes_style(axes)
    every = [max(age, 0.1) for _, shots in lanes for age, _ in shots]
    low_s, high_s = min(*every, 1.0) / 1.6, max(*every, 10.0) * 3.0  # room for those that stand beside
    for row, (_claim, shots) in enumerate(lanes):
        axes.axhline(row, color=palette.light("line"), linewidth=0.6, zorder=0)
        places = _apart([max(age, 0.1) for age, _ in shots])
        ages = [age * (high_s / low_s) ** (beside / (72 * WIDTH_IN * wide)) for age, beside in places]
        marks = zip(ages, (taken for _, taken in shots), strict=True)
        for taken, some in groupby(marks, key=itemgetter(1)):  # in the order of shots, since some cover others
            colour, at = palette.light("red" if taken else "green"), [age for age, _ in some]
            axes.plot(at, [row] * len(at), MARKS[0], markersize=_MARK_POINTS, markeredgecolor=colour,
                      markeredgewidth=1.1, markerfacecolor=colour if taken else palette.light("paper"),
                      clip_on=False)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(low_s, high_s)
    ticks = [(at_s, name) for at_s, name in _TICKS_S if low_s <= at_s <= high_s]
    ticks = ticks[:: -(-len(ticks) // _MOST_TICKS)]
    axes.set_xticks([at_s for at_s, _ in ticks], [name for _, name in ticks])
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    axes.set_yticks(
        range(len(lanes)), [_lane(claim, shots) for claim, shots in lanes]
    )
    axes.tick_params(axis="y", length=0, labelcolor=palette.light("ink"))
    axes.minorticks_off()
    axes.set_xlabel(
        "delay (filled: became a reading, hollow: did not)", color=palette.light("muted"), fontsize=7.4, x=0.3
    )
    _titled(figure, claims, height_in)
    return figure


def _lane(claim: Claim, shots: Sequence[tuple[float, bool]]) -> str:
    name = f"{mode_text(claim.security)}, {shorten(claim.defences or 'on', 14)}"
    return f"{name} ({sum(was for _, was in shots)} of {len(shots)})"


def _apart(ages_s: Sequence[float]) -> list[tuple[float, float]]:
    """Where each shot is drawn: an age, and how far beside it in points. Those of about one age stand side by side
    around it, closer where they are many."""
    order = sorted(range(len(ages_s)), key=lambda place: ages_s[place])
    groups: list[list[int]] = []
    for place in order:
        if groups and ages_s[place] <= ages_s[groups[-1][0]] * _NEAR:
            groups[-1].append(place)
        else:
            groups.append([place])
    places = {}
    for group in groups:
        middle_s = ages_s[group[len(group) // 2]]
        step_points = min(_MARK_POINTS + 1.5, _BESIDE_POINTS / len(group))
        for rank, place in enumerate(group):
            places[place] = (middle_s, (rank - (len(group) - 1) / 2) * step_points)
    return [places[place] for place in range(len(ages_s))]


def values_of_shots(claims: Sequence[Claim]) -> Figure | None:
    """What genuine telegrams said and what the portal stored in their place, a few of each verdict; None where nothing
    that was stored differs from what was sent."""
    lanes = [(claim, _altered(claim)) for claim in claims if claim.shots][:ROWS]
    if not any(pairs for _, pairs in lanes):
        return None
    rows = [
        (claim, place == 0, pair)
        for claim, pairs in lanes
        for place, pair in enumerate([*pairs] or [None])
    ][: 2 * ROWS]
    height_in = _ROW_IN * 0.8 * len(rows) + 1.05
    figure = figure_of(WIDTH_IN, height_in)
    axes = figure.add_axes((0.34, 0.6 / height_in, 0.62, _ROW_IN * 0.8 * len(rows) / height_in))
    axes_style(axes)
    values = [value for *_, pair in rows if pair for value in pair]
    for row, (claim, first, pair) in enumerate(rows):
        if first and row:
            axes.axhline(row - 0.5, color=palette.light("line"), linewidth=0.8, zorder=0)
        if pair is None:
            axes.text(min(values), row, f"no other value, of {len(claim.shots)} tries", color=palette.light("muted"),
                      fontsize=7.4, va="center")  # fmt: skip
            continue
        (before, after) = pair
        colour = palette.light("red")
        arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 0.9, "shrinkA": 3, "shrinkB": 3}
        axes.annotate("", (after, row), (before, row), arrowprops=arrow)
        axes.plot([before], [row], MARKS[0], markersize=5, markeredgecolor=palette.light("ink"), markeredgewidth=1.1,
                  markerfacecolor=palette.light("paper"))  # fmt: skip
        axes.plot([after], [row], MARKS[1], markersize=4.5, color=colour)
    margin = max(1.0, 0.06 * (max(values) - min(values)))
    axes.set_xlim(min(values) - margin, max(values) + margin)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(
        range(len(rows)),
        [f"{mode_text(claim.security)}, {shorten(claim.defences or 'on', 14)}" if first else ""
         for claim, first, _ in rows],
    )  # fmt: skip
    axes.tick_params(axis="y", length=0, labelcolor=palette.light("ink"))
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel(
        "units (hollow: the meter's own, square: what was stored)", color=palette.light("muted"), fontsize=7.4, x=0.3
    )
    _titled(figure, claims, height_in)
    return figure


def _altered(claim: Claim) -> list[tuple[int, int]]:
    """(what a telegram said, what was stored in its place), some that differ."""
    pairs = [(shot.before, shot.after) for shot in claim.shots if shot.before is not None and shot.after is not None]
    return [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]][:PAIRS]


def curves(claims: Sequence[Claim]) -> Figure | None:
    """The curves of one variant, each in a stroke of its own; None where none has one."""
    found = [(claim, claim.curve) for claim in claims if claim.curve is not None and claim.curve.points][: len(DASHES)]
    if not found:
        return None
    height_in = 2.9
    figure = figure_of(WIDTH_IN, height_in)
    axes = figure.add_axes((0.16, 0.17, 0.79, 0.66))
    axes_style(axes)
    for place, (claim, curve) in enumerate(found):
        _draw(axes, curve, place, f"{mode_text(claim.security)}, {claim.defences or 'on'}")
    axes.set_xlabel(found[0][1].x, color=palette.light("muted"))
    axes.set_ylabel(found[0][1].y, color=palette.light("muted"))
    legend = axes.legend(frameon=False, fontsize=7.4, handlelength=2.8, loc="best")
    for text in legend.get_texts():
        text.set_color(palette.light("ink"))
    _titled(figure, claims, height_in)
    return figure


def _draw(axes: Axes, curve: Curve, place: int, label: str) -> None:
    points = [(float(x), float(y)) for x, y in curve.points]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    colour = palette.light(("red", "blue", "green", "violet")[place])
    axes.plot(xs, ys, color=colour, linestyle=DASHES[place], linewidth=1.5, marker=MARKS[place], markersize=3.5,
              markevery=max(1, len(xs) // 6), label=shorten(label, _LABEL_CHARS))  # fmt: skip


def _count(claim: Claim, key: str) -> int:
    value = claim.evidence.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _titled(figure: Figure, claims: Sequence[Claim], height_in: float) -> None:
    figure.text(
        0.02,
        1 - 0.2 / height_in,
        shorten(claims[0].variant or claims[0].attack, 62),
        color=palette.light("ink"),
        va="center",
    )
