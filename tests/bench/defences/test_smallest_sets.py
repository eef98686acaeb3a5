"""The smallest sets, against every set tried one by one; and the portal of a set."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from bench.defences.smallest_sets import smallest_sets
from bench.defences.switches import portal_of, switches
from sim.portal.check import check_ids
from sim.portal.portal_spec import PortalSpec

NAMES = ("a", "b", "c", "d", "e", "f")


def by_hand(stops: list[list[set[str]]]) -> set[frozenset[str]]:
    for size in range(len(NAMES) + 1):
        good = {frozenset(some) for some in combinations(NAMES, size)
                if all(any(way <= set(some) for way in ways) for ways in stops)}  # fmt: skip
        if good:
            return good
    raise AssertionError("all on stops everything")


def test_they_are_those_of_a_search_through_all() -> None:
    """Attacks that each are stopped by one of some combinations of switches, at random."""
    draw = random.Random(5)
    for _ in range(60):
        stops = [
            [set(draw.sample(NAMES, draw.randint(1, 2))) for _ in range(draw.randint(1, 3))]
            for _ in range(draw.randint(1, 5))
        ]

        def succeeds(on: frozenset[str], cell: int, stops: list[list[set[str]]] = stops) -> bool:
            return not any(way <= on for way in stops[cell])

        def succeeding(on: frozenset[str], stops: list[list[set[str]]] = stops) -> int | None:
            return next((cell for cell in range(len(stops)) if succeeds(on, cell)), None)

        found = smallest_sets(NAMES, succeeding, succeeds)
        assert set(found.sets) == by_hand(stops), stops
        assert len(found.sets) == len(set(found.sets))
        assert all(one.one_of & answer for one in found.needed for answer in found.sets)


def test_nothing_to_stop_needs_nothing() -> None:
    assert smallest_sets(NAMES, lambda on: None, lambda on, cell: False).sets == (frozenset(),)


def test_a_portal_has_the_defences_of_its_set_and_no_other() -> None:
    spec = PortalSpec()
    everything = portal_of(spec, frozenset(switches()))
    assert (everything.checks, everything.strict, everything.onboarding) == (check_ids(), True, "ask")
    bare = portal_of(spec, frozenset({"mcr"}))
    assert bare.checks == ("mcr",) and bare.onboarding == "overwrite"
    assert not (bare.strict or bare.pin_profile or bare.whole_address or bare.gateway_list)
    assert bare.alarms == spec.alarms
    with pytest.raises(ValueError, match="no defence of the portal is called mrc"):
        portal_of(spec, frozenset({"mrc"}))
