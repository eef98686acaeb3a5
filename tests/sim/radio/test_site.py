"""The map: counts, distances, and that nobody shares a place."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from sim.core.settings import SpecError
from sim.radio.site import Site
from sim.radio.site_shares import Shares
from sim.radio.site_spec import SiteSpec
from sim.radio.site_spread import block_order, floors


def test_indices_count_rooms_flats_floors_staircases_houses():
    site = Site(SiteSpec(), 1_000, 4)
    assert site.meters.shape == (1_000, 3)
    assert np.bincount(site.flat).tolist() == [5] * 200
    assert np.bincount(site.staircase).tolist() == [50] * 20
    assert np.bincount(site.house).tolist() == [100] * 10
    assert site.floor.max() == 4
    assert (site.meters[:, 2] // 3 == site.floor).all()


def test_every_place_is_taken_once():
    site = Site(SiteSpec(), 3_000, 70)
    everyone = np.concatenate([site.meters, site.gateways])
    assert len(np.unique(np.rint(everyone * 100), axis=0)) == 3_070


def test_a_house_keeps_together_and_houses_keep_apart():
    site = Site(SiteSpec(), 3_000, 1)
    for house in (0, 1, 2, 3, 11):
        inside = site.meters[site.house == house]
        assert np.linalg.norm(inside - inside.mean(axis=0), axis=1).max() < 30
    middles = np.array([site.meters[site.house == h].mean(axis=0) for h in range(site.house.max())])
    apart = np.linalg.norm(middles[:, None] - middles[None], axis=2) + np.eye(len(middles)) * 1e9
    assert apart.min() > 20


def test_gateways_are_spread_over_staircases_then_floors():
    site = Site(SiteSpec(), 1_000, 10)
    nearest = np.linalg.norm(site.gateways[:, None] - site.meters[None], axis=2).argmin(axis=1)
    assert len(set(site.staircase[nearest].tolist())) == 10
    crowded = Site(SiteSpec(), 50, 3)
    assert len(set((crowded.gateways[:, 2] // 3).tolist())) == 3


def test_places_for_visitors():
    site = Site(SiteSpec(), 1_000, 2)
    assert np.linalg.norm(site.near(site.meters[3], 12.0) - site.meters[3]) == pytest.approx(12)
    assert np.linalg.norm(site.beside_gateway(1, 6.0) - site.gateways[1]) == pytest.approx(6)
    in_block = site.meters[site.house < 4]
    middle = np.array([0.0, 0.0, 1.5])  # of the first courtyard, at the height of a car's roof
    assert 15 < np.linalg.norm(in_block - middle, axis=1).min() < 30


def test_the_map_does_not_depend_on_who_else_is_there():
    assert (Site(SiteSpec(), 400, 2).meters == Site(SiteSpec(), 400, 9).meters).all()


def test_an_empty_site_is_refused():
    with pytest.raises(SpecError, match="at least one meter"):
        Site(SiteSpec(), 0, 1)


def test_groups_share_houses_in_their_proportion():
    counts = (3_400, 900)
    site = Site(SiteSpec(), counts, 0)
    of = [np.bincount(site.house[part], minlength=43) for part in (slice(0, 3_400), slice(3_400, 4_300))]
    assert all((one >= 79 - 1) & (one <= 79 + 1) for one in of[0]) and all((one >= 20) & (one <= 22) for one in of[1])
    assert len(np.unique(np.rint(site.meters * 100), axis=0)) == 4_300


@pytest.mark.parametrize("counts", [(7,), (1, 1), (3, 3, 3), (5, 1, 12), (1, 40, 2), (13, 12)])
def test_a_meter_has_one_room_and_a_room_one_meter(counts: tuple[int, ...]):
    shares = Shares(counts)
    every = np.arange(shares.total)
    room = shares.room(every)
    assert sorted(room.tolist()) == every.tolist()
    by_hand = sorted((Fraction(2 * k + 1, 2 * c), group) for group, c in enumerate(counts) for k in range(c))
    assert [by_hand[at][1] for at in room] == np.repeat(np.arange(len(counts)), counts).tolist()
    for low in range(shares.total + 1):
        for high in range(low, shares.total + 1):
            inside = shares.meters(np.array([low]), np.array([high]))
            assert inside.tolist() == every[(room >= low) & (room < high)].tolist()


@pytest.mark.parametrize("meters", [50, 384, 1_000, 6_400])
def test_one_more_gateway_adds_a_place_and_moves_none(meters: int):
    most = Site(SiteSpec(), meters, 200).gateways
    assert len(np.unique(np.rint(most * 100), axis=0)) == 200
    for count in (1, 2, 8, 30, 31, 199):
        assert (Site(SiteSpec(), meters, count).gateways == most[:count]).all()


def test_each_beginning_of_the_order_is_spread_over_the_grid():
    order = block_order(64, 8)
    for cut, side in [(4, 4), (16, 2)]:
        cells = {(block % 8 // side, block // 8 // side) for block in order[:cut].tolist()}
        assert len(cells) == cut
    assert sorted(order.tolist()) == list(range(64))
    assert floors(5) == [2, 0, 4, 1, 3] and floors(1) == [0] and floors(2) == [1, 0]


def test_every_kth_staircase_is_taken_as_before_there_was_an_order():
    site = Site(SiteSpec(gateways="every k-th", mixed=False), (600, 400), 8)
    nearest = np.linalg.norm(site.gateways[:, None] - site.meters[None], axis=2).argmin(axis=1)
    assert site.staircase[nearest].tolist() == [1, 3, 6, 8, 11, 13, 16, 18] and set(site.gateways[:, 2]) == {8.2}
    assert site.house.tolist() == (np.arange(1_000) // 100).tolist()  # groups one after the other
