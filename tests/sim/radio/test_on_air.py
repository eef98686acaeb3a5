"""The on_air: what is to come, and how many frames have ended."""

from __future__ import annotations

import numpy as np
from small_air import sorted_schedule

from sim.radio.on_air import OnAir


def table(*parts: list[int], air_time_ns: int = 10) -> OnAir:
    """One schedule a part, of frames that begin at these times."""
    made = OnAir()
    for number, starts in enumerate(parts):
        schedule = sorted_schedule(starts, np.arange(len(starts)), [number] * len(starts))
        made.add(schedule, schedule.start_ns + air_time_ns)
    return made


def test_what_begins_in_an_interval_is_found_in_all_schedules() -> None:
    made = table([0, 5, 20], [7, 30])
    assert sorted(made.between(5, 20).start_ns.tolist()) == [5, 7]
    assert made.between(20, 31).start_ns.tolist() == [20, 30]
    assert made.between(0, 6).start_ns.tolist() == [0, 5]
    assert len(made.between(31, 99)) == 0
    assert [part.start_ns.tolist() for part in made.since(7)] == [[20], [7, 30]]


def test_each_frame_is_counted_once_when_it_has_ended() -> None:
    made = table([0, 5, 20])
    made.add_intruder(12)
    assert made.ended(10) == 0  # one ends this instant
    assert made.ended(15) == 2  # at 10, the visit at 12
    assert made.ended(16) == 1
    assert made.ended(30) == 0
    assert made.ended(31) == 1
    assert made.ended(99) == 0
    assert made.since(0) == []  # and is forgotten
