"""What it decodes stands under the names that its entry knows, with the values that meters sent: an upgrade that
renames a field is seen here, and not at the first bill."""

from __future__ import annotations

from typing import Any, Final

from bench.desk.rows.port import Failed, Row, Undecided, decodes
from bench.desk.stand import Stand
from bench.desk.traffic import Telegram
from bench.frame.sample import samples
from sim.core.clock import wall_s
from sim.core.meant import did_you_mean
from sim.core.quoting import quoted
from sim.desk.inventory import GatewayEntry
from sim.meters.meter_type import kind, kinds
from sim.readers.message_content import ContentSpec
from sim.readers.value_names import TABLES, compared

_EACH: Final = 2
_SEED: Final = 9
_TURN_S: Final = 0.02


def _needs(entry: GatewayEntry) -> str:
    return decodes(entry) or ("" if entry.described else "no names of its values are told (read.names, read.means)")


def _play(stand: Stand) -> str:
    spec = stand.entry.described
    assert spec is not None
    stand.hello()
    types = tuple(TABLES.get(spec.names, {})) or _of_means(spec)
    agreed, silent = 0, []
    for type_ in types:
        told = 0
        for sample in samples(kind(type_), "none", _EACH, _SEED):
            stand.feed(Telegram(bytes.fromhex(sample["telegram"]), str(sample["id"]), None))
            if (told_of := _told(stand, str(sample["id"]))) is None:
                continue
            told += 1
            agreed += _judged(type_, told_of, sample["values"], spec)
        if not told:
            silent.append(type_)
    if not agreed:
        raise Undecided(f"no values came of meters of {len(types)} types; see read in the inventory")
    unread = f"; no values of {', '.join(silent)}" if silent else ""
    return f"{agreed} values of {len(types) - len(silent)} meter types stand under the names that are known{unread}"


def _of_means(spec: ContentSpec) -> tuple[str, ...]:
    """The meter types that send a value which `means` names. Raises Undecided for one that none sends."""
    sent = {
        type_: {one["name"] for sample in samples(of, "none", 1, _SEED) for one in sample["values"]}
        for type_, of in kinds().items()
    }
    wanted = {meaning.partition(" ")[0] for meaning in spec.means.values()}
    for label in wanted:
        if not any(label in labels for labels in sent.values()):
            every = sorted(set().union(*sent.values()))
            raise Undecided(f"read.means: no meter sends a {quoted(label)}{did_you_mean(label, every)}")
    return tuple(type_ for type_, labels in sent.items() if wanted & labels)


def _told(stand: Stand, meter: str) -> dict[str, object] | None:
    """The values of this meter, when they come; None when they do not in time."""
    end_s = wall_s() + stand.depth.patience_s + stand.claims.gathers_s
    while wall_s() < end_s:
        stand.turn(_TURN_S)
        for row in stand.values:
            if row.meter == meter and row.values:
                return dict(row.values)
    return None


def _judged(type_: str, told: dict[str, object], true: list[dict[str, Any]], spec: ContentSpec) -> int:
    """How many values agree. Raises Failed."""
    found = compared(told, true, type_, spec.names, spec.means)
    if found.differ:
        raise Failed(f"of a {type_}, {found.differ[0]}")
    if found.absent:
        known = ", ".join(ascii(name)[1:-1][:40] for name in sorted(told)[:12])
        raise Failed(f"of a {type_}, {', '.join(found.absent)} never came; it says {known}")
    if found.invented:
        raise Failed(f"of a {type_}, {', '.join(found.invented)} came, and the meter has none")
    return len(found.agree)


ROW = Row("field-names", "Values stand under the names that are known", _play, _needs, faults=(34,))
