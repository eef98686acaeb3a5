"""The pictures of one scenario: of each of its worlds what happened over time, what was refused and what was lost; of
each of its attacks what it did.

They take most of the time that a report takes. So they are drawn where a scenario ran, when it has ended
(`draw_ahead`), by several processes where several run scenarios; who makes the page of the whole run takes them from
there (`drawn_ahead`) and takes the files away. A report that is made again later draws everything anew: what lies in a
run directory may be from anybody, and a picture goes into the page as it is.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reports import plots
from reports.event_digest import Story, read_story
from reports.run_model import Claim, Scenario, World, scenario_of
from sim.core import whole_file

if TYPE_CHECKING:
    from reports.plots.canvas import Figure

PLOTTED_WORLDS: Final = 12  # a scenario's; the others are listed without pictures
PICTURED_VARIANTS: Final = 12  # a scenario's
FILE: Final = "pictures.json"
"""In a scenario's folder, between its end and that of the run."""
SPARE_BYTES: Final = 1 << 25
"""Of a disk that has less than this the last is left to what a run must leave: verdicts."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`place`: which it is in its scenario, as `w2-timeline` or `p1`. `svg`: as it was drawn, without its place in a
    page. `stem`: of the name of its file. `said`: what it shows, in words."""

    place: str
    svg: str
    stem: str
    said: str = ""


def story_of(run_directory: Path, world: World) -> Story:
    """A world's history, unless it lies elsewhere."""
    path = run_directory / world.directory / "events.jsonl"
    if path.resolve().is_relative_to(run_directory.resolve()):
        return read_story(path)
    return Story(path, notes=["its history lies outside the run directory and was not read"])


def of_scenario(
    scenario: Scenario, stories: Sequence[Story], *, png: Path | None = None, head: str = ""
) -> list[Picture]:
    """Every picture of a scenario; `stories`: of its worlds, in their order. `png`: a folder into which each goes as a
    picture of dots too, its name begun with `head`."""
    found = []
    for number, (world, story) in enumerate(zip(scenario.worlds[:PLOTTED_WORLDS], stories, strict=False), 1):
        stem = _stem(world.directory) or "world"
        for name, figure in (
            ("timeline", plots.timeline(story)),
            ("refused", plots.refused(story)),
            ("losses", plots.losses(story)),
        ):
            if figure is not None:
                found.append((figure, f"w{number}-{name}", f"w{number}-{stem}-{name}", ""))
    found += _of_attacks(scenario.claims)
    if png is not None:
        for figure, _, stem, _ in found:
            plots.write_png(figure, png / f"{head}{stem}.png")
    return [Picture(place, plots.drawn(figure), stem, said) for figure, place, stem, said in found]


def _of_attacks(every: Sequence[Claim]) -> list[tuple[Figure, str, str, str]]:
    """Of each attack, a variant at a time: the curve of its outcomes, else the age of what it sent, and else what it
    got of what it tried."""
    variants: dict[tuple[str, str], list[Claim]] = {}
    for claim in every:
        variants.setdefault((claim.attack, claim.variant), []).append(claim)
    found = []
    for place, ((attack, variant), claims) in enumerate(list(variants.items())[:PICTURED_VARIANTS], 1):
        figure, said = plots.curves(claims), "its curve"
        if figure is None:
            figure, said = plots.values_of_shots(claims), "what meters said and what was stored in its place"
        if figure is None:
            figure, said = plots.age_of_shots(claims), "the age of what it sent, and whether it became a reading"
        if figure is None:
            figure, said = plots.got_of_tried(claims), "what it got of what it tried"
        if figure is not None:
            stem = f"p{place}-{_stem(f'{attack}-{variant}')}"
            found.append((figure, f"p{place}", stem, f"{attack}, {variant}: {said}"))
    return found


def _stem(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:80]


def draw_ahead(folder: Path) -> None:
    """Draw what the page of the run will show of the scenario in this folder of a run directory, which has its
    scenario.json; nothing where the disk is almost full. Raises OSError, ValueError."""
    if shutil.disk_usage(folder).free < SPARE_BYTES:
        return
    scenario = scenario_of(json.loads((folder / "scenario.json").read_text(encoding="utf-8")))
    stories = [story_of(folder.parent, world) for world in scenario.worlds[:PLOTTED_WORLDS]]
    found = [asdict(picture) for picture in of_scenario(scenario, stories)]
    whole_file.write(folder / FILE, json.dumps(found))


def drawn_ahead(run_directory: Path) -> dict[tuple[str, int], list[Picture]]:
    """(scenario's id, its seed) -> what `draw_ahead` left, of those that have it; it is taken away. To be asked only by
    who ran the scenarios."""
    found = {}
    for path in sorted(run_directory.glob(f"*/{FILE}")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            body = json.loads((path.parent / "scenario.json").read_text(encoding="utf-8"))
            pictures = [Picture(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
            found[str(body["id"]), int(body["seed"])] = pictures
        path.unlink(missing_ok=True)
    return found
