"""The map: counts, distances, and that nobody shares a place."""

from __future__ import annotations

import numpy as np
import pytest

from sim.core.settings import SpecError
from sim.radio.site import Site
from sim.radio.site_spec import SiteSpec


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
