"""The link budget of a site: margins from every meter to every place where a gateway could hang, as one array.

Assumptions, told with every answer: a path inside a house crosses a light wall each 4 m, one between houses two inner
walls and an outer one at either end; floors are the difference in height; antennas are without gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.radio.models.port import Model, Path
from sim.radio.propagation import FLOOR_HEIGHT_M
from sim.radio.site_file import Gateway, SiteFile

F64 = NDArray[np.floating[Any]]
WALL_EACH_M: Final = 4.0
BETWEEN_HOUSES: Final = 2


def candidates(site: SiteFile) -> list[Gateway]:
    """Gateways that hang, then the stairwell of each house on its middle and its highest floor."""
    names = {one.name for one in site.gateway}
    free = []
    for house in site.house:
        for floor in sorted({house.floors // 2, house.floors - 1}):
            name = f"{house.name}, floor {floor}"
            while name in names:
                name += " b"
            names.add(name)
            free.append(Gateway(name, house.name, floor))
    return [*site.gateway, *free]


class Paths(NamedTuple):
    """From every meter to every candidate, (meters, candidates). `path`: its outer walls are those whose loss the site
    does not say; `walls_db`: what the others take."""

    path: Path
    walls_db: F64

    def losses_db(self, model: Model) -> F64:
        """The median loss by a model."""
        return model.loss_db(self.path) + self.walls_db


def paths(site: SiteFile, places: Sequence[Gateway]) -> Paths:
    """All of a site."""
    meters, house, _, _ = site.meter_places()
    houses, boxes = site.houses, site.house
    own = np.array([houses[one.house] for one in places])
    there = SiteFile(site.title, boxes, site.meter, tuple(places)).gateway_places()
    distance = np.sqrt(sum((meters[:, None, axis] - there[None, :, axis]) ** 2 for axis in range(3)))
    floors = np.abs(meters[:, None, 2] // FLOOR_HEIGHT_M - there[None, :, 2] // FLOOR_HEIGHT_M)
    apart = house[:, None] != own[None]
    wall = np.array([one.outer_wall_db for one in boxes])
    known = (wall[house] > 0)[:, None] & apart, (wall[own] > 0)[None] & apart
    heavy = 2 * apart - known[0].astype(np.int64) - known[1]  # those whose loss the site does not say
    inner = np.where(apart, BETWEEN_HOUSES, distance // WALL_EACH_M)
    walls: F64 = apart * (wall[house][:, None] + wall[own][None])
    return Paths(Path.of(distance, floors, heavy, inner), walls)
