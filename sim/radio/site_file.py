"""A site as a file: houses as boxes, the meters in their flats, gateways that hang. A world's `[site] file`.

    [[house]]  name, middle (east_m, north_m), width_m along east, depth_m along north, floors, outer_wall_db
    [[meter]]  house, floor (0 is the ground floor), flat, type, count
    [[gateway]] name, house, floor; east_m and north_m where it does not hang in the middle of its house; roof = true
                where it hangs on top of it
    [[candidate]] the same of a place where one could hang, with what hanging it there costs; for ./wmbench size

The rule kept here: a place is a pure function of the file. Flats of a floor stand side by side along the house in the
order of the file, meters of a flat in two rows. Meters of a world's group get the places of their type, in that order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.core.quoting import quoted
from sim.core.settings import SpecError, build, number, read_toml
from sim.radio.propagation import FLOOR_HEIGHT_M
from sim.radio.site import GATEWAY_HEIGHT_M, RADIATOR_HEIGHT_M, Places

F64 = NDArray[np.floating[Any]]
I64 = NDArray[np.int64]
LOWEST_FLOOR: Final = -5
HIGHEST_FLOOR: Final = 60
FARTHEST_M: Final = 100_000.0
"""No place of a site is farther from its origin."""


@dataclass(frozen=True, slots=True)
class House:
    """A box, its sides along east and north."""

    name: str
    east_m: float = number(0.0, low=-FARTHEST_M, high=FARTHEST_M)
    north_m: float = number(0.0, low=-FARTHEST_M, high=FARTHEST_M)
    width_m: float = number(15.0, low=2.0, high=500.0)
    depth_m: float = number(12.0, low=2.0, high=500.0)
    floors: int = number(1, low=1, high=HIGHEST_FLOOR + 1)
    outer_wall_db: float = number(0.0, low=0.0, high=60.0)


@dataclass(frozen=True, slots=True)
class Meters:
    """Meters of one type in one flat."""

    house: str
    type: str
    floor: int = number(0, low=LOWEST_FLOOR, high=HIGHEST_FLOOR)
    flat: str = "-"
    count: int = number(1, low=1, high=1_000)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway; without a place of its own, in the middle of its house. `roof`: on top of the highest floor and
    outside of the walls; `floor` is then of no account. `price`: of hanging it there, where it is a candidate."""

    name: str
    house: str
    floor: int = number(0, low=LOWEST_FLOOR, high=HIGHEST_FLOOR)
    east_m: float | None = number(None, low=-FARTHEST_M, high=FARTHEST_M)
    north_m: float | None = number(None, low=-FARTHEST_M, high=FARTHEST_M)
    roof: bool = False
    price: float | None = number(None, low=0.0, high=1e9)


