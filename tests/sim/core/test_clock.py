"""World time."""

from datetime import UTC, datetime, timedelta, timezone

from sim.core.clock import NS_PER_DAY, Calendar, Clock, Steps, ns
from sim.core.virtual_clock import VirtualClock


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


def test_the_virtual_clock_lets_time_pass_and_steps_wait_on_it() -> None:
    clock: Clock = VirtualClock()
    bell, seen = clock.event(), []

    def waits() -> Steps:
        heard = yield bell
        seen.append((clock.now_ns, heard))

    def rings() -> Steps:
        yield clock.timeout(30)
        bell.succeed("now")
        yield clock.timeout(70)
        seen.append((clock.now_ns, "rung"))

    clock.process(waits())
    rung = clock.process(rings())
    clock.run_until(29)
    assert (clock.now_ns, seen, bell.triggered) == (29, [], False)
    clock.run_until(100)
    assert (clock.now_ns, seen, rung.triggered) == (100, [(30, "now")], False), "what is due now comes in the next run"
    clock.run_until(101)
    assert (seen[1:], rung.triggered) == ([(100, "rung")], True)
