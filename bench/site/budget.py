"""The link budget of a site: margins from every meter to every place where a gateway could hang, as one array.

Assumptions, told with every answer: a path inside a house crosses a light wall each 4 m, one between houses two inner
walls and an outer one at either end; a gateway on a roof has no wall before it; floors are the difference in height;
antennas are without gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from sim.core.quoting import quoted
from sim.core.settings import SpecError
from sim.radio.models.port import Model, Path
from sim.radio.propagation import FLOOR_HEIGHT_M
from sim.radio.site_file import Gateway, SiteFile

F64 = NDArray[np.floating[Any]]
WALL_EACH_M: Final = 4.0
BETWEEN_HOUSES: Final = 2
Places = Literal["stairwells", "roofs", "both", "given"]
PLACES: Final = get_args(Places)


class Prices(NamedTuple):
    """Of hanging a gateway; None: not given. A candidate's own price in the site file stands before these."""

    stairwell: float | None = None
    roof: float | None = None

    def of(self, place: Gateway) -> float | None:
        kind = self.roof if place.roof else self.stairwell
        return kind if place.price is None else place.price


def candidates(site: SiteFile, places: Places | None = None) -> list[Gateway]:
    """Gateways that hang, then the places where one could: the given ones, stairwells (of each house on its middle and
    its highest floor), roofs, or both. None: the given ones where the site has any, else stairwells. Raises
    SpecError."""
    places = places or ("given" if site.candidate else "stairwells")
    if places == "given" and not site.candidate:
        raise SpecError(
            f"{quoted(site.title)} has no [[candidate]] entry; give some, or --places stairwells, roofs, both"
        )
    names = {one.name for one in (*site.gateway, *site.candidate)}
    free = list(site.candidate) if places == "given" else []
    for house in site.house if places != "given" else ():
        floors: list[int | None] = [*sorted({house.floors // 2, house.floors - 1})] if places != "roofs" else []
        for floor in [*floors, *([None] if places != "stairwells" else [])]:
            name = f"{house.name}, {'roof' if floor is None else f'floor {floor}'}"
            while name in names:
                name += " b"
            names.add(name)
            free.append(Gateway(name, house.name, floor or 0, roof=floor is None))
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
    inside = np.array([not one.roof for one in places])[None] & apart  # a wall at the gateway's end too
    known = (wall[house] > 0)[:, None] & apart, (wall[own] > 0)[None] & inside
    heavy = 1 * apart + inside - known[0].astype(np.int64) - known[1]  # those whose loss the site does not say
    inner = np.where(apart, BETWEEN_HOUSES - (apart & ~inside), distance // WALL_EACH_M)
    walls: F64 = apart * wall[house][:, None] + inside * wall[own][None]
    return Paths(Path.of(distance, floors, heavy, inner), walls)
