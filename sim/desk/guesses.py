"""Time, level and meter of messages whose telegrams are known already: which other place in them fits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sim.readers.message_content import Content, columns, unpacked
from sim.readers.places import STAR, Star, Step, written
from sim.readers.stamps import ANY, BadStamp, parsed
from sim.readers.undo import CannotUndo

_LEAVES_MOST: Final = 2_000
_DEPTH_MOST: Final = 12
_SEPARATORS: Final = (";", ",", "\t", "|")
_ID: Final = re.compile(r"\d{8}")
_TIME_NAME: Final = re.compile(r"time|date|stamp|^ts$|_at$|^at$|clock|created|received", re.IGNORECASE)
_LEVEL_NAME: Final = re.compile(r"rssi|dbm|level|signal", re.IGNORECASE)
_PUBLISH_NAME: Final = re.compile(r"publish|sent|send|upload|received_at|created", re.IGNORECASE)
_NETWORK: Final = re.compile(r"rx_?metadata|rx_?info|gateways?\[", re.IGNORECASE)
_YEARS: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_QUARTER_S: Final = 900


@dataclass(frozen=True, slots=True)
class Fed:
    """What the bench handed over meanwhile. `at`: the end of the frame, with a zone."""

    frame: bytes
    rssi_dbm: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value in a message: `place` as an inventory names it, `name` of the member, `keys` that it needs besides."""

    place: str
    name: str
    value: object
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MeterPlace:
    """Where the identification stands, and which were seen."""

    place: str
    ids: set[str]


@dataclass(slots=True)
class Proven:
    """Messages that hold telegrams: of each its leaves, when it came, and for each of its telegrams what was fed that
    came back as it."""

    leaves: list[list[Leaf]]
    at: list[datetime]
    fed: list[list[Fed | None]]
    ids: set[str]

    @staticmethod
    def of(content: Content, messages: Sequence[tuple[str, bytes, datetime]], fed: Mapping[bytes, Fed]) -> Proven:
        """`messages`: (topic, payload, when)."""
        out = Proven([], [], [], set())
        for topic, payload, at in messages:
            frames = [row.frame for row in content.rows(topic, payload, 0) if row.frame is not None]
            out.ids |= {frame[7:3:-1].hex() for frame in frames}
            out.fed.append([fed.get(frame) for frame in frames])
            out.at.append(at)
            try:
                out.leaves.append(leaves(topic, unpacked(payload)))
            except CannotUndo:
                out.leaves.append([])
        return out

    @staticmethod
    def plain(messages: Sequence[tuple[str, bytes, datetime]]) -> Proven:
        """Messages of values: (topic, unpacked payload, when)."""
        return Proven(
            [leaves(topic, data) for topic, data, _ in messages], [at for *_, at in messages], [[] for _ in messages],
            set(),
        )  # fmt: skip

    def values(self, place: str) -> list[tuple[object, datetime, Fed | None]]:
        """What stood there, message by message."""
        out: list[tuple[object, datetime, Fed | None]] = []
        for found, at, fed in zip(self.leaves, self.at, self.fed, strict=True):
            here = [leaf.value for leaf in found if leaf.place == place]
            whose = fed if len(fed) == len(here) else [None] * len(here)
            out += [(value, at, one) for value, one in zip(here, whose, strict=True)]
        return out

    def places(self) -> dict[str, Leaf]:
        """Each place, with the first value seen there."""
        out: dict[str, Leaf] = {}
        for found in self.leaves:
            for leaf in found:
                out.setdefault(leaf.place, leaf)
        return out


def leaves(topic: str, data: bytes) -> list[Leaf]:
    """The whole payload, the values of a JSON text (lists as [*]), or the columns of lines."""
    out = [Leaf("", topic.rpartition("/")[2], data)]
    if data.lstrip()[:1] in (b"{", b"["):
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            return out
        for leaf in _members(body, ()):
            out.append(leaf)
            if len(out) >= _LEAVES_MOST:
                break
        return out
    for separator in _SEPARATORS:
        if separator.encode() in data:
            rows = columns(data, separator)
            keys = {} if separator == ";" else {"separator": separator}
            if rows:
                names = data.decode("utf-8", "replace").splitlines()[0].split(separator)
                for at, cell in enumerate(rows[0]):
                    out.append(Leaf(f"column {at + 1}", names[at] if at < len(names) else "", cell, keys))
            break
    return out


def _members(body: object, steps: tuple[Step | Star, ...]) -> Iterator[Leaf]:
    if len(steps) > _DEPTH_MOST:
        return
    if isinstance(body, dict):
        for name, inner in body.items():
            if name and "'" not in name:
                yield from _members(inner, (*steps, name))
    elif isinstance(body, list):
        for inner in body[:50]:
            yield from _members(inner, (*steps, STAR))
    else:
        name = next((step for step in reversed(steps) if isinstance(step, str)), "")
        yield Leaf(written(steps), name, body)


def _fits(place: str, telegram: str) -> bool:
    """Whether there is one of `place` for each telegram: their lists are the same."""
    stars = place.count("[*]")
    if not stars:
        return True
    upto = place[: place.rindex("[*]") + 3]
    return telegram.startswith(upto)


