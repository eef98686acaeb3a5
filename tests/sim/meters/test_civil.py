"""The integer calendar against the standard library's, day by day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from sim.meters import civil
from wmbus import dates

DAYS = range(0, 80 * 366, 7)


def test_every_seventh_day_of_eighty_years_is_the_librarys() -> None:
    for day in DAYS:
        expected = date(2000, 1, 1) + timedelta(days=day)
        assert civil.ymd(day) == (expected.year, expected.month, expected.day)
        assert civil.day_of(expected.year, expected.month, expected.day) == day
        assert civil.month_of(day) == (expected.year - 2000) * 12 + expected.month - 1
        assert civil.month_start(civil.month_of(day)) == day - expected.day + 1


def test_arrays_and_ints_agree() -> None:
    days = np.arange(0, 29_220, 1)
    year, month, of_month = civil.ymd(days)
    assert [civil.ymd(int(day)) for day in days[::37]] == list(
        zip(year[::37].tolist(), month[::37].tolist(), of_month[::37].tolist(), strict=True)
    )
    assert civil.type_g(days)[::37].tolist() == [civil.type_g(int(day)) for day in days[::37]]


@pytest.mark.parametrize("text", ["2000-02-29T00:00", "2026-12-31T23:59", "2079-03-01T12:07"])
def test_wire_dates_are_what_the_protocol_decodes(text: str) -> None:
    when = datetime.fromisoformat(text)
    minute = (when - civil.EPOCH) // timedelta(minutes=1)
    assert dates.decode_f(civil.type_f(minute).to_bytes(4, "little")) == when
    assert dates.decode_g(civil.type_g(minute // 1_440).to_bytes(2, "little")) == when.date()
    assert civil.datetime_of(minute) == when
