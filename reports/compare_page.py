"""The page of a comparison: attacks down, systems across; who sees what; what each costs. Without a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from reports import page

KIND: Final = "compare"
FILE: Final = "compare.json"  # as bench.run_directory finds it
_COLOURS: Final = {
    "PREVENTED": "green", "HOLDS": "green", "TOLERATED": "blue", "DETECTED": "amber", "SUCCEEDED": "red", "FAILS":
    "red",
}  # fmt: skip


def write(directory: Path) -> Path:
    """The page of a comparison's directory, made from its JSON. Raises RunError, OSError."""
    return page.write(directory, render(page.body_of(directory / FILE, KIND, "`./wmbench compare` makes one")))


def render(body: Mapping[str, Any]) -> str:
    """`body`: compare.json; one that was made without titles has the systems' kinds."""
    titles = dict(zip(body["systems"], body["systems"], strict=True)) | body.get("titles", {})
    return page.environment().get_template("compare.html.j2").render(
        body=body, titles=titles, colour=_colour, line=_line
    )  # fmt: skip


def _line(points: Sequence[Sequence[float]]) -> str:
    """A curve as SVG draws it, in a square of a hundred with the origin below."""
    return " ".join(f"{100 * x:.1f},{100 - 100 * y:.1f}" for x, y in points)


def _colour(verdict: str) -> str:
    return _COLOURS.get(verdict, "grey")
