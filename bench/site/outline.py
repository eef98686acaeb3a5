"""The outline of a house, a GeoJSON Polygon, to the box that stands for it: the middle of its area, and width and depth
of a box with the same area and the proportions of its bounds. Holes are courtyards and left out.

RFC 7946, 3.1.6: a polygon's first ring is its outline, and its first and last positions are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

POLYGONS: Final = ("Polygon", "MultiPolygon")


class Outline(NamedTuple):
    """In the units of the file, degrees or metres: `x`, `y` of the middle, `width` along x, `depth` along y."""

    x: float
    y: float
    width: float
    depth: float


def of(geometry: dict[str, Any]) -> Outline:
    """Raises ValueError with what is wrong."""
    parts = geometry.get("coordinates")
    if geometry["type"] == "Polygon":
        parts = [parts]
    if not isinstance(parts, list) or len(parts) != 1:
        count = len(parts) if isinstance(parts, list) else 0
        raise ValueError(f"a MultiPolygon of {count} parts is not one house; give each part a feature of its own")
    try:
        ring = [(float(x), float(y)) for x, y, *_ in parts[0][0]]
    except (TypeError, ValueError, IndexError, KeyError):
        raise ValueError("a polygon has rings, and a ring has positions of two numbers") from None
    if not all(math.isfinite(x) and math.isfinite(y) and max(abs(x), abs(y)) < 1e9 for x, y in ring):
        raise ValueError("a polygon with a position that is no place")
    return _box(ring)


def _box(ring: Sequence[tuple[float, float]]) -> Outline:
    """By the shoelace formula, from the first position on, which keeps its digits."""
    if len(ring) < 3:
        raise ValueError("an outline has three corners at least")
    (x0, y0) = ring[0]
    moved = [(x - x0, y - y0) for x, y in ring]
    twice = middle_x = middle_y = 0.0
    for (x, y), (next_x, next_y) in zip(moved, [*moved[1:], moved[0]], strict=True):
        cross = x * next_y - next_x * y
        twice += cross
        middle_x += (x + next_x) * cross
        middle_y += (y + next_y) * cross
    wide, deep = (max(one[axis] for one in moved) - min(one[axis] for one in moved) for axis in (0, 1))
    if abs(twice) <= 1e-9 * wide * deep:
        raise ValueError("an outline without an area")
    middle_x, middle_y = middle_x / (3 * twice), middle_y / (3 * twice)
    for axis, middle in enumerate((middle_x, middle_y)):
        if not min(one[axis] for one in moved) <= middle <= max(one[axis] for one in moved):
            raise ValueError("an outline that crosses itself")
    part = min(1.0, math.sqrt(abs(twice) / 2 / (wide * deep)))
    return Outline(x0 + middle_x, y0 + middle_y, wide * part, deep * part)