def level_of(proven: Proven, telegram: str, notes: list[str]) -> dict[str, Any]:
    """`rssi` and `rssi_unit`."""
    best: tuple[float, str, str] | None = None
    for place, leaf in proven.places().items():
        if not place or not _fits(place, telegram):
            continue
        rows = [(number, fed) for value, _, fed in proven.values(place) if (number := _number(value)) is not None]
        if not rows:
            continue
        fed_rows = [(number, fed) for number, fed in rows if fed is not None]
        for unit, sign in (("dBm", 1), ("-dBm", -1)):
            same = bool(fed_rows) and all(abs(sign * number - fed.rssi_dbm) <= 1.0 for number, fed in fed_rows)
            varied = len({number for number, _ in fed_rows}) > 1
            named = _LEVEL_NAME.search(leaf.name) and all(-140 <= sign * number <= -1 for number, _ in rows)
            if _NETWORK.search(place) and not (same and varied):
                if named and unit == "dBm":
                    notes.append(f"{place} is taken for the network's level, not the meter's")
                continue
            score = 4.0 * (same and varied) + (1.0 + ("rssi" in leaf.name.lower()) if named else 0.0)
            if score > 0 and (best is None or score > best[0]):
                best = (score, place, unit)
    if best is None:
        return {}
    if best[0] < 4.0:
        notes.append(f"that {best[1]} is the level in {best[2]} is told by its name alone")
    return {"rssi": best[1]} | ({} if best[2] == "dBm" else {"rssi_unit": best[2]})


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(str(value).strip())
    except ValueError:
        return None
    return number if abs(number) < 1e18 else None


def time_of(proven: Proven, telegram: str, notes: list[str]) -> dict[str, Any]:
    """`time`, `time_format`, `time_zone`, `time_of`."""
    best: tuple[float, str, str, float] | None = None
    for place, leaf in proven.places().items():
        if not place or not _fits(place, telegram):
            continue
        rows = proven.values(place)
        for form in _forms(leaf.value):
            stamps = [(_stamp(value, form), at, fed) for value, at, fed in rows]
            good = [(one, at, fed) for one, at, fed in stamps if one is not None]
            named = bool(_TIME_NAME.search(leaf.name))
            if len(good) < len(stamps) or not good or not (named or isinstance(leaf.value, str)):
                continue
            away_s = sorted((one - (fed.at if fed is not None else at)).total_seconds() for one, at, fed in good)
            middle_s = away_s[len(away_s) // 2]
            near = abs(middle_s - _whole_quarters_s(middle_s)) < 60 and abs(middle_s) < 15 * 3600
            score = 1.0 + 2.0 * named + 2.0 * near + 0.5 * ("time" in leaf.name.lower())
            if best is None or score > best[0]:
                best = (score, place, form, middle_s)
    if best is None:
        return {}
    _, place, form, middle_s = best
    leaf = proven.places()[place]
    out: dict[str, Any] = {"time": place} | ({} if form == ANY else {"time_format": form})
    if form == ANY and isinstance(leaf.value, str) and not re.search(r"(Z|[+-]\d\d:?\d\d)$", leaf.value.strip()):
        ahead_s = _whole_quarters_s(middle_s)
        if abs(middle_s - ahead_s) < 60 and 0 < abs(ahead_s) <= 14 * 3600:
            sign, minutes = ("+" if ahead_s > 0 else "-"), abs(ahead_s) // 60
            out["time_zone"] = f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
        elif abs(middle_s) >= 60:
            notes.append(f"{place} names no zone and is {abs(middle_s):.0f} s away from when it came; UTC is a guess")
    out["time_of"] = "publish" if _PUBLISH_NAME.search(leaf.name) else "reception"
    notes.append(f"that {place} is the time of the {out['time_of']} is a guess by its name")
    return out


def _whole_quarters_s(seconds_s: float) -> int:
    return round(seconds_s / _QUARTER_S) * _QUARTER_S


def _forms(value: object) -> tuple[str, ...]:
    number = _number(value)
    if number is not None and not isinstance(value, str):
        size = abs(number)
        known = ((1e9, 5e9, "unix s"), (1e12, 5e12, "unix ms"), (1e15, 5e15, "unix us"))
        return tuple(form for low, high, form in known if low <= size < high)
    if isinstance(value, str) and re.match(r"\s*\d{4}-\d\d-\d\d[T ]\d\d:\d\d", value):
        return (ANY,)
    if isinstance(value, str) and re.match(r"\s*\d\d?\.\d\d?\.\d{4} \d\d:\d\d:\d\d", value):
        return ("%d.%m.%Y %H:%M:%S",)
    if isinstance(value, str) and (number is not None):
        return _forms(number)
    return ()


def _stamp(value: object, form: str) -> datetime | None:
    try:
        one = parsed(value, form, UTC)
    except BadStamp:
        return None
    return one if _YEARS[0] - timedelta(days=366 * 31) <= one <= _YEARS[1] else None


def meter_of(messages: Sequence[tuple[str, bytes]]) -> MeterPlace | None:
    """Where eight digits stand in every message: a member named id before others, then a level of the topic."""
    found: dict[str, list[str]] = {}
    rank: dict[str, int] = {}
    for topic, data in messages:
        for leaf in leaves(topic, data):
            if isinstance(leaf.value, str) and _ID.fullmatch(leaf.value):
                found.setdefault(leaf.place, []).append(leaf.value)
                rank[leaf.place] = 0 if leaf.name.lower() in ("id", "meter_id", "serial") else 1
        for at, level in enumerate(topic.split("/")):
            if _ID.fullmatch(level):
                found.setdefault(f"topic {at + 1}", []).append(level)
                rank[f"topic {at + 1}"] = 2
    whole = [place for place, ids in found.items() if len(ids) >= len(messages)]
    if not whole:
        return None
    place = min(whole, key=lambda one: rank[one])
    return MeterPlace(place, set(found[place]))
