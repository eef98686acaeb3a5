"""Rows to a site: degrees to metres, addresses to houses, and what cannot be right told with its line.

The plane is an azimuthal one round the middle of all rows (an error below 1 m within 20 km). Sites are looked for in
Europe (34 to 72 degrees north, 25 west to 45 east), so swapped columns and another projection are told from a place,
and so is a place in the sea; `anywhere` leaves that out. A house stands in the middle of its rows, and has the
size of its outline where the file has one; its floors reach to the highest row.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.site.rows import CANDIDATE, GATEWAY, METER_ID, ROOF, Problems, Row
from bench.site.sea import in_the_sea
from sim.core.quoting import named, quoted
from sim.core.settings import SpecError
from sim.radio.site_file import FARTHEST_M, Gateway, House, Meters, SiteFile

EARTH_RADIUS_M: Final = 6_371_008.8
NORTH: Final = (34.0, 72.0)
EAST: Final = (-25.0, 45.0)
PLACES: Final = {GATEWAY: "", CANDIDATE: "place "}
"""Types of rows that are no meters, and what their names have before the number."""
MERCATOR_EAST: Final = (1.26e6, 2.35e6)
MERCATOR_NORTH: Final = (4.0e6, 1.16e7)
"""Metres that are Web Mercator's between 11 and 21 degrees east, and nobody else's in Europe: Lambert-93 ends before,
Gauss-Krueger begins behind."""
HOUSE_M: Final = (2.0, 500.0)
"""Of an outline's box, as a site file allows it."""
ONE_HOUSE_M: Final = 100.0
"""Rows of one address farther from its middle than this are not one house."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """What a list without outlines says nothing of."""

    width_m: float = 15.0
    depth_m: float = 12.0
    outer_wall_db: float = 0.0


def site(
    rows: Sequence[Row], problems: Problems, *, title: str, types: Collection[str], default_type: str | None,
    metres: bool, anywhere: bool, boxes: Boxes,
) -> SiteFile:  # fmt: skip
    """The site of these rows. Raises SpecError with every problem."""
    kinds = {row.line: row.type or default_type for row in rows}
    _check_types(rows, kinds, types, problems)
    _check_duplicates(rows, kinds, problems)
    planned, (middle_y, middle_x) = on_a_plane(rows, problems, metres=metres, anywhere=anywhere)
    by_house: dict[str, list[tuple[Row, float, float]]] = defaultdict(list)
    for one in planned:
        row, east, north = one
        if max(abs(east), abs(north)) > FARTHEST_M:
            problems.add(row.line, "", f"lies {math.hypot(east, north) / 1000:.0f} km from the middle of the others")
        by_house[row.address].append(one)
    houses: list[House] = []
    hung: dict[str, list[Gateway]] = {kind: [] for kind in PLACES}
    for address, own in by_house.items():
        meters = [one for one in own if kinds[one[0].line] not in PLACES]
        if not meters:
            what = f"a {kinds[own[0][0].line]} in {quoted(address)}, which has no meter: no such house"
            problems.add(own[0][0].line, "address", what)
            continue
        east, north = median(one[1] for one in meters), median(one[2] for one in meters)
        for row, x, y in own:
            if math.hypot(x - east, y - north) > ONE_HOUSE_M:
                problems.add(
                    row.line, "", f"is {math.hypot(x - east, y - north):.0f} m from the rest of {quoted(address)}"
                )
        floors = max(1, *(one[0].floor + 1 for one in own if one[0].floor != ROOF))
        width_m, depth_m = _size(own, boxes, 0.0 if metres else middle_y, metres, problems)
        houses.append(
            House(address, round(east, 2), round(north, 2), width_m, depth_m, floors, boxes.outer_wall_db)
        )
    for row, east, north in planned:
        kind = kinds[row.line] or ""
        for number in range(row.count) if kind in PLACES else ():
            name = f"{row.address} {PLACES[kind]}{len(hung[kind]) + 1}"
            roof = row.floor == ROOF
            hung[kind].append(Gateway(name, row.address, 0 if roof else row.floor, round(east + 0.3 * number, 2),
                                      round(north, 2), roof, row.price))  # fmt: skip
    problems.stop()
    found = [row for row in rows if kinds[row.line] not in PLACES]
    if not found:
        raise SpecError(f"{problems.source}, line {rows[0].line}: only gateways, and no meter in the whole file")
    origin = () if metres else (round(middle_y, 7), round(middle_x, 7))
    meters_ = tuple(Meters(row.address, str(kinds[row.line]), row.floor, row.flat, row.count) for row in found)
    return SiteFile(title, tuple(houses), meters_, tuple(hung[GATEWAY]), origin, tuple(hung[CANDIDATE]))


def _size(
    own: Sequence[tuple[Row, float, float]], boxes: Boxes, middle_y: float, metres: bool, problems: Problems
) -> tuple[float, float]:
    """(width, depth) of a house in metres, of the first of its rows that has an outline."""
    for row, _, _ in own:
        if row.outline is None:
            continue
        east, north = (1.0, 1.0) if metres else _metres_a_degree(middle_y)
        size = round(row.outline.width * east, 2), round(row.outline.depth * north, 2)
        if not all(HOUSE_M[0] <= one <= HOUSE_M[1] for one in size):
            what = f"an outline of {size[0]:g} m by {size[1]:g} m is no house: from {HOUSE_M[0]:g} to {HOUSE_M[1]:g} m"
            problems.add(row.line, "", what)
        return size
    return boxes.width_m, boxes.depth_m


def _metres_a_degree(middle_y: float) -> tuple[float, float]:
    """(of longitude, of latitude)."""
    scale = math.radians(1.0) * EARTH_RADIUS_M
    return scale * math.cos(math.radians(middle_y)), scale


def on_a_plane(
    rows: Sequence[Row], problems: Problems, *, metres: bool, anywhere: bool
) -> tuple[list[tuple[Row, float, float]], tuple[float, float]]:
    """(each row with east and north in metres, the middle as the file has it). Raises SpecError with every problem."""
    (_check_metres if metres else _check_degrees)(rows, problems, anywhere)
    problems.stop()
    middle_y, middle_x = median(row.y for row in rows), median(row.x for row in rows)
    return [(row, *_plane(row, middle_y, middle_x, metres)) for row in rows], (middle_y, middle_x)


def _plane(row: Row, middle_y: float, middle_x: float, metres: bool) -> tuple[float, float]:
    """(east, north) in metres."""
    if metres:
        return row.x - middle_x, row.y - middle_y
    east, north = _metres_a_degree(middle_y)
    return (row.x - middle_x) * east, (row.y - middle_y) * north


def _check_degrees(rows: Sequence[Row], problems: Problems, anywhere: bool) -> None:
    north, east = ((-90.0, 90.0), (-180.0, 180.0)) if anywhere else (NORTH, EAST)

    def inside(y: float, x: float) -> bool:
        return north[0] <= y <= north[1] and east[0] <= x <= east[1]

    for row in rows:
        if inside(row.y, row.x):
            if not anywhere and in_the_sea(row.y, row.x):
                where = f"{row.y:g} north, {row.x:g} east"
                problems.add(row.line, "", f"{where} is in the sea: is a digit wrong? On a small island, --anywhere")
            continue
        what = f"{row.y:g} north, {row.x:g} east "
        if abs(row.y) > 180 or abs(row.x) > 180:
            what += "are no degrees: UTM or Gauss-Krueger? Then use --metres with its east and north. Web Mercator "
            what += "(EPSG:3857)? Its metres are none: turn them to degrees"
        elif inside(row.x, row.y):
            what += "would be inside the other way round: are lat and lon swapped? --names lat=...,lon=..."
        else:
            what += "is not in Europe" if not anywhere else "is not on the Earth"
            what += "" if anywhere else "; for a site elsewhere, --anywhere"
        problems.add(row.line, "", what)


def _check_metres(rows: Sequence[Row], problems: Problems, anywhere: bool) -> None:
    (west, east), (south, north) = MERCATOR_EAST, MERCATOR_NORTH
    mercator = [row for row in rows if west < row.x < east and south < row.y < north]
    if mercator and not anywhere:
        first = mercator[0]
        problems.add(
            first.line, "", f"{first.x:.0f} m east, {first.y:.0f} m north are Web Mercator (EPSG:3857), of whose "
            "metres 1.6 make one at 52 degrees: give degrees, UTM or Gauss-Krueger. Another grid: --anywhere"
        )  # fmt: skip
        problems.lines.update(r.line for r in mercator)
    if (
        len(rows) > 1
        and all(abs(r.y) <= 90 and abs(r.x) <= 180 for r in rows)
        and any(r.y % 1 and r.x % 1 for r in rows)
    ):
        spread = max(max(r.y for r in rows) - min(r.y for r in rows), max(r.x for r in rows) - min(r.x for r in rows))
        houses = len({row.address for row in rows})
        if houses > 1 and spread < 2.0:
            problems.add(
                rows[0].line, "", f"all {houses} houses within {spread:.2g} m: degrees? Then leave --metres away"
            )


def _check_types(rows: Sequence[Row], kinds: dict[int, str | None], types: Collection[str], problems: Problems) -> None:
    wrong: dict[str | None, list[int]] = {}
    for row in rows:
        kind = kinds[row.line]
        if kind is None or (kind not in PLACES and kind not in types):
            wrong.setdefault(kind, []).append(row.line)
    for kind, lines in wrong.items():
        what = "is empty; give every row one, or --type TYPE for those without"
        if kind is not None:
            what = f"{quoted(kind)} is not one of {', '.join([*PLACES, *sorted(types)])}"
            what += f"; say which one it is: --types {named(kind)}=TYPE"
        problems.add(lines[0], "type", what + (f" ({len(lines)} rows)" if len(lines) > 1 else ""))
        problems.lines.update(lines)


def _check_duplicates(rows: Sequence[Row], kinds: dict[int, str | None], problems: Problems) -> None:
    first: dict[tuple[object, ...], int] = {}
    ids: dict[str, int] = {}
    for row in rows:
        if METER_ID.fullmatch(row.id) and ids.setdefault(row.id, row.line) != row.line:
            problems.add(row.line, "id", f"{quoted(row.id)} is that of line {ids[row.id]} too")
            continue
        key = (row.address, row.floor, row.flat, kinds[row.line], row.id)
        if key in first:
            problems.add(
                row.line, "", f"the same address, floor, flat and type as line {first[key]}; add up their count"
            )
        first.setdefault(key, row.line)
