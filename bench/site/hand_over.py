"""A sized site as a planner hands it on: a row a gateway, the meters served worst, and both as CSV and GeoJSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.site.houses import EARTH_RADIUS_M
from sim.radio.site_file import Gateway, SiteFile

F64 = NDArray[np.floating[Any]]
WORST: Final = 10
CSV_COLUMNS: Final = ("number", "name", "house", "floor", "roof", "east_m", "north_m", "lat", "lon", "hangs_already",
                      "price", "best_for_meters", "weakest_margin_db")  # fmt: skip


def gateways(
    site: SiteFile, places: Sequence[Gateway], chosen: Sequence[int], margin_db: F64, prices: F64 | None = None
) -> list[dict[str, Any]]:
    """A row for each chosen place: its number, as `city --dead` and the map have it, where it is, for how many meters
    it is the best, and the least margin of those. `margin_db`: (meters, candidates). `prices`: of hanging each; None:
    not given."""
    if not chosen:
        return []
    own = margin_db[:, list(chosen)]
    best = own.argmax(axis=1)
    there = SiteFile(site.title, site.house, site.meter, tuple(places[at] for at in chosen)).gateway_places()
    rows = []
    for number, at in enumerate(chosen):
        mine = own[best == number, number]
        lat, lon = _degrees(site, there[number, 0], there[number, 1])
        rows.append({
            "number": number + 1, "name": places[at].name, "house": places[at].house, "floor": places[at].floor,
            "roof": places[at].roof, "price": None if prices is None else float(prices[at]),
            "east_m": round(float(there[number, 0]), 2), "north_m": round(float(there[number, 1]), 2),
            "lat": lat, "lon": lon, "hangs_already": at < len(site.gateway), "best_for_meters": len(mine),
            "weakest_margin_db": round(float(mine.min()), 1) if len(mine) else None,
        })  # fmt: skip
    return rows


def worst(site: SiteFile, places: Sequence[Gateway], chosen: Sequence[int], chance: F64, margin_db: F64
          ) -> list[dict[str, Any]]:  # fmt: skip
    """The meters that are the least likely to be served, and the best margin that each has in dB."""
    _, _, _, entry = site.meter_places()
    served = 1 - (1 - chance[:, list(chosen)]).prod(axis=1)
    best = margin_db[:, list(chosen)].max(axis=1)
    rows = []
    for at in np.lexsort((best, served))[:WORST]:
        one = site.meter[entry[at]]
        rows.append({"house": one.house, "floor": one.floor, "flat": one.flat, "type": one.type,
                     "served": round(float(served[at]), 6), "best_margin_db": round(float(best[at]), 1)})  # fmt: skip
    return rows


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """A line a gateway; empty where a site has no degrees."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _harmless(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def _harmless(value: object) -> object:
    """Nothing that a spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def as_geojson(site: SiteFile, rows: Sequence[dict[str, Any]]) -> str:
    """Gateways and houses as points. Raises ValueError where the site has no degrees."""
    if not site.origin:
        raise ValueError("the site is in metres and GeoJSON needs degrees; import it with lat and lon")
    features = [_point(row["lat"], row["lon"], {"kind": "gateway", **row}) for row in rows]
    for house in site.house:
        lat, lon = _degrees(site, house.east_m, house.north_m)
        features.append(_point(lat, lon, {"kind": "house", "name": house.name, "floors": house.floors}))
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=1) + "\n"


def _point(lat: float | None, lon: float | None, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]}, "properties": properties}


def _degrees(site: SiteFile, east_m: float, north_m: float) -> tuple[float | None, float | None]:
    """(latitude, longitude); None where the site was given in metres."""
    if not site.origin:
        return None, None
    scale = math.radians(1.0) * EARTH_RADIUS_M
    lat, lon = site.origin
    return round(lat + north_m / scale, 7), round(lon + east_m / (scale * math.cos(math.radians(lat))), 7)
