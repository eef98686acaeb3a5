"""One table of fates: what is written elsewhere in other languages is held to it, line by line."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from sim.core.events import Fate
from sim.radio import loss
from sim.radio.loss import judge, judge_compiled

ROOT = Path(__file__).parents[3]


def written() -> dict[str, list[str]]:
    """By file, the lines that follow from the table."""
    first, *others = (f'"{fate.label}"' for fate in Fate)
    losses = ", ".join(f"`{fate.label.replace(' ', '_')}`" for fate in Fate if fate is not Fate.RECEIVED)
    return {
        "reports/wireshark/wmbus.lua": [f"local FATES = {{ [0] = {first}, {', '.join(others)} }}"],
        "docs/models/air.md": ["| fate | when |", "|---|---|", *(f"| {fate.label} | {fate.says} |" for fate in Fate)],
        "docs/reference/run.md": [f"- fate: {', '.join(f'{fate:d} {fate.label}' for fate in Fate)}"],
        "docs/reference/sweep.md": [f"| {losses} | shares of pairs of a frame and a gateway in reach |"],
    }


@pytest.mark.parametrize("path", written())
def test_other_languages_say_the_same(path: str) -> None:
    assert "\n".join(written()[path]) in (ROOT / path).read_text(), "paste the lines that the table gives"


def test_numbers_are_places_in_the_table() -> None:
    assert [int(fate) for fate in Fate] == list(range(len(Fate)))
    assert [getattr(loss, fate.name) for fate in Fate] == list(Fate)


def test_a_loss_has_the_first_reason_of_the_table() -> None:
    """Of everything that happened to a frame, and the same compiled."""
    seen = set()
    for down, weak, busy, jam, other in product((False, True), repeat=5):
        happened = [fate for fate, so in zip(list(Fate)[1:], (down, weak, busy, jam, jam or other), strict=True) if so]
        flags = (down, not weak, busy, 7 + jam, 7 + (jam or other), 7)
        assert judge(*flags) == (happened or [Fate.RECEIVED])[0]
        assert judge_compiled(*flags) == judge(*flags)
        seen.add(judge(*flags))
    assert seen == set(Fate)
