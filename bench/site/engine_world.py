"""A sized site as a world that the engine plays, so that a plan can be asked what happens if.

The air of a world has no walls of its own: they are in its exponent. So the exponent and the loss of a floor are those
that come nearest to the planner's model over this site's own links, those within 25 dB of the receiver's sensitivity.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bench.site.air_times import fleet_of
from bench.site.budget import Paths
from bench.site.service import Service
from sim.radio.models.port import Model
from sim.radio.propagation import FREQUENCY_TERM_CDB, P1238_TERM_CDB
from sim.radio.site_file import SiteFile

NEAR_DB: Final = 25.0
EXPONENTS: Final = (1.5, 6.0)
FLOORS_DB: Final = (0.0, 30.0)


class Air(NamedTuple):
    """`rms_db`: how far the engine's losses are from the model's, over the links that count."""

    exponent: float
    floor_loss_db: float
    rms_db: float


def air_of(paths: Paths, model: Model, sensitivity_dbm: float, power_dbm: float) -> Air:
    """Least squares over links near the edge of what is heard."""
    losses = paths.losses_db(model).ravel()
    near = np.abs(power_dbm - losses - sensitivity_dbm) < NEAR_DB
    if np.count_nonzero(near) < 2:
        near = np.ones(len(losses), dtype=bool)
    decades = np.log10(np.maximum(paths.path.distance_m.ravel()[near], 1.0))
    floors = paths.path.floors.ravel()[near].astype(np.float64)
    fixed = (FREQUENCY_TERM_CDB - P1238_TERM_CDB) / 100
    columns = np.stack([10 * decades, floors], axis=1)
    (exponent, floor), *_ = np.linalg.lstsq(columns, losses[near] - fixed, rcond=None)
    exponent = float(np.clip(exponent, *EXPONENTS))
    floor = float(np.clip(floor, *FLOORS_DB))
    left = losses[near] - fixed - columns @ np.array([exponent, floor])
    return Air(round(exponent, 3), round(floor, 2), round(float(np.sqrt((left**2).mean())), 2))


def text(site: SiteFile, file: Path, service: Service, air: Air, sensitivity_dbm: float, receiver: str) -> str:
    """The world's file. `file`: the site's, beside it."""
    from sim.desk import toml_text

    def table(name: str, keys: dict[str, Any], many: bool = False) -> str:
        head = f"\n[[{name}]]\n" if many else f"\n[{name}]\n"
        return head + "".join(f"{key} = {toml_text.value(what)}\n" for key, what in keys.items())

    words = f"A sized site for the engine; its losses are {air.rms_db:g} dB (rms) from the planner's model"
    out = toml_text.comment(words) + f"title = {toml_text.value(site.title)}\n"
    out += table("site", {
        "file": file.name, "path_loss_exponent": air.exponent, "floor_loss_db": air.floor_loss_db,
        "shadowing_db": service.shadowing_db, "fading_db": service.fading_db,
    })  # fmt: skip
    for group in fleet_of(site):
        keys = {"name": group.name, "type": group.type, "count": group.count}
        sends = {"interval_s": service.traffic.interval_s, "power_dbm": service.power_dbm}
        out += table("fleet", {**keys, **sends}, many=True)
    out += table("gateway", {
        "name": "gw", "count": len(site.gateway), "receiver": receiver, "sensitivity_dbm": sensitivity_dbm,
        "bundle_age_s": service.traffic.bundle_s,
    }, many=True)  # fmt: skip
    return out + table("endpoint", {"kind": "memory"})
