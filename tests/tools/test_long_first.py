"""Long tests begin first, each once, whatever the number of workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import long_first

ROOT = Path(__file__).resolve().parents[2]


def test_long_ones_stand_in_front_of_each_share() -> None:
    assert long_first.dealt("abcXdefYgZ", 3, str.isupper) == [*"Xab", *"Ycd", *"Zefg"]


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize("items", ["", "A", "ABCDEFa", "abcdefA", "aAbBcCdDeEfFgG"])
def test_each_is_dealt_once_and_the_others_keep_their_order(items: str, workers: int) -> None:
    order = long_first.dealt(items, workers, str.isupper)
    assert sorted(order) == sorted(items)
    assert [one for one in order if one.islower()] == [one for one in items if one.islower()]


def test_every_pattern_names_files_that_there_are() -> None:
    for pattern in long_first.FILES:
        assert list(ROOT.glob(pattern)), pattern
    assert long_first.is_long("tests/test_how_to_add.py::test_there_are_pages")
    assert not long_first.is_long("tests/test_tidy.py::test_there_are_pages")
