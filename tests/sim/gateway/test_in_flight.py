"""What goes out next, and how poison is told from an absent portal. No network: the test plays the broker."""

from __future__ import annotations

import pytest

from sim.gateway.in_flight import REFUSALS_MAX, WINDOW, Transit


def numbers(transit: Transit, now_ns: int = 0) -> list[int]:
    out = []
    while leaving := transit.next(now_ns):
        out += [sequence for sequence, _ in leaving]
    return out


def filled(count: int) -> Transit:
    return Transit((n, b"%d" % n) for n in range(1, count + 1))


def test_in_order_and_no_more_than_a_window() -> None:
    transit = filled(WINDOW + 10)
    assert numbers(transit) == list(range(1, WINDOW + 1))
    assert transit.acknowledged([1, 2]) == [1, 2]
    assert numbers(transit) == [WINDOW + 1, WINDOW + 2]
    assert transit.waiting == tuple(range(3, WINDOW + 11))


def test_a_new_connection_repeats_everything_in_order() -> None:
    transit = filled(3)
    assert numbers(transit) == [1, 2, 3]
    transit.published_until(0)
    transit.connection_ended()
    transit.add(4, b"4")
    assert numbers(transit) == [1, 2, 3, 4]


def test_an_acknowledgement_is_counted_once_and_strangers_not_at_all() -> None:
    transit = filled(2)
    numbers(transit)
    assert transit.acknowledged([2, 1, 1, 99, -1]) == [2, 1]
    assert transit.acknowledged([1]) == [] and not transit.busy and transit.waiting == ()


def test_an_acknowledgement_counts_also_while_waiting_to_be_sent_again() -> None:
    transit = filled(2)
    numbers(transit)
    transit.published_until(0)
    transit.connection_ended()
    assert transit.acknowledged([1]) == [1]
    assert numbers(transit) == [2]


def test_silence_is_no_refusal() -> None:
    transit = filled(3)
    for hour in range(1, 200):
        numbers(transit, hour)
        transit.late(hour)
        transit.published_until(0)
        transit.connection_ended()
        assert transit.take_refused() == []
    assert transit.waiting == (1, 2, 3)


def test_a_bundle_that_vanishes_is_quarantined_and_blocks_nobody() -> None:
    transit = filled(4)
    delivered: set[int] = set()
    for _ in range(50):
        for number in numbers(transit):
            if number != 2:  # the broker drops 2 in silence
                delivered.add(number)
                transit.acknowledged([number])
        if refused := transit.take_refused():
            assert [number for number, _ in refused] == [2]
            assert refused[0][1] == f"refused {REFUSALS_MAX} times: later bundles were acknowledged, this one never was"
            break
    else:
        pytest.fail("never quarantined")
    assert delivered == {1, 3, 4} and transit.waiting == ()


def test_a_bundle_that_closes_the_connection_is_quarantined_and_the_rest_gets_through() -> None:
    transit = filled(20)
    accepted: set[int] = set()
    for _ in range(100):
        out = numbers(transit)
        if not out:
            break
        before_poison = out[: out.index(7)] if 7 in out else out
        accepted |= set(before_poison)
        if 7 in out:
            # The broker took what came before, said so for all but the last, and hung up: no portal's word arrives.
            transit.published_until(len(out) - max(len(before_poison) - 1, 0))
            transit.connection_ended()
        else:
            transit.acknowledged(out)
        if refused := transit.take_refused():
            assert [number for number, _ in refused] == [7]
            assert "before the broker accepted it" in refused[0][1]
    assert accepted == set(range(1, 21)) - {7} and transit.waiting == ()


def test_a_broker_that_dies_again_and_again_costs_no_bundle() -> None:
    """Killed at another place each time: the suspects are others each time, and each gets through alone."""
    transit = filled(30)
    got_through: list[int] = []
    for death in range(20):
        out = numbers(transit)
        transit.published_until(len(out) - death * 7 % len(out))
        transit.connection_ended()
        assert transit.take_refused() == []
        got_through += transit.acknowledged(numbers(transit)[:1])
        transit.published_until(0)
        transit.connection_ended()
    while transit.busy:
        got_through += transit.acknowledged(numbers(transit))
    assert sorted(got_through) == list(range(1, 31)) and transit.take_refused() == []


def test_late_ones_become_suspects_and_are_cleared_by_the_first_answer() -> None:
    transit = filled(3)
    numbers(transit, 100)
    transit.late(99)
    assert numbers(transit, 101) == []
    transit.late(100)
    assert numbers(transit, 102) == [1], "suspects travel alone"
    transit.acknowledged([1])
    assert numbers(transit, 103) == [2, 3], "the path is good: no suspects any more"


def test_a_suspect_has_the_last_acknowledged_bundle_behind_it() -> None:
    transit = filled(2)
    numbers(transit)
    transit.acknowledged([2])
    assert numbers(transit) == [1, 2]
    transit.acknowledged([2])
    assert numbers(transit) == [1, 2], "refused once more, and tried once more"
    assert transit.acknowledged([1]) == [1]


def test_what_else_was_published_is_not_blamed() -> None:
    transit = filled(1)
    transit.other_published()
    numbers(transit)
    for _ in range(REFUSALS_MAX + 1):
        transit.published_until(2)  # neither the birth nor the bundle was accepted: the birth is the oldest
        transit.connection_ended()
        transit.other_published()
        numbers(transit)
    assert transit.take_refused() == []
