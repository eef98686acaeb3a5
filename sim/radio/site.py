"""Where things are: blocks of four houses round a courtyard, meters in rooms, gateways in stairwells.

The rule kept here: a position is a pure function of the site's spec and the counts, so two runs with different seeds
differ in what is drawn (shadowing, fading, phases), never in the map.

    city    a square grid of blocks
    block   four houses, one on each side of a courtyard
    house   STAIRCASES_A_HOUSE staircases in a row, `spacing_m` apart
    floor   `flats_a_floor` flats either side of the stairwell, `rooms_a_flat` rooms in two rows

Meters are dealt to rooms in order, groups in shares (site_shares), so the last house may be part empty; gateways are
spread (site_spread).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.core.settings import SpecError
from sim.radio.propagation import FLOOR_HEIGHT_M
from sim.radio.site_shares import Shares, dealt
from sim.radio.site_spec import SiteSpec
from sim.radio.site_spread import floors, staircases

F64 = NDArray[np.floating[Any]]
I64 = NDArray[np.int64]

STAIRCASES_A_HOUSE: Final = 2
HOUSES_A_BLOCK: Final = 4
ROOM_DEPTH_M: Final = 5.0
RADIATOR_HEIGHT_M: Final = 0.5
GATEWAY_HEIGHT_M: Final = 2.2


class Places:
    """Where meters and gateways of a world are: what a drawn and a given site have. `meters` and `gateways` are
    positions in metres, (n, 3), z above the ground."""

    meters: F64
    gateways: F64
    flat: I64
    floor: I64
    staircase: I64
    house: I64

    def near(self, point: F64, metres: float) -> F64:
        """The place `metres` east of a point, at its height: a neighbour's flat, the next room, a car."""
        place: F64 = np.asarray(point, dtype=np.float64) + np.array([metres, 0.0, 0.0])
        return place

    def beside_gateway(self, gateway: int, metres: float) -> F64:
        """The place `metres` away from a gateway."""
        return self.near(self.gateways[gateway], metres)


