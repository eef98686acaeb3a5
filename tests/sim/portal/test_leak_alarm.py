"""The alarm `leak`: water that runs without a pause, at hours at which it never did."""

from __future__ import annotations

from pathlib import Path

import pytest
from bed import INTERVAL_S, KEY, Bed, bcd

from sim.core.events import AlarmRaised
from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from wmbus.link import Address
from wmbus.telegram import build

WATER = Address("QDS", "20000001", 0x17, 0x07)
DAY = 96


def display(k: int, litres: float) -> bytes:
    """Telegram k of a water meter with whole litres on its display."""
    records = b"\x0c\x13" + bcd(int(litres), 4)
    return build(WATER, k & 0xFF, 0, records, security="mode7", key=KEY, counter=k)


class Household:
    """It draws three litres in each interval of the evening (hours 18 to 22), and nothing else."""

    def __init__(self, path: Path, **settings: object) -> None:
        spec = PortalSpec(checks=(), **settings)  # type: ignore[arg-type]
        self.bed = Bed(path, spec, entries=[MeterEntry(WATER, "mode7", INTERVAL_S, frozenset({"gw1"}))])
        self.litres = 100.0

    def days(
        self, first: int, last: int, *, evening: float = 3.0, leak: float = 0.0, lost: tuple[int, ...] = ()
    ) -> None:
        """Telegrams `first` to before `last`; `leak`: litres an interval; `lost`: those that nobody heard."""
        heard = []
        for k in range(first, last):
            self.litres += leak + (evening if 18 <= k % DAY // 4 < 22 else 0.0)
            if k not in lost:
                heard.append((display(k, self.litres), k * INTERVAL_S))
        together = 4 if last - first < DAY else DAY
        for place in range(0, len(heard), together):
            part = heard[place : place + together]
            self.bed.take(self.bed.message("gw1", part), now_s=part[-1][1] + 5)

    @property
    def alarms_at(self) -> list[float]:
        """In which interval each was raised."""
        raised = (event for event in self.bed.events if isinstance(event, AlarmRaised) and event.kind == "leak")
        return [event.time_ns / 1e9 // INTERVAL_S for event in raised]


@pytest.mark.parametrize("hour", [3, 18, 20])
def test_a_leak_is_found_after_six_intervals_also_when_the_household_draws(tmp_path: Path, hour: int) -> None:
    house = Household(tmp_path)
    begins = 7 * DAY + 4 * hour
    house.days(1, begins)
    assert house.alarms_at == []
    house.days(begins, begins + 12, leak=5.0)
    (at,) = house.alarms_at
    assert 6 <= at - begins + 1 <= 9  # four telegrams come together
    house.bed.restart()
    house.days(begins + 12, begins + 16, leak=5.0)
    assert len(house.alarms_at) == 1 and str(WATER) in house.bed.portal.alarms.open("leak")
    house.days(begins + 16, begins + 20, evening=0.0)
    assert house.bed.portal.alarms.open("leak") == {}


def test_evenings_like_other_evenings_are_no_leak(tmp_path: Path) -> None:
    house = Household(tmp_path)
    house.days(1, 9 * DAY, evening=9.0)
    assert house.alarms_at == []
    house.days(9 * DAY, 10 * DAY, evening=14.0)  # five litres more than ever in a quarter of an hour
    assert len(house.alarms_at) == 1


def test_what_it_learned_is_there_after_a_restart(tmp_path: Path) -> None:
    house = Household(tmp_path)
    house.days(1, 8 * DAY, evening=9.0)
    house.bed.restart()
    house.days(8 * DAY, 9 * DAY, evening=9.0)
    assert house.alarms_at == []
    house.days(9 * DAY, 9 * DAY + 8, leak=5.0)
    assert len(house.alarms_at) == 1


def test_a_lost_telegram_hides_no_leak_and_many_end_the_row(tmp_path: Path) -> None:
    begins = 7 * DAY + 8
    for name, lost, found in (("one", (begins + 3,), True), ("many", tuple(range(begins + 2, begins + 7)), False)):
        house = Household(tmp_path / name)
        house.days(1, begins)
        house.days(begins, begins + 8, leak=5.0, lost=lost)
        assert bool(house.alarms_at) is found, name


def test_in_its_first_days_and_below_the_threshold_nothing_is_said(tmp_path: Path) -> None:
    house = Household(tmp_path, leak_learn_days=3)
    house.days(1, 2 * DAY, leak=5.0)
    house.days(2 * DAY, 5 * DAY)
    house.days(5 * DAY, 6 * DAY, leak=3.0)  # 12 l/h
    assert house.alarms_at == []
