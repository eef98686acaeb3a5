"""From messages of a gateway whose format no page tells: how to read it, as an entry for the inventory.

Every description that could fit is tried by the reader itself, on the messages; the one that gives the most telegrams
wins. What proves a telegram, the strongest first: it was fed meanwhile; its CRCs fit; L, C field and headers can be
read. Where no telegram is found, values are proposed. What remains a guess is said in a comment.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sim.desk import toml_text
from sim.desk.guesses import Fed, Leaf, Proven, leaves, level_of, meter_of, time_of
from sim.desk.inventory import GatewayEntry
from sim.endpoint.topic_acl import matches
from sim.lines.recognise import of_line
from sim.readers.kinds.mqtt import MqttSpec
from sim.readers.message_content import Content, ContentSpec, unpacked
from sim.readers.port import Delivered
from sim.readers.undo import CannotUndo
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.recover import PLAUSIBLE_C

Read = dict[str, Any]
"""Keys of one [[gateway.read]]."""
_TRIED: Final = 40  # messages of a group on which descriptions are tried
_COUNTED: Final = 2_000  # on which the best is
_TOPICS_LISTED: Final = 20
_TELEGRAM_LEAST: Final = 11
_HEX: Final = re.compile(rb"\s*(?:[0-9A-Fa-f]{2}[\s|_]?){11,}")
_AFTER: Final[tuple[tuple[str, ...], ...]] = (
    (), ("CRCs kept",), ("L-2",), ("3-of-6", "CRCs kept"), ("wired",), ("wired", "prepended records", "in an LVAR"),
    ("wired from C on",), ("from C on",),
)  # fmt: skip
"""What may follow the encoding, in the order in which it is believed where it gives as much."""
_OVER_LORAWAN: Final = (("IMST segments",), ("Lobaro parts",))
_PROVEN_BY_CRC: Final = frozenset({"CRCs kept", "L-2", "wired"})
_WEAK: Final = frozenset({"from C on", "wired from C on"})
_FORMATS_AS_PLACES: Final = frozenset({"hex", "json", "plain"})
"""Line formats that are described by places instead, or that fit too much."""
_LISTED_FIRST: Final = ("kind", "topic")


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that came. `at`: when, with a zone."""

    topic: str
    payload: bytes
    at: datetime
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """`reads`: one table for each kind of message. `telegrams`, `fed_found`: read by it on the record, and of those the
    ones that were fed. `notes`: what is a guess, and what was not
    understood; words of the messages stand in them as they came."""

    reads: tuple[Read, ...]
    telegrams: int
    fed_found: int
    decoded: bool
    notes: tuple[str, ...]

    def toml(self, entry: GatewayEntry) -> str:
        """`entry` as an inventory takes it, with these reads instead of its own."""
        out = "".join(toml_text.comment(note) for note in self.notes)
        topics = tuple(sorted({topic for read in self.reads for topic in read["topic"]}))
        keys = toml_text.settings(dataclasses.replace(entry, listen=dataclasses.replace(entry.listen, topics=topics)))
        for key in ("read", "claims"):
            keys.pop(key, None)
        out += "[[gateway]]\n" + "".join(f"{key} = {toml_text.value(what)}\n" for key, what in keys.items())
        for read in self.reads:
            order = [*_LISTED_FIRST, *(key for key in read if key not in _LISTED_FIRST)]
            out += "\n[[gateway.read]]\n" + "".join(f"{key} = {toml_text.value(read[key])}\n" for key in order)
        claims: Read = {"forwards": "decoded" if self.decoded else "encrypted"}
        if any("rssi" in read for read in self.reads):
            claims["rssi"] = True
        stamped = [read["time_of"] for read in self.reads if "time_of" in read]
        if stamped:
            claims["stamp_of"] = stamped[0]
        out += "\n[gateway.claims]\n" + "".join(f"{key} = {toml_text.value(claims[key])}\n" for key in claims)
        return out


def propose(heard: Sequence[Heard], fed: Sequence[Fed] = ()) -> Proposal | None:
    """None: nothing in it looks like telegrams or values."""
    frames = {one.frame: one for one in fed}
    found = [one for group in _groups(heard) if (one := _best(group, frames)) is not None]
    found.sort(key=lambda one: one.score, reverse=True)
    notes: list[str] = []
    kept: list[_Tried] = []
    for one in found:
        same = next((other for other in kept if one.frames <= other.frames), None)
        if same is None:
            kept.append(one)
        else:
            notes.append(f"the same telegrams also come by {one.group[0].topic}; left out, or each would count twice")
    decoded = not kept
    reads = [_completed(one, frames, notes) for one in kept] if kept else _decoded(heard, notes)
    if not reads:
        return None
    explained = [topic for read in reads for topic in read["topic"]]
    others = sorted({one.topic for one in heard if not any(matches(topic, one.topic) for topic in explained)})
    if others:
        notes.append(f"not understood, and not read: {len(others)} topics, the first {others[0][:80]}")
    telegrams = sum(one.telegrams for one in kept)
    fed_found = len({frame for one in kept for frame in one.frames} & set(frames))
    return Proposal(tuple(reads), telegrams, fed_found, decoded, tuple(notes))