class Site(Places):
    """`meters` and `gateways` are positions in metres, (n, 3), z above the ground; `flat`, `floor`, `staircase` and
    `house` are the meters' indices, counted over the whole site (floor: within its house, 0 is the ground floor).
    `meters`: how many there are, or of each group; `only`: the places of these meters alone."""

    def __init__(
        self, spec: SiteSpec, meters: int | Sequence[int], gateways: int, only: I64 | None = None
    ) -> None:
        shares = Shares(dealt(spec, [meters] if isinstance(meters, int) else meters))
        if shares.total < 1:
            raise SpecError(f"a site needs at least one meter, not {shares.total}")
        if gateways < 0:
            raise SpecError(f"a site cannot have {gateways} gateways")
        self.spec = spec
        self._index = shares.room(np.arange(shares.total, dtype=np.int64) if only is None else only)
        self.staircases = (shares.total - 1) // (spec.rooms_a_flat * spec.flats_a_floor * spec.floors) + 1
        self.blocks = -(-self.staircases // (STAIRCASES_A_HOUSE * HOUSES_A_BLOCK))
        self.columns = _square_side(self.blocks)  # blocks in a row
        self.meters = self._meters()
        self.gateways = self._gateways(gateways)

    # --- indices of the meters --------------------------------------------------------------------------------------

    @cached_property
    def flat(self) -> I64:  # type: ignore[override]
        return self._index // self.spec.rooms_a_flat

    @cached_property
    def floor(self) -> I64:  # type: ignore[override]
        return self.flat // self.spec.flats_a_floor % self.spec.floors

    @cached_property
    def staircase(self) -> I64:  # type: ignore[override]
        return self.flat // (self.spec.flats_a_floor * self.spec.floors)

    @cached_property
    def house(self) -> I64:  # type: ignore[override]
        return self.staircase // STAIRCASES_A_HOUSE

    # --- the map ----------------------------------------------------------------------------------------------------

    @property
    def _side_m(self) -> float:
        """From the middle of a courtyard to the houses' own middle line: the row of staircases fits between."""
        return (STAIRCASES_A_HOUSE * self.spec.spacing_m) / 2 + ROOM_DEPTH_M

    @property
    def pitch_m(self) -> float:
        """From courtyard to courtyard: two half houses and a street of one spacing lie between."""
        return 2 * self._side_m + 2 * ROOM_DEPTH_M + self.spec.spacing_m

    def _in_flat(self, flat: I64, room: I64) -> tuple[F64, F64]:
        """Metres along the house and across it, from the stairwell: two rows of rooms, either side of the middle."""
        spec = self.spec
        flat_m = spec.spacing_m / spec.flats_a_floor
        rows = -(-spec.rooms_a_flat // 2)
        along = (flat + 0.5) * flat_m - spec.spacing_m / 2 + ((room // 2 + 0.5) / rows - 0.5) * flat_m
        across = np.where(room % 2 == 0, -0.8, 0.8) * ROOM_DEPTH_M
        return along, across

    def _meters(self) -> F64:
        """One block's places, and each meter's moved by its block: blocks are alike."""
        spec = self.spec
        a_block = spec.rooms_a_flat * spec.flats_a_floor * spec.floors * STAIRCASES_A_HOUSE * HOUSES_A_BLOCK
        index = np.arange(a_block, dtype=np.int64)
        flat = index // spec.rooms_a_flat
        level = flat // spec.flats_a_floor
        along, across = self._in_flat(flat % spec.flats_a_floor, index % spec.rooms_a_flat)
        one = self._place(
            level // spec.floors, along, across, level % spec.floors * FLOOR_HEIGHT_M + RADIATOR_HEIGHT_M
        )  # fmt: skip
        block = self._index // a_block
        row = block // self.columns
        places: F64 = one[self._index - block * a_block]
        places[:, 0] += (block - row * self.columns) * self.pitch_m
        places[:, 1] += row * self.pitch_m
        return places

    def _place(self, staircase: I64, along: F64, across: F64, z: F64) -> F64:
        """Turn places in a house into places on the map: each house of a block is a quarter turn further."""
        row = (staircase % STAIRCASES_A_HOUSE - (STAIRCASES_A_HOUSE - 1) / 2) * self.spec.spacing_m
        house = staircase // STAIRCASES_A_HOUSE
        east, north = row + along, self._side_m + across
        turn = house % HOUSES_A_BLOCK
        cos, sin = np.array([1, 0, -1, 0])[turn], np.array([0, 1, 0, -1])[turn]
        block = house // HOUSES_A_BLOCK
        x = cos * east - sin * north + (block % self.columns) * self.pitch_m
        y = sin * east + cos * north + (block // self.columns) * self.pitch_m
        return np.stack([x, y, np.broadcast_to(z, x.shape)], axis=1).astype(np.float64)

    def _gateways(self, count: int) -> F64:
        """In the order of site_spread; those that share a staircase on other floors, and then a step apart."""
        gateway = np.arange(count, dtype=np.int64)
        if self.spec.gateways == "every k-th":
            return self._every_kth(gateway)
        a_block, turn = STAIRCASES_A_HOUSE * HOUSES_A_BLOCK, gateway // self.staircases
        staircase = staircases(self.staircases, a_block, self.columns, count)
        floor = np.array(floors(self.spec.floors), dtype=np.int64)[turn % self.spec.floors]
        return self._place(staircase, turn * 0.3, np.zeros(count), floor * FLOOR_HEIGHT_M + GATEWAY_HEIGHT_M)

    def _every_kth(self, gateway: I64) -> F64:
        """Evenly over the staircases as they are numbered; those that share one, evenly over its floors."""
        staircase = (2 * gateway + 1) * self.staircases // max(1, 2 * len(gateway))
        first = np.searchsorted(staircase, staircase)
        sharing = np.bincount(staircase, minlength=self.staircases)[staircase]
        floor = (2 * (gateway - first) + 1) * self.spec.floors // (2 * np.maximum(sharing, 1))
        z = floor * FLOOR_HEIGHT_M + GATEWAY_HEIGHT_M
        return self._place(staircase, (gateway - first) * 0.3, np.zeros(len(gateway)), z)


def _square_side(count: int) -> int:
    side = 1
    while side * side < count:
        side += 1
    return side
