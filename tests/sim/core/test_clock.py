"""World time."""

from datetime import UTC, datetime, timedelta, timezone

from sim.core.clock import NS_PER_DAY, Calendar, ns


def test_seconds_become_integer_nanoseconds() -> None:
    assert ns(1) == 1_000_000_000
    assert ns(0.1) == 100_000_000
    assert isinstance(ns(0.1), int)


def test_calendar_there_and_back() -> None:
    calendar = Calendar(datetime(2026, 1, 12))  # noqa: DTZ001  (naive on purpose: it is taken for UTC)
    assert calendar.at(NS_PER_DAY) == datetime(2026, 1, 13, tzinfo=UTC)
    assert calendar.ns(datetime(2026, 1, 13)) == NS_PER_DAY  # noqa: DTZ001
    assert calendar.ns(datetime(2026, 1, 11)) == -NS_PER_DAY  # noqa: DTZ001


def test_calendar_takes_other_zones_for_what_they_are() -> None:
    berlin = timezone(timedelta(hours=1))
    assert Calendar(datetime(2026, 1, 12, 1, tzinfo=berlin)).start == datetime(2026, 1, 12, tzinfo=UTC)
