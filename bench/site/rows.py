"""CSV and GeoJSON read to rows, each with the line it stands on; what is wrong with a field names line and column.

    address, lat, lon, floor, flat, type, count, id, price     or east_m, north_m (--metres) in place of lat, lon

`type` is a meter type, "gateway", or "candidate" for a place where one could hang, for a `price`. `id`: the eight
digits of a meter, where a log is to be joined. Floors are whole numbers, 0 the ground floor (also EG, KG, UG, and for
gateways roof, Dach). A decimal comma is read where fields are parted by something else.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from bench.site import outline as outlines
from sim.core.quoting import named, quoted
from sim.core.settings import SpecError

T = TypeVar("T")
COLUMNS: Final = ("address", "lat", "lon", "floor", "flat", "type", "count", "id", "price")
METRES: Final = ("address", "east_m", "north_m", "floor", "flat", "type", "count", "id", "price")
Fields = tuple[int, dict[str, Any], outlines.Outline | None]
"""(line, what stands in it, the outline of its house)."""
NEEDED: Final = 3  # the first three
GATEWAY: Final = "gateway"
CANDIDATE: Final = "candidate"
ROOF: Final = 1_000  # in place of a floor
METER_ID: Final = re.compile(r"[0-9a-f]{8}")
MOST_BYTES: Final = 256 << 20
MOST_PROBLEMS: Final = 20
_FLOORS: Final = {"eg": 0, "kg": -1, "ug": -1, "roof": ROOF, "dach": ROOF}


@dataclass(frozen=True, slots=True)
class Row:
    """`y`, `x`: latitude and longitude, or north and east in metres. `type` None: the file says none. `floor` ROOF: on
    top of the house. `price` None: the file says none."""

    line: int
    address: str
    y: float
    x: float
    floor: int
    flat: str
    type: str | None
    count: int
    id: str = ""
    price: float | None = None
    outline: outlines.Outline | None = None
    """Of its house, where the file has it."""


class Problems:
    """What is wrong, by line; all of it is told at once, up to a limit."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.found: list[str] = []
        self.lines: set[int] = set()

    def add(self, line: int, column: str, what: str) -> None:
        where = f", column {named(column)}" if column else ""
        self.found.append(f"{self.source}, line {line}{where}: {what}")
        self.lines.add(line)

    def stop(self) -> None:
        """Raises SpecError when there are any."""
        if self.found:
            more = len(self.found) - MOST_PROBLEMS
            raise SpecError("\n".join(self.found[:MOST_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])))


def names_of(text: str, option: str = "--names: COLUMN=NAME,... is needed, as in --names lat=Breite,lon=Laenge"
             ) -> dict[str, str]:  # fmt: skip
    """`a=b,c=d`; `option`: what is said of others. Raises SpecError."""
    pairs = [one.partition("=") for one in text.split(",") if one.strip()]
    if not all(equals and name.strip() and own.strip() for own, equals, name in pairs):
        raise SpecError(option)
    return {own.strip(): name.strip() for own, _, name in pairs}


def types_of(text: str, known: Collection[str]) -> dict[str, str]:
    """What a list calls its types -> ours, of `HKV=qundis-q-caloric,Wasser=qundis-q-water`. Raises SpecError."""
    told = names_of(text, "--types: NAME=TYPE,... is needed, as in --types HKV=qundis-q-caloric,Wasser=qundis-q-water")
    allowed = [GATEWAY, CANDIDATE, *sorted(known)]
    for name, type_ in told.items():
        if type_ not in allowed:
            raise SpecError(f"--types: {quoted(type_)}, for {quoted(name)}, is not one of {', '.join(allowed)}")
    return told


