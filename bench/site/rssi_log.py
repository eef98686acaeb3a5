"""Levels that somebody measured, as links: from a table of links, or from a receiver's log and a list of places.

A table is CSV with the columns distance_m and rssi_dbm, and floors, outer_walls, inner_walls where they are known (0
otherwise); an empty rssi_dbm is a link that was tried and not heard. A log is what a receiver printed, in any of the
formats of sim.lines; a meter's level is the middle one of its telegrams whose CRCs fitted. A meter that has a place and
no line was not heard.
"""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as File
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from bench.site.budget import BETWEEN_HOUSES
from bench.site.rows import CANDIDATE, GATEWAY, METER_ID, ROOF, Problems, Row
from sim.core.quoting import named, quoted
from sim.core.settings import SpecError
from sim.lines.reception import Reception
from sim.lines.recognise import AnyReader
from sim.radio.fit import Links
from sim.radio.models.port import Path
from sim.radio.propagation import FLOOR_HEIGHT_M
from sim.radio.site import GATEWAY_HEIGHT_M, RADIATOR_HEIGHT_M

MOST_BYTES: Final = 1 << 30
_NEEDED: Final = ("distance_m", "rssi_dbm")
_RANGES: Final = {
    "distance_m": (0.0, 100_000.0),
    "rssi_dbm": (-160.0, 20.0),
    "floors": (0.0, 100.0),
    "outer_walls": (0.0, 100.0),
    "inner_walls": (0.0, 1_000.0),
}


class Heard(NamedTuple):
    """A receiver's log: `levels_dbm` by id; `telegrams` with a level, `without` one, `bad` lines."""

    levels_dbm: dict[str, list[float]]
    telegrams: int
    without: int
    bad: int


def is_table(path: File) -> bool:
    """Whether the first line has a table's columns. Raises SpecError."""
    with _open(path) as file:
        head = file.readline(4_096).decode("utf-8-sig", "replace")
    return set(_NEEDED) <= {name.strip() for name in head.replace(";", ",").replace("\t", ",").split(",")}


def table(path: File) -> Links:
    """The links of a table. Raises SpecError with every problem."""
    problems = Problems(path)
    with _open(path) as file:
        text = file.read().decode("utf-8-sig", "replace")
    head = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=head.count))
    rows.fieldnames = [name.strip() for name in rows.fieldnames or []]
    columns: dict[str, list[float]] = {name: [] for name in _RANGES}
    try:
        for fields in rows:
            for name, (low, high) in _RANGES.items():
                columns[name].append(_number(fields.get(name), name, low, high, rows.line_num, problems))
    except csv.Error as error:
        raise SpecError(f"{path}, line {rows.line_num}: not CSV: {error}") from None
    problems.stop()
    if not columns["distance_m"]:
        raise SpecError(f"{path}: has no row under its header")
    found = {name: np.array(values) for name, values in columns.items()}
    path_ = Path.of(*(found[name] for name in ("distance_m", "floors", "outer_walls", "inner_walls")))
    return Links(path_, found["rssi_dbm"])


def _number(text: str | None, name: str, low: float, high: float, line: int, problems: Problems) -> float:
    text = (text or "").strip()
    if not text and name != "distance_m":
        return math.nan if name == "rssi_dbm" else 0.0
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if low <= value <= high:
        return value
    problems.add(line, name, f"{quoted(text)} is not a number between {low:g} and {high:g}")
    return 0.0


def log(paths: Sequence[File]) -> Heard:
    """Raises SpecError."""
    levels: dict[str, list[float]] = defaultdict(list)
    telegrams = without = bad = 0
    for path in paths:
        for what in _receptions(path):
            if not isinstance(what, Reception) or what.crc_ok is False:
                bad += 1
            elif what.rssi_dbm is None:
                without += 1
            else:
                telegrams += 1
                levels[what.id].append(what.rssi_dbm)
    return Heard(dict(levels), telegrams, without, bad)


def _receptions(path: File) -> Iterator[object]:
    reader = AnyReader()
    with _open(path) as file:
        for line in file:
            yield from (got.what for got in reader.line(line.rstrip(b"\r\n")))
    yield from (got.what for got in reader.end())


def joined(
    heard: Heard, placed: Sequence[tuple[Row, float, float]], gateway: str, problems: Problems
) -> tuple[Links, int]:
    """(links from every placed meter to the gateway in this house, ids of the log that have no place). Raises
    SpecError."""
    hung = [one for one in placed if one[0].type == GATEWAY and one[0].address == gateway]
    if len(hung) != 1:
        addresses = sorted({row.address for row, _, _ in placed if row.type == GATEWAY})
        raise SpecError(
            f"{problems.source}: has {len(hung)} rows of type gateway at {quoted(gateway)} and one is needed; it has "
            f"them at {', '.join(map(named, addresses[:8])) or 'no address'}"
        )
    meters = [one for one in placed if one[0].type not in (GATEWAY, CANDIDATE)]
    first: dict[str, int] = {}
    for row, _, _ in meters:
        if not row.id:
            problems.add(row.line, "id", "is empty; a log is joined by the eight digits of a meter")
        elif not METER_ID.fullmatch(row.id):
            problems.add(row.line, "id", f"{quoted(row.id)} is not the eight digits of a meter; spreadsheets drop "
                         "zeros in front: keep the column as text")  # fmt: skip
        elif first.setdefault(row.id, row.line) != row.line:
            problems.add(row.line, "id", f"{quoted(row.id)} is that of line {first[row.id]} too")
    if hung[0][0].floor == ROOF:
        problems.add(hung[0][0].line, "floor", "is the roof; a fit needs a number: that of the floor above the highest")
    problems.stop()
    return _links(heard.levels_dbm, meters, hung[0]), len(set(heard.levels_dbm) - set(first))


def _links(
    levels: Mapping[str, list[float]], meters: Sequence[tuple[Row, float, float]], hung: tuple[Row, float, float]
) -> Links:
    there, x, y = hung
    height = there.floor * FLOOR_HEIGHT_M + GATEWAY_HEIGHT_M
    east, north = (np.array([one[axis] for one in meters], dtype=np.float64) for axis in (1, 2))
    floor = np.array([row.floor for row, _, _ in meters])
    apart = np.array([row.address != there.address for row, _, _ in meters])
    up = floor * FLOOR_HEIGHT_M + RADIATOR_HEIGHT_M - height
    path = Path.of(np.sqrt((east - x) ** 2 + (north - y) ** 2 + up**2), np.abs(floor - there.floor),
                   BETWEEN_HOUSES * apart)  # fmt: skip
    return Links(path, np.array([median(levels.get(row.id, [math.nan])) for row, _, _ in meters]))


def _open(path: File) -> io.BufferedReader:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SpecError(f"{path}: is larger than {MOST_BYTES >> 30} GiB; cut it into parts and name them all")
        return path.open("rb")
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from None
