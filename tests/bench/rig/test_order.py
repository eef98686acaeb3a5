"""Long scenarios begin first, and pytest-xdist's way of handing out work makes of it what is meant."""

from __future__ import annotations

import pytest

from bench.rig import order
from bench.rig.scenario import Stage, scenario
from sim.faults.portal_restarted import PortalRestarted

HALF_A_DAY_H = 12.0


@scenario(world="day-1000")
def whole_day(world: Stage) -> None:
    world.run(days=1)


@scenario(world="day-1000")
def by_name(world: Stage) -> None:
    world.run(hours=HALF_A_DAY_H)
    world.fault(PortalRestarted())
    world.run(minutes=720)


@scenario(world="day-1000", defences={"weaker": {}})
def attacked(world: Stage) -> None:
    world.attack(None)
    world.run(days=1)


@scenario(world="desk-24", not_for={"smgw": "a gateway of the desk"})
def by_the_wall(world: Stage) -> None:
    world.attack(None)
    world.run(minutes=9)


@scenario(world="no-such-world")
def broken(world: Stage) -> None:
    world.run(days=1)


def seconds(function: object) -> float:
    return order.estimated_s(function.__wmbench__, function)  # type: ignore[attr-defined, arg-type]


def test_a_scenario_costs_what_its_meters_send_in_the_time_it_names() -> None:
    assert seconds(whole_day) == pytest.approx(order.START_S + 96_000 * order.TELEGRAM_S)
    assert seconds(by_name) == pytest.approx(seconds(whole_day))
    assert seconds(attacked) == pytest.approx(4 * seconds(whole_day))  # on, clean, weaker, off
    assert seconds(by_the_wall) == pytest.approx(3 * (order.START_S + 540 / 8)), "its clock runs at eight times ours"
    assert seconds(broken) == order.START_S


def given(items: list[int], workers: int) -> list[list[int]]:
    """What each worker of pytest-xdist is given before anybody has finished (`--dist load --maxschedchunk 1`)."""
    if len(items) < 2 * workers:
        return [items[worker::workers] for worker in range(workers)]
    return [items[2 * worker : 2 * worker + 2] for worker in range(workers)]


@pytest.mark.parametrize(
    ("lengths", "first"),
    [
        ([9], [[9], []]),
        ([9, 5], [[5], [9]]),
        ([9, 5, 4], [[5, 4], [9]]),
        ([9, 5, 4, 3], [[9, 3], [5, 4]]),
        ([9, 5, 4, 3, 2, 1], [[9, 3], [5, 4]]),
    ],
)
def test_the_two_longest_never_stand_at_one_worker(lengths: list[int], first: list[list[int]]) -> None:
    dealt = order.dealt(lengths, 2)
    assert sorted(dealt, reverse=True) == lengths, "each once"
    assert given(dealt, 2) == first
    assert dealt[4:] == lengths[4:], "the rest in order, to whoever has time"
