"""A whole number from outside is one, or it is nothing: no digits of other scripts, none too large, never an error."""

from __future__ import annotations

import pytest

from sim.core.digits import whole_of


@pytest.mark.parametrize(
    ("text", "most", "wanted"),
    [
        ("0", 10, 0), ("10", 10, 10), ("11", 10, None), ("007", 10, 7), ("0" * 9_000 + "7", 10, 7),
        ("9" * 9_000, 10**18, None), ("", 10, None), ("-1", 10, None), ("+1", 10, None), (" 1", 10, None),
        ("1_0", 10, None), ("1.0", 10, None), ("\N{ARABIC-INDIC DIGIT ONE}", 10, None),
        ("\N{SUPERSCRIPT TWO}", 10, None), ("0", -1, None),
    ],
)  # fmt: skip
def test_whole_numbers(text: str, most: int, wanted: int | None) -> None:
    assert whole_of(text, most) == wanted
