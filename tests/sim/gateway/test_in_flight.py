"""What goes out next, and how poison is told from an absent portal. No network: the test plays the broker."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from sim.core.bundle import Taken, digest
from sim.gateway.in_flight import REFUSALS_MAX, WINDOW, InFlight


def numbers(in_flight: InFlight, now_ns: int = 0) -> list[int]:
    out = []
    while leaving := in_flight.next(now_ns):
        out += [sequence for sequence, _ in leaving]
    return out


def taken(acknowledged: Iterable[int]) -> list[Taken]:
    return [Taken(number, digest(b"%d" % number)) for number in acknowledged]


def filled(count: int) -> InFlight:
    return InFlight((n, b"%d" % n) for n in range(1, count + 1))


def test_in_order_and_no_more_than_a_window() -> None:
    in_flight = filled(WINDOW + 10)
    assert numbers(in_flight) == list(range(1, WINDOW + 1))
    assert in_flight.acknowledged(taken([1, 2])) == [1, 2]
    assert numbers(in_flight) == [WINDOW + 1, WINDOW + 2]
    assert in_flight.waiting == tuple(range(3, WINDOW + 11))


def test_a_new_connection_repeats_everything_in_order() -> None:
    in_flight = filled(3)
    assert numbers(in_flight) == [1, 2, 3]
    in_flight.published_until(0)
    in_flight.connection_ended()
    in_flight.add(4, b"4")
    assert numbers(in_flight) == [1, 2, 3, 4]


def test_an_acknowledgement_is_counted_once_and_strangers_not_at_all() -> None:
    in_flight = filled(2)
    numbers(in_flight)
    assert in_flight.acknowledged(taken([2, 1, 1, 99, -1])) == [2, 1]
    assert in_flight.acknowledged(taken([1])) == [] and not in_flight.busy and in_flight.waiting == ()


def test_an_acknowledgement_counts_also_while_waiting_to_be_sent_again() -> None:
    in_flight = filled(2)
    numbers(in_flight)
    in_flight.published_until(0)
    in_flight.connection_ended()
    assert in_flight.acknowledged(taken([1])) == [1]
    assert numbers(in_flight) == [2]


def test_silence_is_no_refusal() -> None:
    in_flight = filled(3)
    for hour in range(1, 200):
        numbers(in_flight, hour)
        in_flight.late(hour)
        in_flight.published_until(0)
        in_flight.connection_ended()
        assert in_flight.take_refused() == []
    assert in_flight.waiting == (1, 2, 3)


def test_a_bundle_that_vanishes_is_quarantined_and_blocks_nobody() -> None:
    in_flight = filled(4)
    delivered: set[int] = set()
    for _ in range(50):
        for number in numbers(in_flight):
            if number != 2:  # the broker drops 2 in silence
                delivered.add(number)
                in_flight.acknowledged(taken([number]))
        if refused := in_flight.take_refused():
            assert [number for number, *_ in refused] == [2]
            assert refused[0][1] == f"refused {REFUSALS_MAX} times: later bundles were acknowledged, this one never was"
            break
    else:
        pytest.fail("never quarantined")
    assert delivered == {1, 3, 4} and in_flight.waiting == ()


def test_a_bundle_that_closes_the_connection_is_quarantined_and_the_rest_gets_through() -> None:
    in_flight = filled(20)
    accepted: set[int] = set()
    for _ in range(100):
        out = numbers(in_flight)
        if not out:
            break
        before_poison = out[: out.index(7)] if 7 in out else out
        accepted |= set(before_poison)
        if 7 in out:
            # The broker took what came before, said so for all but the last, and hung up: no portal's word arrives.
            in_flight.published_until(len(out) - max(len(before_poison) - 1, 0))
            in_flight.connection_ended()
        else:
            in_flight.acknowledged(taken(out))
        if refused := in_flight.take_refused():
            assert [number for number, *_ in refused] == [7]
            assert "before the broker accepted it" in refused[0][1]
    assert accepted == set(range(1, 21)) - {7} and in_flight.waiting == ()


def test_a_broker_that_dies_again_and_again_costs_no_bundle() -> None:
    """Killed at another place each time: the suspects are others each time, and each gets through alone."""
    in_flight = filled(30)
    got_through: list[int] = []
    for death in range(20):
        out = numbers(in_flight)
        in_flight.published_until(len(out) - death * 7 % len(out))
        in_flight.connection_ended()
        assert in_flight.take_refused() == []
        got_through += in_flight.acknowledged(taken(numbers(in_flight)[:1]))
        in_flight.published_until(0)
        in_flight.connection_ended()
    while in_flight.busy:
        got_through += in_flight.acknowledged(taken(numbers(in_flight)))
    assert sorted(got_through) == list(range(1, 31)) and in_flight.take_refused() == []


def test_late_ones_become_suspects_and_are_cleared_by_the_first_answer() -> None:
    in_flight = filled(3)
    numbers(in_flight, 100)
    in_flight.late(99)
    assert numbers(in_flight, 101) == []
    in_flight.late(100)
    assert numbers(in_flight, 102) == [1], "suspects travel alone"
    in_flight.acknowledged(taken([1]))
    assert numbers(in_flight, 103) == [2, 3], "the path is good: no suspects any more"


def test_a_suspect_has_the_last_acknowledged_bundle_behind_it() -> None:
    in_flight = filled(2)
    numbers(in_flight)
    in_flight.acknowledged(taken([2]))
    assert numbers(in_flight) == [1, 2]
    in_flight.acknowledged(taken([2]))
    assert numbers(in_flight) == [1, 2], "refused once more, and tried once more"
    assert in_flight.acknowledged(taken([1])) == [1]


def test_what_else_was_published_is_not_blamed() -> None:
    in_flight = filled(1)
    in_flight.other_published()
    numbers(in_flight)
    for _ in range(REFUSALS_MAX + 1):
        in_flight.published_until(2)  # neither the birth nor the bundle was accepted: the birth is the oldest
        in_flight.connection_ended()
        in_flight.other_published()
        numbers(in_flight)
    assert in_flight.take_refused() == []


def test_an_acknowledgement_of_other_content_or_of_what_was_never_published_ends_nothing() -> None:
    """Whoever may publish in a gateway's name gets its numbers acknowledged, with another digest."""
    in_flight = filled(WINDOW + 1)
    assert in_flight.acknowledged(taken([1])) == [], "not published yet"
    numbers(in_flight)
    assert in_flight.acknowledged([Taken(1, digest(b"empty")), Taken(2, "")]) == []
    assert in_flight.acknowledged(taken([WINDOW + 1])) == [], "the window has no room for it yet"
    assert in_flight.waiting == tuple(range(1, WINDOW + 2))
    assert in_flight.acknowledged(taken([1])) == [1]


def test_a_gateway_that_looks_at_numbers_alone_deletes_what_nobody_has() -> None:
    in_flight = InFlight([(7, b"genuine")], match=False)
    assert in_flight.acknowledged([Taken(7, digest(b"empty"))]) == [7]
