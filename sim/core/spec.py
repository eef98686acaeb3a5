"""A world as data: what a `worlds/*.toml` says, checked, with every unit in the key's name.

The classes below are the reference of the format: a field is a key, its type is the key's type, its metadata the
allowed range. An unknown key, a wrong type, a value out of range: SpecError names file, line, key and what is allowed.
`WorldSpec.with_setting("portal.checks", [])` is how a control run gets its weakness and how `--set` works.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import tomllib
import types
import typing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

Security = Literal["none", "mode5", "mode7"]
Link = Literal["T1", "C1", "S1"]
Check = Literal["acc", "ts", "mcr", "age", "bind"]
Alarm = Literal["tamper", "gap", "freshness", "twin", "jam"]
T = typing.TypeVar("T")
SECURITIES: tuple[Security, ...] = ("none", "mode5", "mode7")
CHECKS: tuple[Check, ...] = ("acc", "ts", "mcr", "age", "bind")
ALARMS: tuple[Alarm, ...] = ("tamper", "gap", "freshness", "twin", "jam")


class SpecError(ValueError):
    """A world, desk or sweep file that cannot be used; the message is meant for its author."""


def number(default: Any, *, low: float | None = None, high: float | None = None) -> Any:
    """A key with a range, both ends allowed."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """Houses round a courtyard; a house has staircases, a staircase floors, a floor flats, a flat rooms with a
    radiator and a meter each. Meters are dealt to rooms in order, so the last house may be part empty."""

    flats_a_floor: int = number(2, low=1, high=8)
    floors: int = number(5, low=1, high=60)
    rooms_a_flat: int = number(5, low=1, high=12)
    spacing_m: float = number(22.0, low=5.0, high=1000.0)
    path_loss_exponent: float = number(2.8, low=1.5, high=6.0)
    floor_loss_db: float = number(4.0, low=0.0, high=30.0)
    shadowing_db: float = number(4.0, low=0.0, high=20.0)
    fading_db: float = number(3.0, low=0.0, high=20.0)
    outdoor_mean_c: float = number(9.5, low=-30.0, high=40.0)


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """A group of equal meters. `key = "shared"` gives the whole group one key (a known bad practice)."""

    name: str
    type: str
    count: int = field(metadata={"low": 1, "high": 10_000_000})
    security: Security = "mode5"
    interval_s: float = number(900.0, low=2.0, high=604_800.0)
    link: Link = "T1"
    key: Literal["own", "shared"] = "own"
    power_dbm: float = number(7.0, low=-30.0, high=20.0)
    drift_ppm: float = number(20.0, low=0.0, high=500.0)
    mask: Literal["always", "workdays 08-18"] = "always"


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    """A group of equal gateways, spread over the staircases."""

    name: str = "gw"
    count: int = number(1, low=1, high=1_000_000)
    sensitivity_dbm: float = number(-100.0, low=-140.0, high=0.0)
    links: tuple[Link, ...] = ("T1", "C1", "S1")
    bundle_age_s: float = number(900.0, low=1.0, high=86_400.0)
    bundle_count: int = number(400, low=1, high=10_000)
    bundle_bytes: int = number(100_000, low=1_000, high=131_072)
    clock_offset_s: float = number(0.0, low=-86_400.0 * 400, high=86_400.0 * 400)
    verify_server: bool = True


@dataclass(frozen=True, slots=True)
class PortalSpec:
    """The portal's defences, each switchable. The defaults are all of them."""

    pin_profile: bool = True
    whole_address: bool = True
    strict: bool = True
    checks: tuple[Check, ...] = CHECKS
    alarms: tuple[Alarm, ...] = ALARMS
    ts_tolerance_s: float = number(300.0, low=1.0, high=86_400.0)
    age_max_s: float = number(1_800.0, low=1.0, high=31_536_000.0)
    gap_intervals: float = number(3.0, low=1.0, high=1_000.0)
    billing: Literal["set date record", "last reading"] = "set date record"


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    kind: Literal["memory", "mosquitto"] = "mosquitto"
    bind_client_id: bool = True
    per_device_acl: bool = True
    require_certificate: bool = True
    max_message_bytes: int = number(131_072, low=1_024, high=268_435_455)


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """One world. `window_s`: how often the world waits until everything published is stored (lockstep)."""

    name: str
    title: str
    fleet: tuple[FleetSpec, ...]
    gateway: tuple[GatewaySpec, ...]
    start: datetime = datetime(2026, 1, 12)  # noqa: DTZ001  (the calendar makes it UTC)
    window_s: float = number(900.0, low=1.0, high=86_400.0)
    site: SiteSpec = field(default_factory=SiteSpec)
    portal: PortalSpec = field(default_factory=PortalSpec)
    endpoint: EndpointSpec = field(default_factory=EndpointSpec)

    @property
    def meters(self) -> int:
        return sum(group.count for group in self.fleet)

    @property
    def gateways(self) -> int:
        return sum(group.count for group in self.gateway)

    def with_setting(self, key: str, value: Any, *, source: str = "setting") -> WorldSpec:
        """A copy with one dotted key changed. In [[fleet]] and [[gateway]] the key goes to every group
        ("fleet.security") or to a named one ("fleet.fast.security"). Raises SpecError."""
        return typing.cast(WorldSpec, _set(self, key.split("."), value, _Place(source, {}), key))

    @property
    def digest(self) -> str:
        """16 hex digits that name this world's content."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where keys stand in the file: dotted path -> line."""

    source: str
    lines: dict[str, int]

    def error(self, path: str, what: str) -> SpecError:
        entry = path.rpartition("[")[0] if path.endswith("]") else path  # the line of a list's key, not of its entry
        line = self.lines.get(path) or self.lines.get(entry) or self.lines.get(path.rpartition(".")[0])
        where = f"{self.source}, line {line}" if line else self.source
        return SpecError(f"{where}: {path}: {what}")


