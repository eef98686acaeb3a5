"""Telegrams that the air asks for ahead of need: those of a real fleet, to which something happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
import simpy

from sim.core.seeds import Seeds
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.radio.air import ENGINES, Air
from sim.radio.fleet_frames import FleetFrames, MadeAhead
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.links import Radios
from sim.radio.propagation import Propagation

METERS = 12
HOUR_NS = 3_600 * 10**9
WINDOW_NS = 2 * HOUR_NS
HAPPENS: list[Callable[[Fleet, int], None]] = [
    lambda fleet, at_ns: fleet.tamper(3, at_ns),
    lambda fleet, at_ns: fleet.reset(5, at_ns),
    lambda fleet, at_ns: fleet.burst(7, at_ns, 600.0),
]


def water() -> Fleet:
    fleet = Fleet(
        [FleetSpec("water", "qundis-q-water", METERS, interval_s=300.0)],
        Seeds(1),
        start=datetime(2026, 1, 15, tzinfo=UTC),
    )
    fleet.tamper(5, 0)
    return fleet


@pytest.mark.parametrize("happens", HAPPENS)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("deferred", [False, True])
def test_a_meter_sends_what_it_says_after_something_happened_to_it(
    happens: Callable[[Fleet, int], None], engine: str, deferred: bool
) -> None:
    fleet, env = water(), simpy.Environment()
    air = Air(env, Propagation(2_800, 400, 0, 0, Seeds(1)), engine=engine)
    size = fleet.length_bytes(0)
    radios = Radios(*(np.full(METERS, value) for value in (Mode.T1, size, 700, air_time_ns(Mode.T1, size))))
    frames = FleetFrames(fleet.telegram, fleet.telegrams, lambda: fleet.changes)
    air.add_fleet(np.array([[3.0 * meter, 5.0, 1.0] for meter in range(METERS)]), radios, frames)
    heard: list[bytes] = []
    air.add_receiver(
        "ear", np.array([9.0, 9.0, 1.0]), -10_000, [Mode.T1], lambda telegram, *_: heard.append(telegram),
        demodulators=0, deferred=deferred,
    )  # fmt: skip
    schedule = fleet.window(0, WINDOW_NS)
    before = {fleet.telegram(meter, k) for meter, k in zip(schedule.meter.tolist(), schedule.k.tolist(), strict=True)}
    air.play(schedule)
    env.run(until=HOUR_NS)
    happens(fleet, HOUR_NS)
    env.run(until=WINDOW_NS)
    air.end_window()
    sent = [fleet.telegram(meter, k) for meter, k in zip(schedule.meter.tolist(), schedule.k.tolist(), strict=True)]
    assert len(heard) > 200
    assert set(heard) <= set(sent)
    assert not before.issuperset(heard)


def test_telegrams_are_made_at_once_and_asked_for_in_any_order() -> None:
    fleet, asked = water(), list[int]()

    def many(meter: np.ndarray, k: np.ndarray) -> list[bytes]:
        asked.append(len(meter))
        return list(fleet.telegrams(meter, k))

    schedule = fleet.window(0, WINDOW_NS)
    rows = np.arange(1, len(schedule), 2)
    ahead, frames = MadeAhead(schedule, rows), FleetFrames(many=many)
    for row in [3, 1, *rows.tolist()]:
        assert ahead.telegram(row, frames) == fleet.telegram(int(schedule.meter[row]), int(schedule.k[row]))
    assert asked == [len(rows) - 1, len(rows)]
