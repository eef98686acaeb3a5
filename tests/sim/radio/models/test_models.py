"""Propagation models against figures of others, within 0.01 dB, and against the air of a world.

Building entry at 28 and 2 GHz: the ITU's workbook (through eeveetza/p2109, 99fb8c4).
"""

from __future__ import annotations

import numpy as np
import pytest

from sim.core.seeds import Seeds
from sim.radio.building_entry import Building, entry_loss_db
from sim.radio.models.multi_wall import MODEL as MULTI_WALL
from sim.radio.models.p1238 import MODEL as P1238
from sim.radio.models.p1238_11 import IN_SIGHT
from sim.radio.models.p1238_11 import MODEL as P1238_11
from sim.radio.models.port import MODELS, Path
from sim.radio.propagation import Propagation, centimetres
from sim.radio.site_spec import SiteSpec


@pytest.mark.parametrize(
    ("building", "mhz", "elevation", "share", "loss"),
    [
        ("traditional", 28_000, 0, 0.01, 2.769), ("traditional", 28_000, 0, 0.5011872, 20.218),
        ("traditional", 28_000, 0, 0.9120108, 36.947), ("thermally efficient", 28_000, 0, 0.5011872, 41.732),
        ("traditional", 2_000, 45, 0.1, 11.251), ("thermally efficient", 2_000, 45, 0.1, 20.566),
        ("traditional", 868.95, 0, 0.1, 5.72), ("traditional", 868.95, 0, 0.5, 14.22),
        ("traditional", 868.95, 0, 0.9, 25.05), ("thermally efficient", 868.95, 0, 0.1, 17.16),
        ("thermally efficient", 868.95, 0, 0.5, 31.21), ("thermally efficient", 868.95, 0, 0.9, 46.55),
        ("traditional", 2_000, -45, 0.1, 11.251),
    ],
)  # fmt: skip
def test_building_entry(building: Building, mhz: float, elevation: float, share: float, loss: float) -> None:
    assert entry_loss_db(building, mhz, share, elevation) == pytest.approx(loss, abs=0.01)


def test_p1238_in_both_forms() -> None:
    assert P1238.loss_db(Path.of(10.0, [0, 1, 2, 3])) == pytest.approx([58.78, 62.78, 66.78, 70.78], abs=0.01)
    assert P1238_11.loss_db(Path.of([10.0, 20.0, 30.0])) == pytest.approx([52.68, 60.08, 64.42], abs=0.01)
    assert IN_SIGHT.loss_db(Path.of(1.0), 1_000.0) == pytest.approx(34.62, abs=0.01)


def test_multi_wall() -> None:
    floors = MULTI_WALL.floors_db(np.array([0.0, 1.0, 2.0, 3.0]))
    assert floors == pytest.approx([0, 18.3, 33.5, 43.6], abs=0.06)  # published to a tenth
    bare = MULTI_WALL.loss_db(Path.of(10.0))
    assert MULTI_WALL.loss_db(Path.of(10.0, 0, 2, 3)) - bare == pytest.approx(2 * 6.9 + 3 * 3.4)


def test_free_space_is_that_of_any_textbook() -> None:
    model = MODELS.find("free-space")
    assert model.loss_db(Path.of(1_000.0), 868.95) == pytest.approx(32.4478 + 20 * np.log10(868.95), abs=0.001)
    assert model.loss_db(Path.of(0.2)) == model.loss_db(Path.of(1.0))


def test_the_air_of_a_world_is_the_older_form() -> None:
    air = Propagation.of(SiteSpec(shadowing_db=0.0), Seeds(1))
    here, there = np.array([[0.0, 0, 0.5]]), np.array([[10.0, 0, 0.5], [3.0, 4, 6.5], [80.0, 1, 9.5]])
    floors = np.array([0, 2, 3])
    loss = P1238.loss_db(Path.of(np.linalg.norm(here - there, axis=1), floors))
    assert air.mean_loss_cdb(centimetres(here), centimetres(there))[0] / 100 == pytest.approx(loss, abs=0.011)


def test_every_file_of_the_folder_is_a_model() -> None:
    assert list(MODELS.parts()) == ["free-space", "multi-wall", "p1238", "p1238-11"]
    for model in MODELS.parts().values():
        assert model.source and model.loss_db(Path.of(np.ones((2, 3)))).shape == (2, 3)
