"""What the packed keys do not hold is refused, with the limit named."""

from __future__ import annotations

import numpy as np
import pytest

from bench.perf.air import City
from sim.radio import limits
from sim.radio.limits import EngineLimit, check_entries, check_size, check_window


@pytest.mark.parametrize(
    ("meters", "links", "longest_ns", "said"),
    [
        (1 << 31, [1], 1, "at most 2147483647; use more shards"),
        (1, [0] * ((1 << 20) + 1), 1, "receivers on one engine, at most 1048576"),
        (1, [3, 1 << 24], 1, "16777216 links at one receiver, at most 16777215"),
        (1, [1], 1 << 31, "longer than 2147483647 ns"),
    ],
)
def test_a_size(meters: int, links: list[int], longest_ns: int, said: str) -> None:
    with pytest.raises(EngineLimit, match=said):
        check_size(meters, np.array(links), longest_ns)


def test_a_size_that_just_fits() -> None:
    check_size((1 << 31) - 1, np.array([(1 << 24) - 1, 0]), (1 << 31) - 1)
    check_size(1, np.zeros(1 << 20, dtype=np.int64), 1 << 40)  # nobody hears it


@pytest.mark.parametrize(("length_ns", "frames"), [(0, 1), (-1, 1), (1 << 40, 1), (1, 1 << 31)])
def test_a_window(length_ns: int, frames: int) -> None:
    with pytest.raises(EngineLimit, match=r"window"):
        check_window(length_ns, frames)
    check_window((1 << 40) - 1, (1 << 31) - 1)


def test_frames_at_one_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ENTRIES", 10)
    first, links, offset = np.array([0, 4, 7, 11]), np.array([0, 1, 1, 2]), np.array([0, 2, 4])
    check_entries(first, links, offset, np.array([2, 2]))  # 9 at either
    with pytest.raises(EngineLimit, match="10 frames at one receiver in one window, at most 9; use shorter windows"):
        check_entries(first, links, offset, np.array([0, 3]))


def test_an_engine_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    city = City(60, 2)
    monkeypatch.setattr(limits, "MAX_ENTRIES", 20)
    with pytest.raises(EngineLimit, match=r"6\d frames at one receiver"):
        city.window()
    with pytest.raises(EngineLimit, match="60 links at one receiver"):
        City(60, 2)
