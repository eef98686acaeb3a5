"""A sweep as data: what a `sweeps/*.toml` says, checked, with one point for each combination of the varied settings.

    world = "stairwell-384"                    a name in scenarios/worlds/, or a file, seen from the sweep's own folder
    hours = 1.0
    seeds = [1, 2, 3]
    [set]
    "site.fading_db" = 0.0                     changed at every point
    [vary]
    "fleet.interval_s" = [900, 60, 10]         one point for each value, times those of the other keys
    "site.floors, fleet.count" = [[1, 400], [5, 2000]]         settings that change together
    [[expect]]
    where = { "fleet.interval_s" = 900 }       only at these points; without it at all
    delivery_ratio = { min = 0.95 }

The rule kept here: keys are those of `--set`, so a sweep can vary every setting of a world. What is wrong is said
before anything runs: file, line, key and what is allowed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from bench import worlds
from bench.sweep import closed_form
from bench.sweep.point_measures import READINGS, of_depth
from sim.city.plan import LONGEST_OUTAGE_S, CityPlan, Outages
from sim.core import own
from sim.core.clock import NS_PER_HOUR
from sim.core.settings import SpecError, build, number, read_toml
from sim.meters.meter_type import kind
from sim.world_spec import WorldSpec, load

MOST_POINTS: Final = 10_000
LIMITS: Final = ("min", "max", "formula")
TABLES: Final = ("vary", "set", "expect")


@dataclass(frozen=True, slots=True)
class SweepSpec:
    """The file's plain keys. `outages`: the share of days on which a gateway fails, `outage_s` long."""

    world: str
    title: str = "Sweep"
    hours: float = number(24.0, low=0.001, high=200_000.0)
    depth: Literal["radio", "bytes", "readings"] = "radio"
    seeds: tuple[int, ...] = (1,)
    outages: float = number(0.0, low=0.0, high=1.0)
    outage_s: float = number(3_600.0, low=1.0, high=LONGEST_OUTAGE_S)
    shards: int = number(1, low=1, high=100_000)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a figure must be at the points where all of `where` is set."""

    figure: str
    limit: Literal["min", "max", "formula"]
    value: float
    where: tuple[tuple[str, Any], ...] = ()

    @property
    def text(self) -> str:
        """The limit in words."""
        sign = {"min": ">=", "max": "<=", "formula": "= closed form ±"}[self.limit]
        return f"{self.figure} {sign} {self.value:g}"

    def holds_at(self, settings: Mapping[str, Any]) -> bool:
        """It applies at a point with these settings."""
        return all(settings.get(key) == value for key, value in self.where)


@dataclass(frozen=True, slots=True)
class Point:
    """One world of the sweep; `settings` are what is varied, by dotted key."""

    number: int
    settings: dict[str, Any]
    spec: WorldSpec

    @property
    def name(self) -> str:
        """Its settings in words."""
        return ", ".join(f"{key} = {value}" for key, value in self.settings.items()) or self.spec.name


@dataclass(frozen=True, slots=True)
class Sweep:
    """A whole sweep, ready to run. `axes`: the keys that vary together, and their values."""

    path: Path
    spec: SweepSpec
    axes: tuple[tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]], ...]
    points: tuple[Point, ...]
    expectations: tuple[Expectation, ...]

    def plan(self, point: Point, seed: int, workers: int = 1) -> CityPlan:
        """What one point is with one seed. The number of shards comes from the world alone."""
        spec = self.spec
        whole = CityPlan(
            point.spec, seed, round(spec.hours * NS_PER_HOUR), spec.depth, outages=Outages(spec.outages, spec.outage_s)
        )
        return CityPlan(
            whole.spec, seed, whole.duration_ns, spec.depth, workers=workers, outages=whole.outages,
            shards=max(spec.shards, whole.shard_count()),
        )  # fmt: skip


def find(name: str) -> Path:
    """A file as it stands, or the sweep of this name. Raises SpecError."""
    return worlds.find(name, kind=own.SWEEPS)


def read(path: Path, seeds: tuple[int, ...] = ()) -> Sweep:
    """Read a sweep; `seeds` instead of the file's own. Raises SpecError, CityLimit."""
    table, place = read_toml(path)
    where = _Where(str(path), place.lines)
    known = (*SweepSpec.__slots__, *TABLES)
    for key in table:
        if key not in known:
            raise where.error(key, f"unknown key. Known: {', '.join(sorted(known))}")
    inner = {name: table.pop(name, {}) for name in TABLES}
    spec = build(SweepSpec, table, place)
    if seeds:
        spec = build(SweepSpec, {**table, "seeds": list(seeds)}, place)
    if not spec.seeds or len(set(spec.seeds)) < len(spec.seeds) or not all(0 <= s < 1 << 64 for s in spec.seeds):
        raise where.error("seeds", f"{list(spec.seeds)} is not a list of different seeds from 0 to 2**64 - 1")
    world = _world(spec.world, path, where)
    for key, value in _flat(inner["set"], "set", where):
        world = world.with_setting(key, value, source=f"{where.at(f'set.{key}')}: set")
    axes = tuple(_axes(inner["vary"], where))
    points = tuple(_points(world, axes, where))
    for group in world.fleet:
        kind(group.type)
    sweep = Sweep(path, spec, axes, points, tuple(_expectations(inner["expect"], spec, points, where)))
    for point in points:
        sweep.plan(point, spec.seeds[0]).refuse()
        if any(one.limit == "formula" and one.holds_at(point.settings) for one in sweep.expectations):
            form = closed_form.of(sweep.plan(point, spec.seeds[0]))
            if isinstance(form, str):
                raise where.error("expect", f"formula: no closed form holds at {point.name}: {form}")
    return sweep