# --- telegrams --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tried:
    read: Read
    group: list[Heard]
    score: float
    frames: set[bytes]
    telegrams: int = 0


def _groups(heard: Sequence[Heard]) -> list[list[Heard]]:
    """Messages that may be described alike: as many levels of topic, and a payload of one kind."""
    groups: defaultdict[tuple[int, str, str], list[Heard]] = defaultdict(list)
    for one in heard:
        groups[one.topic.count("/"), one.topic.partition("/")[0], _kind(one.payload)].append(one)
    return list(groups.values())


def _kind(payload: bytes) -> str:
    try:
        data = unpacked(payload)
    except CannotUndo:
        return "broken"
    packed = "packed " if data is not payload else ""
    if data.lstrip()[:1] in (b"{", b"["):
        return packed + "json"
    if _HEX.fullmatch(data):
        return packed + "hex"
    return packed + ("text" if _is_text(data) else "bytes")


def _best(group: list[Heard], fed: Mapping[bytes, Fed]) -> _Tried | None:
    some = group[:_TRIED]
    best: _Tried | None = None
    for read in _descriptions(some):
        tried = _try(read, some, fed)
        if tried.score > 0 and (best is None or tried.score > best.score):
            best = tried
    if best is None:
        return None
    whole = _try(best.read, group[:_COUNTED], fed)
    return whole if whole.score > 0 else best


def _try(read: Read, group: list[Heard], fed: Mapping[bytes, Fed]) -> _Tried:
    content = Content(_spec(read))
    tried = _Tried(read, [], 0.0, set())
    steps = set(read.get("transform", ()))
    for one in group:
        gave = False
        for row in content.rows(one.topic, one.payload, 0):
            worth = _worth(row, steps, fed)
            tried.score += worth
            if worth > 0 and row.frame is not None:
                tried.frames.add(row.frame)
                tried.telegrams += 1
                gave = True
        if gave:
            tried.group.append(one)
    return tried


def _worth(row: Delivered, steps: set[str], fed: Mapping[bytes, Fed]) -> float:
    """How much one row speaks for a description."""
    if row.frame is None:
        return -0.01
    if row.frame in fed:
        return 8.0
    if row.frame[1] not in PLAUSIBLE_C:
        return 0.0
    try:
        parse(row.frame, headers_only=True)
    except BadTelegram:
        return 0.0
    if "in an LVAR" in steps:
        return 5.0
    return 4.0 if steps & _PROVEN_BY_CRC else 1.0 if steps & _WEAK else 3.0


def _spec(read: Read) -> ContentSpec:
    keys: Read = {name: tuple(part) if isinstance(part, list) else part for name, part in read.items()}
    return MqttSpec(**{**keys, "topic": ("#",)})


def _descriptions(group: list[Heard]) -> Iterator[Read]:
    """What could describe these messages, the plainer first."""
    seen: set[str] = set()
    for one in group[:8]:
        for read in _of_message(one):
            if (text := repr(read)) not in seen:
                seen.add(text)
                yield read


def _of_message(one: Heard) -> Iterator[Read]:
    try:
        data = unpacked(one.payload)
    except CannotUndo:
        return
    base: Read = {"kind": "mqtt"} | ({"zlib": True} if data is not one.payload else {})
    found = leaves(one.topic, data)
    places = [leaf for leaf in found if isinstance(leaf.value, str | bytes)]
    lorawan = _lorawan(found)
    for leaf in places:
        value = leaf.value if isinstance(leaf.value, bytes) else str(leaf.value).encode("utf-8", "replace")
        for encoding in _encodings(value):
            after = [*_AFTER, *(_OVER_LORAWAN if lorawan else ())]
            for steps in after:
                read = base | ({"telegram": leaf.place} if leaf.place else {})
                read |= {"transform": [*encoding, *steps], **leaf.keys}
                yield read | (lorawan if steps in _OVER_LORAWAN else {})
    for format_ in {codec.id for line in data.splitlines()[:8] if (codec := of_line(line)) is not None}:
        if format_ not in _FORMATS_AS_PLACES:
            model = next((leaf for leaf in found if leaf.place == "$.model"), None)
            yield base | ({"only": {"$.model": str(model.value)}} if model else {}) | {"format": format_}


