"""report.html of a city run: its figures, what became of frames at gateways, and a map of delivery, from run.json and
city.json. Self-contained and without a script, as every page here; what colours show also stands in words.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from reports import page, palette, plots
from reports.plots.site_map import in_words
from reports.run_model import RunError
from sim.core.events import Fate

LISTED_BLOCKS: Final = 10


def write(directory: Path) -> Path:
    """Raises RunError when there is no such run, OSError when the disk is full."""
    run, city = read_json(directory / "run.json"), read_json(directory / "city.json")
    return page.write(directory, render(run, city, bench_of(directory)))


def render(run: dict[str, Any], city: dict[str, Any], bench: str = "") -> str:
    """The page. `bench`: a link to figures of this machine's speed, where there are any."""
    result = city["result"]
    fates = result["fates"]
    bars = {name: (fates[name], palette.FATES.get(name, "grey")) for name in fates if fates[name]}
    losses = {name: bar for name, bar in bars.items() if name not in (Fate.RECEIVED.label, Fate.OUT_OF_RANGE.label)}
    with plots.style():
        lost = plots.bars_of(losses, "receptions lost though in range")
    said = ", ".join(f"{name} {count}" for name, (count, _) in losses.items())
    return page.environment().get_template("city.html.j2").render(
        run=run, city=city, result=result, fates=fates, pairs=sum(fates.values()), bench=bench,
        lost=Markup(plots.as_svg(lost, "lost", f"Receptions lost though in range, by reason: {said}.")) if lost else "",
        **map_of(result["blocks"], "map"), blocks=lowest(result["blocks"]),
    )  # fmt: skip


def map_of(blocks: dict[str, Any], prefix: str) -> dict[str, str]:
    """The map of a site as `heat` (SVG) and `heat_words`, both empty for a site of one block."""
    drawn = plots.heat_map(blocks)
    if drawn is None:
        return {"heat": "", "heat_words": ""}
    words = in_words(blocks)
    return {"heat": Markup(plots.as_svg(drawn, prefix, words)), "heat_words": words}


def lowest(blocks: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks that are served worst: row and column from 1, frames sent and heard."""
    columns = blocks["columns"]
    rows = [
        {"row": at // columns + 1, "column": at % columns + 1, "sent": sent, "heard": heard}
        for at, (sent, heard) in enumerate(zip(blocks["sent"], blocks["heard"], strict=True)) if sent
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row["heard"] / row["sent"])[:LISTED_BLOCKS]


def bench_of(directory: Path) -> str:
    """The way from a run to the latest bench.json under the same runs/; empty where there is none."""
    runs = directory.parent.parent
    found = runs / "bench" / "latest" / "bench.json"
    return os.path.relpath(found, directory) if found.exists() else ""


def read_json(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{path}: {error.strerror or error}; the run was not finished") from None
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}); run it again") from None
    if not isinstance(body, dict):
        raise RunError(f"{path} holds no run")
    return body