@dataclass(frozen=True, slots=True)
class _Where:
    """Where keys stand in the file; of a key inside an inline table, where that table stands."""

    source: str
    lines: dict[str, int]

    def at(self, path: str) -> str:
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return f"{self.source}, line {self.lines[path]}" if path else self.source

    def error(self, path: str, what: str) -> SpecError:
        return SpecError(f"{self.at(path)}: {path}: {what}")


def _world(name: str, sweep: Path, where: _Where) -> WorldSpec:
    try:
        path = worlds.find(name, beside=sweep.parent)
    except SpecError as error:
        raise where.error("world", str(error)) from None
    return load(path)


def _flat(table: Any, path: str, where: _Where) -> Iterator[tuple[str, Any]]:
    """Tables in tables as dotted keys: `{ site = { floors = [1] } }` and `site.floors = [1]` are the same."""
    if not isinstance(table, dict):
        raise where.error(path, f"{table!r} is not a table of settings, such as {{ fleet.interval_s = ... }}")
    for key, value in table.items():
        if isinstance(value, dict):
            for rest, inner in _flat(value, f"{path}.{key}", where):
                yield f"{key}.{rest}", inner
        else:
            yield key, value


def _axes(table: Any, where: _Where) -> Iterator[tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]]:
    for key, values in _flat(table, "vary", where):
        keys = tuple(part.strip() for part in key.split(","))
        if not isinstance(values, list) or not values:
            raise where.error(f"vary.{key}", f"{values!r} is not a list of values")
        if len(keys) == 1:
            yield keys, tuple((value,) for value in values)
            continue
        for value in values:
            if not isinstance(value, list) or len(value) != len(keys):
                raise where.error(f"vary.{key}", f"{value!r} is not a list of {len(keys)} values, one for each key")
        yield keys, tuple(tuple(value) for value in values)


def _points(world: WorldSpec, axes: Any, where: _Where) -> Iterator[Point]:
    sizes = [len(values) for _, values in axes]
    count = 1
    for size in sizes:
        count *= size
    if count > MOST_POINTS:
        raise where.error("vary", f"{' x '.join(map(str, sizes))} = {count} points, at most {MOST_POINTS}")
    for position, chosen in enumerate(itertools.product(*(values for _, values in axes))):
        settings: dict[str, Any] = {}
        spec = world
        for (keys, _), values in zip(axes, chosen, strict=True):
            for key, value in zip(keys, values, strict=True):
                spec = spec.with_setting(key, value, source=f"{where.at('vary.' + ', '.join(keys))}: vary")
                settings[key] = value
        yield Point(position, settings, spec)


def _expectations(tables: Any, spec: SweepSpec, points: tuple[Point, ...], where: _Where) -> Iterator[Expectation]:
    known = of_depth(spec.depth)
    one = isinstance(tables, dict)
    if not one and not isinstance(tables, list):
        raise where.error("expect", f"{tables!r} is not a table, such as {{ delivery_ratio = {{ min = 0.95 }} }}")
    for index, table in enumerate([tables] if one else tables):
        path = "expect" if one else f"expect[{index}]"
        condition = tuple(_flat(table.pop("where", {}), f"{path}.where", where))
        if not any(Expectation("", "min", 0, condition).holds_at(point.settings) for point in points):
            raise where.error(f"{path}.where", f"no point of this sweep has {dict(condition)}")
        for figure, limits in table.items():
            if figure not in known:
                what = 'it needs depth = "readings"' if figure in READINGS else "no such figure"
                raise where.error(f"{path}.{figure}", f"{what}. Known: {', '.join(known)}")
            if not isinstance(limits, dict) or not limits or set(limits) - set(LIMITS):
                raise where.error(f"{path}.{figure}", f"{limits!r} is not a table with {', '.join(LIMITS)}")
            for limit, value in limits.items():
                if type(value) not in (int, float):
                    raise where.error(f"{path}.{figure}", f"{limit} = {value!r} is not a number")
                if limit == "formula" and figure != "delivery_ratio":
                    raise where.error(f"{path}.{figure}", "a closed form is known of delivery_ratio only")
                yield Expectation(figure, limit, float(value), condition)
