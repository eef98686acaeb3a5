"""The pictures of an attack: narrow, with a word for each stroke, and absent where there is nothing to show."""

from __future__ import annotations

import re
from dataclasses import replace

from reports import plots
from reports.run_model import Claim, Curve, Shot

TRIED = Claim("a", "A", "v", "mode5", "on", verdict="SUCCEEDED", evidence={"reached": 4, "achieved": 3})


def words(figure: object) -> list[str]:
    assert figure is not None
    svg = plots.as_svg(figure, "p", "what is shown")  # type: ignore[arg-type]
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])  # type: ignore[index]
    assert width <= 330, "it stands on a page of 360 pixels without shrinking its text"
    assert 'aria-label="what is shown"' in svg
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_the_share_of_tries_carries_its_counts_and_marks_what_is_weak() -> None:
    texts = words(plots.got_of_tried([TRIED, replace(TRIED, defences="off", security="mode7")]))
    assert texts.count("3 of 4") == 2 and "mode 5, on" in texts and "mode 7, off" in texts
    svg = plots.as_svg(plots.got_of_tried([replace(TRIED, defences="off")]), "p")  # type: ignore[arg-type]
    assert "pattern" in svg, "hatched, so that no colour is needed"


def test_shots_stand_at_their_age_filled_where_they_became_readings() -> None:
    shots = [Shot(age_s=10.0, rows=1), Shot(age_s=3_600.0), Shot()]
    texts = words(plots.age_of_shots([replace(TRIED, shots=shots)]))
    assert any("filled: became a reading" in text for text in texts)


def test_an_age_is_told_in_words_and_no_formula() -> None:
    shots = [Shot(age_s=age, rows=1) for age in (0.2, 30.0, 7_200.0, 2_592_000.0)]
    texts = words(plots.age_of_shots([replace(TRIED, shots=shots)]))
    assert {"1 s", "1 h"} & set(texts) and not [text for text in texts if "$" in text or "mathdefault" in text]


def test_values_stand_before_and_after_and_a_verdict_without_one_says_so() -> None:
    shots = [Shot(before=100, after=4_711), Shot(before=100, after=4_711), Shot(before=7, after=7), Shot(before=7)]
    turned = replace(TRIED, shots=shots)
    kept = replace(TRIED, security="mode7", shots=shots[2:])
    figure = plots.values_of_shots([turned, kept])
    texts = words(figure)
    assert {"mode 5, on", "mode 7, on", "no other value, of 2 tries"} <= set(texts)
    assert figure is not None
    marks = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 1]
    drawn = sorted(float(line.get_xdata()[0]) for line in marks)
    assert drawn == [100.0, 4_711.0], "each pair once, none that is equal"
    assert plots.values_of_shots([kept]) is None


def test_curves_have_a_name_each() -> None:
    curve = Curve("hours", "mAh", [[0, 0], [1, 2.5]])
    texts = words(plots.curves([replace(TRIED, curve=curve), replace(TRIED, security="mode7", curve=curve)]))
    assert {"hours", "mAh", "mode 5, on", "mode 7, on"} <= set(texts)


def test_nothing_to_show_is_no_attack_picture() -> None:
    empty = replace(TRIED, evidence={})
    assert plots.got_of_tried([empty]) is plots.age_of_shots([empty]) is plots.curves([empty]) is None