def read(
    path: Path, names: Mapping[str, str], metres: bool, problems: Problems, types: Mapping[str, str] | None = None
) -> list[Row]:
    """The rows of a file; `names`: what its columns are called, where not as here; `types`: what it calls types. Raises
    SpecError."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SpecError(f"{path}: is larger than {MOST_BYTES >> 20} MiB; cut it into several sites")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: byte {error.start} is not UTF-8 text; save the file as UTF-8") from None
    columns = METRES if metres else COLUMNS
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise SpecError(f"--names: there is no column {quoted(unknown[0])}; known: {', '.join(columns)}")
    told = {column: names.get(column, column) for column in columns}
    geo = text.lstrip().startswith("{")
    rows = (_geojson if geo else _csv)(text, path, told)
    found = [row for line, fields, outline in rows
             if (row := _row(line, fields, told, columns, problems, types or {}, outline))]  # fmt: skip
    if not found and not problems.found:
        raise SpecError(f"{path}: has no row")
    return found


def right(rows: Sequence[Row], problems: Problems, made: Callable[[list[Row], Problems], T]) -> tuple[T, Problems]:
    """What is made of the rows that are right, and what is wrong with the others: what one that is left out was the
    measure for may come to light then, so it is tried until nothing more does. Raises SpecError where no more than half
    of all rows are right: then it is the file that is wrong, and not some rows of it."""
    told = Problems(problems.source)
    told.found, told.lines = list(problems.found), set(problems.lines)
    total = len(rows) + len(problems.lines)
    while True:
        now = Problems(problems.source)
        left = [row for row in rows if row.line not in told.lines]
        if 2 * len(left) <= total:
            told.stop()
        try:
            return made(left, now), told
        except SpecError:
            if not now.lines:
                raise
            told.found += now.found
            told.lines |= now.lines


def _csv(text: str, path: Path, told: Mapping[str, str]) -> Iterator[Fields]:
    head = text.partition("\n")[0]
    delimiter = max(";,\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not any(header):
            raise SpecError(f"{path}, line 1: is empty; the first line names the columns: {', '.join(told.values())}")
        twice = [name for name in header if header.count(name) > 1 and name in told.values()]
        absent = [name for name in list(told.values())[:NEEDED] if name not in header]
        if twice or absent:
            what = f"there are two columns {quoted(twice[0])}" if twice else f"there is no column {quoted(absent[0])}"
            raise SpecError(
                f"{path}, line 1: {what}; it has {', '.join(named(n) for n in header[:12])}. Other names: "
                "--names lat=Breite,lon=Laenge; metres: --metres"
            )
        while True:
            line = reader.line_num + 1
            values = next(reader, None)
            if values is None:
                return
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(header):
                raise SpecError(f"{path}, line {line}: has {len(values)} fields and the header {len(header)}")
            if delimiter != ",":
                values = [re.sub(r"^(\s*-?\d+),(\d+\s*)$", r"\1.\2", value) for value in values]
            yield line, dict(zip(header, values, strict=True)), None
    except csv.Error as error:
        raise SpecError(f"{path}, line {reader.line_num}: not CSV: {error}") from None


def _geojson(text: str, path: Path, told: Mapping[str, str]) -> Iterator[Fields]:
    """Features that are points, or the outlines of houses; the line is the one on which a feature begins."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        raise SpecError(f"{path}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from None
    except (RecursionError, ValueError):
        raise SpecError(f"{path}: not GeoJSON: too deep, or a number too long") from None
    features = whole.get("features")
    if not isinstance(features, list):
        raise SpecError(f"{path}: not GeoJSON: a FeatureCollection has a list `features`")
    begin = re.search(r'"features"\s*:\s*\[', text)
    at, decoder, line, counted = begin.end() if begin else 0, json.JSONDecoder(), 1, 0
    for feature in features:
        at = text.index("{", at) if isinstance(feature, dict) else at
        line, counted = line + text.count("\n", counted, at), at
        outline = None
        try:
            geometry, fields = feature["geometry"]["type"], dict(feature["properties"] or {})
            if geometry == "Point":
                x, y, *_ = feature["geometry"]["coordinates"]
        except (TypeError, KeyError, ValueError):
            what = "a feature has a point as geometry, or a house's outline, and properties"
            raise SpecError(f"{path}, line {line}: {what}") from None
        if geometry in outlines.POLYGONS:
            try:
                x, y, *_ = outline = outlines.of(feature["geometry"])
            except ValueError as error:
                raise SpecError(f"{path}, line {line}: {error}") from None
        elif geometry != "Point":
            what = "is not a Point, nor a house's outline (Polygon, MultiPolygon of one part)"
            raise SpecError(f"{path}, line {line}: geometry {quoted(str(geometry))} {what}")
        _, first, second = list(told.values())[:NEEDED]
        order = (x, y) if "east_m" in told else (y, x)
        yield line, fields | {first: order[0], second: order[1]}, outline
        at = decoder.raw_decode(text, at)[1]


def _row(
    line: int, fields: Mapping[str, Any], told: Mapping[str, str], columns: tuple[str, ...], problems: Problems,
    types: Mapping[str, str], outline: outlines.Outline | None,
) -> Row | None:  # fmt: skip
    def text(column: str) -> str:
        value = fields.get(told[column], "")
        return "" if value is None else str(value).strip()

    def complain(column: str, what: str) -> None:
        problems.add(line, told[column], what)

    before, type_ = len(problems.found), types.get(text("type"), text("type"))
    address, numbers = text("address"), []
    if not address:
        complain("address", "is empty: every meter and gateway needs a house")
    for column in columns[1:NEEDED]:
        try:
            numbers.append(float(text(column)))
        except ValueError:
            complain(column, f"{quoted(text(column))} is not a number")
            continue
        if not abs(numbers[-1]) < 1e9:
            complain(column, f"{quoted(text(column))} is no place")
    whole: dict[str, int] = {}
    for column, default, low, high in (("floor", 0, -5, 60), ("count", 1, 1, 1_000)):
        said = text(column).lower()
        try:
            whole[column] = _FLOORS[said] if column == "floor" and said in _FLOORS else int(said or default)
        except ValueError:
            complain(column, f"{quoted(text(column))} is not a whole number")
            continue
        on_top = column == "floor" and whole[column] == ROOF and type_ in (GATEWAY, CANDIDATE)
        if column == "floor" and whole[column] == ROOF and not on_top:
            complain(column, f"{quoted(said)} is for gateways; a meter needs the number of its floor")
        elif not on_top and not low <= whole[column] <= high:
            complain(column, f"{whole[column]} is not between {low} and {high}")
    price = None
    if text("price"):
        try:
            price = float(text("price"))
        except ValueError:
            price = -1.0
        if not 0 <= price <= 1e9:
            complain("price", f"{quoted(text('price'))} is no price: a number from 0, without a currency")
    if len(problems.found) > before:
        return None
    a, b = numbers
    y, x = (b, a) if columns is METRES else (a, b)
    return Row(
        line,
        address,
        y,
        x,
        whole["floor"],
        text("flat") or "-",
        type_ or None,
        whole["count"],
        text("id").lower(),
        price,
        outline,
    )