@dataclass(frozen=True, slots=True)
class SiteFile:
    """`origin`: latitude and longitude of east_m = north_m = 0, in degrees; empty where metres were given. `left_out`:
    rows of the list that were wrong, and are not in it."""

    title: str
    house: tuple[House, ...]
    meter: tuple[Meters, ...]
    gateway: tuple[Gateway, ...] = ()
    origin: tuple[float, ...] = ()
    candidate: tuple[Gateway, ...] = ()
    left_out: int = number(0, low=0, high=1_000_000_000)

    @property
    def houses(self) -> dict[str, int]:
        """Name -> number."""
        return {one.name: number_ for number_, one in enumerate(self.house)}

    def meter_places(self) -> tuple[F64, I64, I64, I64]:
        """(places (n, 3), house, flat, entry of `meter`) of every single meter, in the order of the file."""
        houses, sides = self.houses, defaultdict[tuple[str, int], dict[str, int]](dict)
        inside: dict[tuple[str, int, str], int] = {}
        flats: dict[tuple[str, int, str], int] = {}
        for one in self.meter:
            side = sides[one.house, one.floor]
            side.setdefault(one.flat, len(side))
            key = (one.house, one.floor, one.flat)
            inside[key] = inside.get(key, 0) + one.count
            flats.setdefault(key, len(flats))
        places, house, flat, entry = [], [], [], []
        begun: dict[tuple[str, int, str], int] = defaultdict(int)
        for at, one in enumerate(self.meter):
            box, key = self.house[houses[one.house]], (one.house, one.floor, one.flat)
            side = sides[one.house, one.floor]
            rank = begun[key] + np.arange(one.count)
            begun[key] += one.count
            columns = (inside[key] + 1) // 2
            along = (side[one.flat] + (rank // 2 + 0.5) / columns) / len(side) - 0.5
            across = np.where(rank % 2 == 0, -0.32, 0.32)
            z = np.full(one.count, one.floor * FLOOR_HEIGHT_M + RADIATOR_HEIGHT_M)
            east, north = box.east_m + along * box.width_m, box.north_m + across * box.depth_m
            places.append(np.stack([east, north, z], axis=1))
            house += [houses[one.house]] * one.count
            flat += [flats[key]] * one.count
            entry += [at] * one.count
        return np.concatenate(places), np.array(house), np.array(flat), np.array(entry)

    def gateway_places(self) -> F64:
        """(gateways, 3)."""
        houses, rows = self.houses, []
        for one in self.gateway:
            box = self.house[houses[one.house]]
            east = box.east_m if one.east_m is None else one.east_m
            north = box.north_m if one.north_m is None else one.north_m
            floor = box.floors if one.roof else one.floor
            rows.append((east, north, floor * FLOOR_HEIGHT_M + GATEWAY_HEIGHT_M))
        return np.array(rows, dtype=np.float64).reshape(-1, 3)


@lru_cache(maxsize=4)
def load(path: Path) -> SiteFile:
    """Raises SpecError."""
    table, place = read_toml(path)
    told = build(SiteFile, table, place)
    names: dict[str, set[str]] = {"house": set(), "place": set()}
    named: tuple[tuple[str, str, tuple[House | Gateway, ...]], ...] = (
        ("house", "house", told.house), ("gateway", "place", told.gateway), ("candidate", "place", told.candidate),
    )  # fmt: skip
    for kind, known, entries in named:
        for at, one in enumerate(entries):
            if one.name in names[known]:
                raise place.error(f"{kind}[{at}].name", f"there are two of {quoted(one.name)}")
            names[known].add(one.name)
    houses = told.houses
    inside: dict[str, tuple[Meters | Gateway, ...]] = {
        "meter": told.meter, "gateway": told.gateway, "candidate": told.candidate,
    }  # fmt: skip
    for kind, inhabitants in inside.items():
        for at, inhabitant in enumerate(inhabitants):
            if inhabitant.house not in houses:
                raise place.error(f"{kind}[{at}].house", f"there is no [[house]] {quoted(inhabitant.house)}")
            on_top = isinstance(inhabitant, Gateway) and inhabitant.roof
            if not on_top and inhabitant.floor >= told.house[houses[inhabitant.house]].floors:
                raise place.error(f"{kind}[{at}].floor", f"{quoted(inhabitant.house)} has no floor {inhabitant.floor}")
    if told.origin and len(told.origin) != 2:
        raise place.error("origin", "is latitude and longitude")
    return told


class GivenSite(Places):
    """The places of a world's meters and gateways by its site file: as Site has them (which see)."""

    def __init__(
        self, path: Path, groups: Sequence[tuple[str, str, int]], gateways: int, only: I64 | None = None
    ) -> None:
        """`groups`: (name, type, count) in the order of the fleet. Raises SpecError."""
        told = load(path)
        places, house, flat, entry = told.meter_places()
        types = np.array([one.type for one in told.meter])[entry]
        taken: dict[str, int] = defaultdict(int)
        rows = []
        for name, type_, count in groups:
            free = np.flatnonzero(types == type_)[taken[type_] :]
            if count > len(free):
                raise SpecError(
                    f"{path}: has {len(free)} places of type {quoted(type_)} for fleet {quoted(name)} of {count}; "
                    "lower fleet.count or add [[meter]] entries"
                )
            taken[type_] += count
            rows.append(free[:count])
        row = np.concatenate(rows)
        row = row if only is None else row[only]
        hang = told.gateway_places()
        if gateways > len(hang):
            raise SpecError(
                f"{path}: has {len(hang)} [[gateway]] entries and the world has {gateways}; lower gateway.count, or "
                "let ./wmbench size find places"
            )
        self.meters, self.gateways = places[row], hang[:gateways]
        self.flat, self.house = flat[row], house[row]
        self.floor = np.array([one.floor for one in told.meter])[entry][row]
        self.staircase = self.house
