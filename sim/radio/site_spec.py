"""[site] of a world: the houses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sim.core.settings import number


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """Houses round a courtyard; a house has staircases, a staircase floors, a floor flats, a flat rooms with a
    radiator and a meter each. Meters are dealt to rooms in order, so the last house may be part empty. `file`: houses,
    meters and gateways as they are (site_file), in place of the drawn ones; beside a world, by its path from there.
    `mixed` false: groups of meters do not share houses, one stands after the other. `gateways` "every k-th": in every
    k-th staircase, where one more moves all (site_spread has the other way, in which it moves none)."""

    flats_a_floor: int = number(2, low=1, high=8)
    floors: int = number(5, low=1, high=60)
    rooms_a_flat: int = number(5, low=1, high=12)
    spacing_m: float = number(22.0, low=5.0, high=1000.0)
    path_loss_exponent: float = number(2.8, low=1.5, high=6.0)
    floor_loss_db: float = number(4.0, low=0.0, high=30.0)
    shadowing_db: float = number(4.0, low=0.0, high=20.0)
    fading_db: float = number(3.0, low=0.0, high=20.0)
    outdoor_mean_c: float = number(9.5, low=-30.0, high=40.0)
    file: str | None = None
    mixed: bool = True
    gateways: Literal["spread", "every k-th"] = "spread"