def load(path: Path) -> WorldSpec:
    """Read a world file; its name is the file's stem. Raises SpecError."""
    table, place = read_toml(path)
    table.setdefault("name", path.stem)
    return build(WorldSpec, table, place)


def read_toml(path: Path) -> tuple[dict[str, Any], _Place]:
    """The tables of a TOML file and where its keys stand. Raises SpecError."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), _Place(str(path), _key_lines(text))
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: byte {error.start} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: not TOML: {error}") from None


def build(cls: type[T], table: dict[str, Any], place: _Place, path: str = "") -> T:
    """A spec dataclass from a table. Raises SpecError."""
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    for key in table:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "."
            raise place.error(_join(path, key), f"unknown key{hint} Known: {', '.join(sorted(fields))}")
    values: dict[str, Any] = {}
    for name, spec_field in fields.items():
        if name in table:
            values[name] = _value(hints[name], spec_field, table[name], place, _join(path, name))
        elif spec_field.default is dataclasses.MISSING and spec_field.default_factory is dataclasses.MISSING:
            raise place.error(_join(path, name), "is missing")
    return cls(**values)


def _value(hint: Any, spec_field: Any, value: Any, place: _Place, path: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is Literal:
        allowed = typing.get_args(hint)
        if value not in allowed:
            raise place.error(path, f"{value!r} is not one of {', '.join(map(repr, allowed))}")
        return value
    if origin is tuple:
        item = typing.get_args(hint)[0]
        if not isinstance(value, (list, tuple)):
            raise place.error(path, f"{value!r} is not a list")
        if dataclasses.is_dataclass(item) and not value:
            raise place.error(path, "needs at least one entry")
        return tuple(_value(item, None, entry, place, f"{path}[{index}]") for index, entry in enumerate(value))
    if dataclasses.is_dataclass(hint):
        if isinstance(value, hint):  # type: ignore[arg-type]
            return value
        if not isinstance(value, dict):
            raise place.error(path, f"{value!r} is not a table")
        return build(typing.cast(type, hint), value, place, path)
    return _scalar(hint, spec_field, value, place, path)


def _scalar(hint: Any, spec_field: Any, value: Any, place: _Place, path: str) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(arm for arm in typing.get_args(hint) if arm is not type(None))
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        names = {int: "a whole number", float: "a number", str: "text", bool: "true or false", datetime: "a date-time"}
        raise place.error(path, f"{value!r} is not {names.get(hint, hint)}")
    if hint is str and not value:
        raise place.error(path, "is empty")
    limits = spec_field.metadata if spec_field is not None else {}
    low, high = limits.get("low"), limits.get("high")
    if (low is not None and value < low) or (high is not None and value > high) or value != value:
        raise place.error(path, f"{value} is not between {low} and {high}")
    return value


def _set(spec: Any, keys: list[str], value: Any, place: _Place, path: str) -> Any:
    head, rest = keys[0], keys[1:]
    fields = {f.name: f for f in dataclasses.fields(spec)}
    if head not in fields:
        near = difflib.get_close_matches(head, fields, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "."
        raise place.error(path, f"unknown key '{head}'{hint} Known: {', '.join(sorted(fields))}")
    if not rest:
        hint_type = typing.get_type_hints(type(spec))[head]
        return dataclasses.replace(spec, **{head: _value(hint_type, fields[head], value, place, path)})
    inner = getattr(spec, head)
    if isinstance(inner, tuple):
        named = [group for group in inner if group.name == rest[0]]
        if named and len(rest) > 1:
            changed = tuple(_set(g, rest[1:], value, place, path) if g in named else g for g in inner)
        else:
            changed = tuple(_set(group, rest, value, place, path) for group in inner)
        return dataclasses.replace(spec, **{head: changed})
    if not dataclasses.is_dataclass(inner):
        raise place.error(path, f"'{head}' has no keys of its own")
    return dataclasses.replace(spec, **{head: _set(inner, rest, value, place, path)})


def _key_lines(text: str) -> dict[str, int]:
    """Dotted path of each key -> its line. tomllib has parsed the text already, so this only has to find
    lines: headers `[a.b]` and `[[a]]`, and `key =` at the start of a line."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number_, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("[[") and "]]" in line:
            name = line[2 : line.index("]]")].strip()
            index = counts.get(name, 0)
            counts[name] = index + 1
            prefix = f"{name}[{index}]"
            lines[prefix] = number_
        elif line.startswith("[") and line.split("#")[0].rstrip().endswith("]") and "=" not in line:
            prefix = line[1 : line.index("]")].strip()
            lines[prefix] = number_
        elif "=" in line and not line.startswith("#"):
            key = line.split("=", 1)[0].strip().strip('"')
            lines.setdefault(_join(prefix, key), number_)
    return lines


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


__all__ = [
    "ALARMS", "CHECKS", "SECURITIES", "Alarm", "Check", "EndpointSpec", "FleetSpec", "GatewaySpec", "Link",
    "PortalSpec", "Security", "SiteSpec", "SpecError", "WorldSpec", "build", "load", "read_toml",
]  # fmt: skip
