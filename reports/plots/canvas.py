"""What every picture is drawn on: its style, and its ways out of here.

A figure leaves as SVG text for a page (`as_svg`: ids made unique, colours as CSS variables so that it follows light and
dark, text as text, and said in words for readers who cannot see it) or as a file (`write_svg`, `write_png`).
"""

from __future__ import annotations

import html
import io
import os
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Figure

WIDTH_IN: Final = 9.4
LABEL_CHARS: Final = 40
_STYLE: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "wmbench",
    "text.parse_math": False,  # a label may hold "$": it is text, never a formula
    "font.size": 8.2,
    "axes.linewidth": 0.8,
    "path.simplify": False,
}


def as_svg(figure: Figure, prefix: str, said: str = "") -> str:
    """SVG for a page: what `placed` makes of `drawn`."""
    return placed(drawn(figure), prefix, said)


def drawn(figure: Figure) -> str:
    """The figure as matplotlib writes it, which is the part that takes time."""
    out = io.StringIO()
    with style():
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return out.getvalue()


def placed(text: str, prefix: str, said: str = "") -> str:
    """What was drawn, for a page: no declaration, no namespaces, no fixed size; `prefix` keeps its ids apart from
    others'. `said`: what it shows, in words."""
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.S)
    head, body = text.split(">", 1)
    view = re.search(r'viewBox="([^"]*)"', head)
    assert view
    body = body.replace("xlink:href", "href")
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'href="#', f'href="#{prefix}-', body)
    body = re.sub(r"url\(#", f"url(#{prefix}-", body)
    label = f' aria-label="{html.escape(said)}"' if said else ""
    return palette.themed(f'<svg class="plot" role="img"{label} viewBox="{view[1]}">{body.strip()}')


def write_svg(text: str, path: Path) -> Path:
    """What `as_svg` gave as a picture of its own, which follows light and dark as the page does."""
    names = '<svg xmlns="http://www.w3.org/2000/svg" '
    path.write_text(text.replace("<svg ", names, 1).replace(">", f"><style>{palette.css()}</style>", 1), "utf-8")
    return path


def write_png(figure: Figure, path: Path) -> Path:
    """The figure as a picture on white, for documents that take no SVG."""
    with style():
        figure.savefig(path, dpi=160, facecolor="white")
    return path


def figure_of(width_in: float, height_in: float) -> Figure:
    """An empty figure in the style of the reports; sizes in inches."""
    _keep_out_of_home()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in))
    FigureCanvasAgg(figure)
    return figure


def _keep_out_of_home() -> None:
    """matplotlib keeps a font cache in the home directory unless another place is set."""
    os.environ.setdefault("MPLCONFIGDIR", str(Path(__file__).resolve().parents[2] / ".cache" / "matplotlib"))


def style() -> AbstractContextManager[None]:
    """matplotlib's settings while a figure is made."""
    _keep_out_of_home()
    import matplotlib as mpl

    settings: Any = _STYLE
    return mpl.rc_context(settings)


def axes_style(axes: Axes) -> None:
    """Hide the frame but for the baseline; muted ticks."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.light("line"))
    axes.tick_params(colors=palette.light("muted"), labelcolor=palette.light("muted"), length=3, width=0.8)


def half_figure(within: tuple[float, float, float, float] = (0.115, 0.15, 0.855, 0.72)) -> tuple[Figure, Axes]:
    """Half a page wide, with lines across. `within`: where its axes stand, as shares of the figure."""
    figure = figure_of(WIDTH_IN / 2, 3.1)
    axes = figure.add_axes(within)
    axes_style(axes)
    axes.grid(axis="y", color=palette.light("line"), linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def shorten(text: str, limit_chars: int = LABEL_CHARS) -> str:
    """A label of at most `limit_chars`, cut with an ellipsis."""
    text = " ".join(text.split())
    return text if len(text) <= limit_chars else text[: limit_chars - 1] + "…"
