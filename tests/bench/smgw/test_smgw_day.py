"""The yardstick of a day of gateways: what it measures is a day whose values all arrive, by one process or by two."""

from __future__ import annotations

import pytest

from bench.perf import smgw_day
from bench.perf.smgw_day import GATEWAYS, METERS, Day


def test_a_day_is_measured_when_all_its_values_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    one = smgw_day.portion(2, 2)
    assert one.values == 3 * 3 * METERS and one.processor_s > 0
    two = smgw_day._day(2, 2, 2)
    assert (two.gateways, two.values) == (2, one.values)
    monkeypatch.setattr(smgw_day.House, "dial", lambda *_: None)
    with pytest.raises(RuntimeError, match="0 values of 60"):
        smgw_day.portion(2, 1)


def test_a_portion_is_scaled_by_count_and_cores() -> None:
    assert Day(10, 3.0, 9.0, 1).scaled_s == 3.0 * GATEWAYS / 10 / 2