def _encodings(value: bytes) -> list[tuple[str, ...]]:
    text = value.strip()
    out: list[tuple[str, ...]] = []
    if _HEX.fullmatch(text):
        out.append(("hex",))
    if len(text) >= _TELEGRAM_LEAST and len(text) % 4 == 0 and re.fullmatch(rb"[A-Za-z0-9+/]+={0,2}", text):
        out.append(("base64",))
    if not out and len(value) >= _TELEGRAM_LEAST and not _is_text(value):
        out.append(())
    return out


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\r\n\t" for letter in text)


def _lorawan(found: Iterable[Leaf]) -> Read:
    """Where port and counter stand, by the names that network servers give them."""
    out: Read = {}
    for leaf in found:
        name = re.sub(r"[^a-z]", "", leaf.name.lower())
        if name == "fport" and "port" not in out:
            out["port"] = leaf.place
        if name in ("fcnt", "fcntup") and "counter" not in out:
            out["counter"] = leaf.place
    return out if "port" in out else {}


def _completed(one: _Tried, fed: Mapping[bytes, Fed], notes: list[str]) -> Read:
    """With topics, time and level."""
    read = dict(one.read)
    proven = Proven.of(Content(_spec(read)), [(m.topic, m.payload, m.at) for m in one.group[:_COUNTED]], fed)
    read["topic"] = _topics(one, proven)
    weak = set(read.get("transform", ())) & _WEAK
    if weak and not one.frames & set(fed):
        notes.append(f"that {' and '.join(weak)} fits rests on headers that can be read, not on a checksum")
    if "format" not in read:
        read |= level_of(proven, str(read.get("telegram", "")), notes)
        read |= time_of(proven, str(read.get("telegram", "")), notes)
    if read.get("transform") == ["hex"]:
        del read["transform"]
    return read


def _topics(one: _Tried, proven: Proven) -> list[str]:
    return _pattern(sorted({message.topic for message in one.group}), proven.ids)


def _pattern(topics: list[str], ids: set[str]) -> list[str]:
    """One pattern: + where levels differ, or are a meter's."""
    rows = [topic.split("/") for topic in topics]
    levels = [
        level if all(row[at] == level for row in rows) and level not in ids else "+" for at, level in enumerate(rows[0])
    ]
    levels = ["+" if "+" in level or "#" in level else level for level in levels]
    return ["/".join(levels)]


# --- values -----------------------------------------------------------------------------------------------------------


def _decoded(heard: Sequence[Heard], notes: list[str]) -> list[Read]:
    """Objects that name a meter, or a value a topic."""
    reads: list[Read] = []
    for group in _groups(heard):
        topics = sorted({one.topic for one in group})
        kind = _kind(group[0].payload)
        if kind.endswith("json"):
            where = meter_of([(one.topic, unpacked(one.payload)) for one in group[:_TRIED]])
            if where is None:
                continue
            proven = Proven.plain([(one.topic, unpacked(one.payload), one.at) for one in group[:_TRIED]])
            read: Read = {"kind": "mqtt", "topic": _pattern(topics, proven.ids | where.ids)}
            read |= {"zlib": True} if kind.startswith("packed") else {}
            read |= {"values": "$", "meter": where.place}
            if any(leaf.place == "$._" and leaf.value == "telegram" for leaf in proven.leaves[0]):
                read["names"] = "wmbusmeters"
            read |= level_of(proven, "", notes) | time_of(proven, "", notes)
            reads.append(read)
        elif kind == "text" and (numbers := [one for one in group if _is_number(one.payload)]):
            named = sorted({one.topic for one in numbers})
            at = _level_that_names(named)
            reads.append({"kind": "mqtt", "topic": named[:_TOPICS_LISTED], "value_name": f"topic {at}"})
            if len(named) > _TOPICS_LISTED:
                notes.append(
                    f"{len(named)} topics have values; {_TOPICS_LISTED} are listed, name the rest as a pattern"
                )
    if reads:
        notes.append("no telegrams were found; these are values, and what their names mean stands in names or means")
    return reads


def _is_number(payload: bytes) -> bool:
    return re.fullmatch(rb"\s*[-+]?\d+(\.\d+)?\s*", payload) is not None


def _level_that_names(topics: list[str]) -> int:
    """The last level that differs; the last where none does."""
    rows = [topic.split("/") for topic in topics]
    differ = [at for at in range(len(rows[0])) if len({row[at] for row in rows}) > 1]
    return (differ[-1] if differ else len(rows[0]) - 1) + 1


__all__ = ["Fed", "Heard", "Proposal", "propose"]
