"""Pages for planners: whole, self-contained, said in words too, and silent where nothing can be said."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from reports import city_page, plots, sweep_page
from reports.plots.site_map import MOST_ACROSS, grid, in_words
from reports.run_model import RunError
from sim.core.events import Fate

RUN: dict[str, Any] = {
    "version": 1, "kind": "city", "name": "city-x", "title": "Houses <b>", "started": "2026-01-12T08:00:00Z",
    "duration_s": 1.5, "command": "./wmbench city x --seed 1", "wmbench": "0.1.0", "commit": "abc1234",
    "python": "3.11.7", "machine": "2 cores", "seed": 1, "outcome": "passed", "left_out": [], "scenarios": [],
}  # fmt: skip
BLOCKS: dict[str, Any] = {"columns": 3, "rows": 2, "sent": [10, 10, 10, 10, 10, 0], "heard": [9, 8, 7, 2, 9, 0]}
FATES = {fate.label: count for fate, count in zip(Fate, (500, 0, 900, 40, 0, 60), strict=True)}


def city(**changes: Any) -> dict[str, Any]:
    result = {
        "world": "x", "seed": 1, "depth": "bytes", "meters": 1_000, "gateways": 4, "shards": 2, "workers": 2,
        "links": 5_000, "frames_sent": 50, "frames_heard": 35, "telegram_bytes": 3_000, "delivery_ratio": 0.7,
        "fates": FATES, "received_digest": "00112233aabbccdd", "wall_s": 1.5, "transmissions_a_s": 33.0,
        "shard_s": [], "peak_bytes_a_worker": 1 << 28, "blocks": BLOCKS, "readings": None,
        "worst": [{"meter": 7, "group": "hca <b>", "house": 2, "floor": 1, "days_missed": 3, "heard": 1, "sent": 9,
                   "why": "mostly out of range", "fates": {"out of range": 8}}], **changes,
    }  # fmt: skip
    return {
        "hours": 1.0, "outages": [0.0, 3600.0], "settings": ["site.floors=2"], "result": result,
        "figures": [{"name": "delivery ratio", "value": 0.7, "unit": "", "what": "heard / sent"}],
    }  # fmt: skip


def point(number: int, load: float, ratio: float, formula: float | None = None, **settings: Any) -> dict[str, Any]:
    return {
        "number": number, "name": ", ".join(f"{k} = {v}" for k, v in settings.items()), "settings": settings,
        "meters": 100, "gateways": 1, "load": load, "formula": formula,
        "figures": {"delivery_ratio": {"mean": ratio, "low": ratio - 0.01, "high": ratio + 0.01, "spread": 0.005}},
        "fates": {"received": 0.3, "out of range": 0.4, "collision": 0.2, "receiver busy": 0.1},
        "formula_name": "pure ALOHA" if formula is not None else "", "formula_why": "one gateway",
        "expected": [{"figure": "delivery_ratio", "limit": "min", "value": 0.5, "text": "delivery_ratio >= 0.5",
                      "found": ratio, "held": ratio >= 0.5}], "held": ratio >= 0.5,
        "digests": {"1": "aa", "2": "bb"}, "cpu_s": 1.0,
    }  # fmt: skip


def sweep(points: list[Any], keys: tuple[str, ...] = ("fleet.interval_s",), **changes: Any) -> dict[str, Any]:
    return {
        "title": "Load <i>", "world": "x", "hours": 1.0, "depth": "radio", "seeds": [1, 2], "points": points,
        "vary": [{"keys": [key], "values": []} for key in keys], "failed": [], "curve": [], "digest": "0123",
        "worst": {"point": len(points) - 1, "blocks": BLOCKS}, **changes,
    }  # fmt: skip


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def labels(page: str) -> list[str]:
    return re.findall(r'role="img" aria-label="([^"]*)"', page)


def whole(page: str) -> None:
    """Loads nothing, escapes what it is given, and every picture has words."""
    assert "Houses <b>" not in page and "Load <i>" not in page
    assert not re.findall(r'(?:src|href)="(?!#|\.\./|data:image/png)', page)
    assert "<script" not in page and "http" not in page
    assert len(labels(page)) == page.count('class="plot"')
    for svg in re.findall(r"<svg.*?</svg>", page, flags=re.S):
        ET.fromstring(svg)
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def test_a_city_s_page_has_its_figures_its_losses_and_its_map() -> None:
    page = city_page.render(RUN, city(), "../../bench/latest/bench.json")
    whole(page)
    assert "./wmbench city x --seed 1" in page and "00112233aabbccdd" in page
    assert labels(page) == [
        "Receptions lost though in range, by reason: receiver busy 40, collision 60.",
        "Map of 2 rows by 3 columns, delivery ratio of each block: lowest 0.2000 in row 2, column 1, highest 0.9000 in "
        "row 1, column 1, median 0.8000.",
    ]
    assert {"heard / sent", "block column", "block row", ".20", ".90"} <= set(texts(page))
    assert '<a href="../../bench/latest/bench.json">' in page
    assert "hca &lt;b&gt;, house 3, floor 1" in page and "1 of 9" in page and "out of range 8" in page


def test_a_city_of_one_block_has_no_map_and_one_without_losses_no_bars() -> None:
    one = {"columns": 1, "rows": 1, "sent": [5], "heard": [5]}
    page = city_page.render(RUN, city(blocks=one, fates={**dict.fromkeys(FATES, 0), "received": 5}))
    whole(page)
    assert 'class="plot"' not in page
    assert "one block of houses" in page and "Nothing was lost in range" in page


def test_blocks_are_added_up_in_large_squares() -> None:
    side = 2 * MOST_ACROSS + 3
    sent, heard = [10] * (side * side), [5] * (side * side)
    heard[0], sent[1] = 10, 0
    heard[1] = 0
    one = grid({"columns": side, "rows": side, "sent": sent, "heard": heard})
    assert one.a_side == 3 and max(one.ratio.shape) <= MOST_ACROSS
    assert one.ratio[0, 0] == pytest.approx((10 + 7 * 5) / 80)
    assert one.ratio[-1, -1] == 0.5
    figure = plots.heat_map({"columns": side, "rows": side, "sent": sent, "heard": heard})
    assert figure is not None and "delivery ratio of each square of 3 x 3 blocks" in plots.as_svg(figure, "m")


def test_the_worst_blocks_are_listed_without_empty_places() -> None:
    assert [(row["row"], row["column"]) for row in city_page.lowest(BLOCKS)][:2] == [(2, 1), (1, 3)]
    assert len(city_page.lowest(BLOCKS)) == 5
    assert "lowest 0.2000 in row 2, column 1" in in_words(BLOCKS)


def test_a_sweep_s_page_has_the_closed_form_beside_what_was_simulated() -> None:
    points = [point(i, 0.1 * (i + 1), 0.8 - 0.1 * i, 0.81 - 0.1 * i, **{"fleet.interval_s": 60 - i}) for i in range(4)]
    page = sweep_page.render(RUN, sweep(points, curve=[(0.1, 0.8), (0.4, 0.5)]))
    whole(page)
    assert texts(page).count("closed form") == 2
    assert "pure ALOHA" in page and "one gateway" in page
    assert "at 0.1: 0.8000 (closed form 0.8100)" in labels(page)[0]
    assert {"receiver busy", "collision", "40 % out of range", "fleet.interval_s = 60"} <= set(texts(page))
    assert page.count(">holds<") == 4 and "fails" not in page


def test_where_no_formula_holds_none_is_drawn() -> None:
    points = [point(i, 0.1, 0.5 - 0.1 * i, **{"gateway.count": 4 * (i + 1)}) for i in range(3)]
    page = sweep_page.render(RUN, sweep(points, ("gateway.count",), failed=["gateway.count = 8: too few"]))
    whole(page)
    assert "closed form" not in texts(page)
    assert "No closed form is drawn: one gateway." in page
    assert "load at a gateway" not in " ".join(texts(page)), "a load that does not vary is no axis"
    assert "gateway.count = 8: too few" in page and page.count(">fails<") == 2
    assert "<b>1 of 3</b> expectations hold" in page
    assert {"expected limit 0.5", "4", "8", "12"} <= set(texts(page))


def test_two_keys_are_told_apart_by_their_markers() -> None:
    points = [
        point(2 * i + j, 0.1 * (i + 1), 0.9 - 0.1 * (i + j), **{"a.x": i, "b.y": f"n{j}"})
        for i in range(3) for j in range(2)
    ]  # fmt: skip
    page = sweep_page.render(RUN, sweep(points, ("a.x", "b.y")))
    whole(page)
    assert texts(page).count("b.y = n0") == texts(page).count("b.y = n1") == 2
    # Whatever key comes first, the load's curves follow the one that moves it.
    turned = [{**one, "load": 0.1 * (one["settings"]["b.y"] == "n1") + 0.1} for one in points]
    page = sweep_page.render(RUN, sweep(turned, ("a.x", "b.y")))
    assert "a.x = 0" in texts(page) and texts(page).count("b.y = n0") == 1


def test_words_as_values_and_very_many_points_are_a_table_only() -> None:
    points = [point(i, 0.1, 0.5, **{"fleet.link": f"T{i}"}) for i in range(60)]
    page = sweep_page.render(RUN, sweep(points, ("fleet.link",), worst={"point": 0, "blocks": {**BLOCKS, "columns": 1,
                             "rows": 1, "sent": [1], "heard": [1]}}))  # fmt: skip
    whole(page)
    assert 'class="plot"' not in page and "Too many points to draw" in page


def test_a_run_that_was_not_finished_says_so(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(RUN), encoding="utf-8")
    with pytest.raises(RunError, match=r"sweep.json: .*the run was not finished"):
        sweep_page.write(tmp_path)
    (tmp_path / "city.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match=r"city.json is damaged"):
        city_page.write(tmp_path)
    (tmp_path / "city.json").write_text(json.dumps(city()), encoding="utf-8")
    assert "Houses" in city_page.write(tmp_path).read_text(encoding="utf-8")
