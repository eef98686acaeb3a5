"""Whether a place in Europe is in the open sea, on a raster of a tenth of a degree: a digit that is wrong in a list of
addresses mostly ends there.

sea_europe.b85 is the raster from 34 degrees north and 25 west on, rows of longitudes, a bit each, packed, deflated and
in base 85. A bit is set where no point of the GLOBE elevation data (NOAA, 1 km, public domain; as masked by the package
global-land-mask 1.0.0) within the cell, and 0.02 to 0.03 degrees around it, is land. So a place on a coast is land, and
an island smaller than a kilometre may be sea.
"""

from __future__ import annotations

import base64
import zlib
from functools import cache
from pathlib import Path
from typing import Final

SOUTH: Final = 34.0
WEST: Final = -25.0
ROWS: Final = 380
COLUMNS: Final = 700
CELLS_A_DEGREE: Final = 10


@cache
def _bits() -> bytes:
    lines = (Path(__file__).parent / "sea_europe.b85").read_text(encoding="ascii")
    return zlib.decompress(base64.b85decode("".join(lines.split())))


def in_the_sea(lat: float, lon: float) -> bool:
    """False outside of the raster, where nothing is known."""
    row, column = int((lat - SOUTH) * CELLS_A_DEGREE), int((lon - WEST) * CELLS_A_DEGREE)
    if lat < SOUTH or lon < WEST or row >= ROWS or column >= COLUMNS:
        return False
    at = row * COLUMNS + column
    return bool(_bits()[at >> 3] >> (7 - (at & 7)) & 1)
