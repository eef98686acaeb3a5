"""Pictures: well-formed, following light and dark, bounded in size, and absent where there is nothing to show."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

from reports import palette, plots
from reports.event_digest import Story, read_story
from sim.core.events import AlarmRaised, Fate
from sim.core.history import History

Make = Callable[..., Path]


def test_a_timeline_names_its_lanes_counts_and_units(make_history: Make) -> None:
    figure = plots.timeline(read_story(make_history(refusals=40)))
    assert figure is not None
    svg = plots.as_svg(figure, "w1")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert "attack · radio.replay: speak" in texts
    assert "refused · MAC wrong" in texts
    assert "world time, h" in texts
    assert {"12", "18", "24"} <= set(texts)  # hours, in steps that divide a day
    assert "12" in texts  # acts


def test_losses_and_refusals_carry_counts(make_history: Make) -> None:
    story = read_story(make_history(attack="radio.jam", refusals=40))
    for figure, words in (
        (plots.losses(story), ("jammed", "9 600 · 3.1 %")),
        (plots.refused(story), ("MAC wrong", "12 · 30 %")),
    ):
        assert figure is not None
        svg = plots.as_svg(figure, "x")
        assert all(word in svg for word in words), svg


def test_nothing_to_show_is_no_picture(tmp_path: Path) -> None:
    story = Story(tmp_path)
    assert plots.timeline(story) is plots.refused(story) is plots.losses(story) is None


def test_equal_histories_give_equal_pictures(make_history: Make) -> None:
    story = read_story(make_history())
    first, second = plots.timeline(story), plots.timeline(story)
    assert first is not None and second is not None
    assert plots.as_svg(first, "a") == plots.as_svg(second, "a")


def test_every_colour_follows_the_page(make_history: Make) -> None:
    figure = plots.timeline(read_story(make_history()))
    assert figure is not None
    svg = plots.as_svg(figure, "w")
    bare = re.sub(r"var\(--\w+, #[0-9a-f]{6}\)", "", svg)
    assert not re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", bare)
    assert "<metadata" not in svg and "http" not in svg
    ids = re.findall(r'\bid="([^"]*)"', svg)
    assert ids and all(name.startswith("w-") for name in ids)


def test_formulas_and_tags_in_labels_stay_text(tmp_path: Path) -> None:
    history = History(tmp_path / "events.jsonl")
    history.record(AlarmRaised(7, "$\\frac{1}{$ <script>", "m", ""))
    history.close()
    figure = plots.timeline(read_story(tmp_path / "events.jsonl"))
    assert figure is not None
    svg = plots.as_svg(figure, "w")
    assert "&lt;script&gt;" in svg and "<script" not in svg
    assert "frac" in svg


def test_a_storm_stays_small(make_history: Make) -> None:
    figure = plots.timeline(read_story(make_history(refusals=50_000, windows=2_000)))
    assert figure is not None
    assert len(plots.as_svg(figure, "w")) < 150_000


def test_pictures_are_files_too(make_history: Make, tmp_path: Path) -> None:
    figure = plots.timeline(read_story(make_history()))
    assert figure is not None
    svg = plots.write_svg(plots.as_svg(figure, "w"), tmp_path / "t.svg")
    assert ET.parse(svg).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme:dark" in svg.read_text()
    assert plots.write_png(figure, tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")


def test_every_fate_has_a_colour_and_every_colour_a_name_of_its_own() -> None:
    assert set(palette.FATES.values()) <= set(palette.COLOURS)
    assert len(set(palette.HATCHES.values())) == len(Fate)
    assert len({day for day, _ in palette.COLOURS.values()}) == len(palette.COLOURS)


def test_matplotlib_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, reports.html, reports.console; sys.exit('matplotlib' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
