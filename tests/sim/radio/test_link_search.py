"""The sparse builder against the dense one: the same links, to the last."""

from __future__ import annotations

import numpy as np
import pytest

from sim.core.seeds import Seeds
from sim.radio.link_modes import Mode
from sim.radio.link_search import near_links
from sim.radio.links import Links, Receivers
from sim.radio.propagation import Propagation, centimetres
from sim.radio.site import Site
from sim.radio.site_spec import SiteSpec


@pytest.mark.parametrize("exponent", [2.8, 4.0, 5.5])
@pytest.mark.parametrize("shadowing_db", [0.0, 4.0, 9.0])
@pytest.mark.parametrize("shuffled", [False, True])
def test_the_same_links_as_of_every_pair(exponent: float, shadowing_db: float, shuffled: bool) -> None:
    spec = SiteSpec(path_loss_exponent=exponent, shadowing_db=shadowing_db)
    site = Site(spec, 6_000, 40)
    propagation = Propagation.of(spec, Seeds(5))
    places = centimetres(site.meters)
    if shuffled:
        places = places[np.argsort(Seeds(1).u32("test order", np.arange(len(places))))]
    places_cm = centimetres(site.gateways)
    places_cm[3] = places[17]  # one device, which does not hear itself
    modes = [frozenset(Mode) if r % 3 else frozenset({Mode.S1}) for r in range(len(places_cm))]
    receivers = Receivers.of(list(places_cm), [-10_000 - 100 * (r % 5) for r in range(len(places_cm))], modes)
    number = np.arange(len(places))
    power, mode = 700 + number % 3 * 100, 1 + number % 3
    dense = Links.of(propagation, places, power, mode, receivers)
    near = near_links(propagation, places, power, mode, receivers)
    assert len(dense) > 3_000
    for one, other in ((dense.offset, near.offset), (dense.receiver, near.receiver),
                       (dense.level_cdbm, near.level_cdbm), (dense.readable, near.readable)):  # fmt: skip
        assert (one == other).all()
    assert len(dense.receiver) == len(near.receiver)


def test_a_place_out_of_everybodys_reach_has_no_links() -> None:
    propagation = Propagation(4_000, 400, 400, 0, Seeds(1))
    receivers = Receivers.of([np.zeros(3, np.int64)], [-10_000], [frozenset(Mode)])
    links = near_links(propagation, np.array([[10**8, 0, 0]]), np.array([700]), np.array([1]), receivers)
    assert links.offset.tolist() == [0, 0]
    assert len(links) == 0


def test_parts_of_links_are_put_together_and_taken_apart() -> None:
    propagation = Propagation(4_000, 400, 400, 0, Seeds(1))
    spots = list(np.arange(9)[:, None] * np.array([[3_000, 0, 0]]))
    receivers = Receivers.of(spots, [-10_000] * 9, [frozenset(Mode)] * 9)
    places = np.arange(50)[:, None] * np.array([[700, 100, 20]])
    power, mode = np.full(50, 700), np.full(50, 1)
    whole = Links.of(propagation, places, power, mode, receivers)
    order = np.argsort(Seeds(1).u32("test order", np.arange(50)))
    parts = (order[:20], order[20:])
    halves = [Links.of(propagation, places[part], power[part], mode[part], receivers) for part in parts]
    again = Links.joined(halves).of_sources(np.argsort(order))
    assert len(whole) > 100
    for name in ("offset", "receiver", "level_cdbm", "readable"):
        assert (getattr(whole, name) == getattr(again, name)).all()
