"""Verdicts as rows of a store: readings, refusals in words, sightings; and what alarms and the history are told of
them.

In the order in which the gateways say they heard the telegrams. Words are made for refused telegrams only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import repeat
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.core.events import TelegramRefused
from sim.portal import reasons
from sim.portal.alarm import Accepted
from sim.portal.check import NONE, Meter, Names, Sight
from sim.portal.intake import Intake, Rows, Taken
from sim.portal.messages import Receptions
from sim.portal.meter_registry import MeterEntry
from sim.portal.reading_columns import LATE, SAID, as_array
from sim.portal.store_port import Reading, Refusal, Sighting, rows_of
from sim.portal.verdicts import COPY, STORED, alarming, names

I64 = NDArray[np.int64]
_T = TypeVar("_T")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  a meter has no zone
_DAY_ONE: Final = date(1970, 1, 1)


class Written(NamedTuple):
    """`suspicious`: (meter, gateway, words) of refusals that say somebody replays or forges."""

    readings: list[Reading]
    refusals: list[Refusal]
    sightings: list[Sighting]
    accepted: Accepted
    suspicious: list[tuple[str, str, str]]
    events: list[TelegramRefused]


def written(
    intake: Intake, entries: Sequence[MeterEntry], heard: Receptions, marks: Sequence[str], taken: Taken
) -> Written:
    """`entries`: the meters by row; `marks`: the fingerprint of each reception."""
    readings, accepted = _readings(intake, entries, heard, marks, taken)
    refusals, suspicious = _refusals(intake, entries, heard, marks, taken)
    events = list(map(told, refusals))
    sightings = _sightings(entries, heard, taken, refusals)
    return Written(readings, refusals, sightings, accepted, suspicious, events)


def told(row: Refusal) -> TelegramRefused:
    """A refusal as the history is told of it."""
    return TelegramRefused(row.stored_ns, row.meter, row.gateway, row.reason, row.fingerprint)


def _readings(
    intake: Intake, entries: Sequence[MeterEntry], heard: Receptions, marks: Sequence[str], taken: Taken
) -> tuple[list[Reading], Accepted]:
    rows, security = taken.readings, intake.opening.securities
    order = _in_time(rows)
    at = rows.reception[order].tolist()
    meters = [entries[row].name for row in taken.row[rows.reception[order]].tolist()]
    columns: dict[str, Iterable[Any]] = {
        "meter": meters, "gateway": _at(heard.gateways, at), "received_ns": _at(heard.received_ns, at),
        "stored_ns": repeat(taken.stored_ns), "fingerprint": _at(marks, at), "rssi_dbm": _at(heard.rssi_dbm, at),
    }  # fmt: skip
    columns |= {name: _said(rows, name, order, security) for name in SAID if name not in columns}
    out = rows_of(Reading, zip(*(columns[name] for name in Reading._fields), strict=False))

    def complaint(place: int) -> str:
        words = intake.opening.again(heard.telegrams[at[place]]).tampering
        assert words is not None, "what is read in bulk and one at a time complains of the same"
        return words

    tampered = np.flatnonzero(rows.tamper[order]).tolist()
    numbers = rows.received_ns[order], rows.set_day[order], rows.set_date_units[order], rows.volume_m3[order]
    return out, Accepted(meters, tampered, complaint, *numbers)


def _refusals(
    intake: Intake, entries: Sequence[MeterEntry], heard: Receptions, marks: Sequence[str], taken: Taken
) -> tuple[list[Refusal], list[tuple[str, str, str]]]:
    rows = taken.refusals
    out: list[Refusal] = []
    suspicious: list[tuple[str, str, str]] = []
    for place in _in_time(rows).tolist():
        one, row = int(rows.reception[place]), int(taken.row[rows.reception[place]])
        reason, raw = names()[int(rows.reason[place])], heard.telegrams[one]
        if reason in reasons.OF_OPENING:
            opened = intake.opening.again(raw)
            meter, subject, detail = opened.meter, opened.subject, opened.detail
        else:
            meter = subject = entries[row].name
            sight = Sight(
                int(rows.gateway[place]), int(taken.received_ns[one]), taken.stored_ns,
                int(rows.acc[place]), int(rows.counter[place]), int(taken.shown_ns[one]), False,
            )  # fmt: skip
            detail = _detail(intake, entries[row], row, sight, heard.gateways[one], taken.before[place])
        late: tuple[Any, ...] = ()
        if reason == reasons.LATE:
            one_row, security = np.array([place]), intake.opening.securities
            late = tuple(value for name in LATE for value in _said(rows, name, one_row, security))
        out.append(
            Refusal(
                meter, heard.gateways[one], heard.received_ns[one], taken.stored_ns, reason, detail, marks[one], raw,
                heard.rssi_dbm[one], *late,
            )
        )  # fmt: skip
        if alarming(reason):
            suspicious.append((subject, heard.gateways[one], f"{reason}: {detail}"))
    return out, suspicious


def _detail(intake: Intake, entry: MeterEntry, row: int, sight: Sight, gateway: str, before: I64) -> str:
    table = intake.table
    meter = Meter(row, int(table.interval_ns[row]), int(table.silent_ns[row]), int(table.sends_time[row]))
    return intake.freshness.detail(before, sight, meter, Names(gateway, tuple(sorted(entry.gateways))))


def _sightings(
    entries: Sequence[MeterEntry], heard: Receptions, taken: Taken, refusals: Sequence[Refusal]
) -> list[Sighting]:
    """One a meter and gateway, with the last reception of the take."""
    batch, known = heard.batch, np.flatnonzero(taken.row >= 0)
    known = known[np.argsort(batch.received_ns[known], kind="stable")]
    gateways = int(batch.gateway.max(initial=0)) + 1
    key, place = np.unique(taken.row[known] * gateways + batch.gateway[known], return_inverse=True)
    what = np.where(taken.verdict[known] == STORED, 0, np.where(taken.verdict[known] == COPY, 1, 2))
    counts = np.bincount(place.reshape(-1) * 3 + what, minlength=3 * len(key)).reshape(-1, 3)
    last = np.zeros(len(key), dtype=np.int64)
    last[place.reshape(-1)] = known  # of several the last stands
    meters = [entries[row].name for row in (key // gateways).tolist()]
    at = last.tolist()
    columns = (
        meters, _at(heard.gateways, at), *counts.T.tolist(), _at(heard.received_ns, at), repeat(taken.stored_ns),
        _at(heard.rssi_dbm, at),
    )  # fmt: skip
    out = rows_of(Sighting, zip(*columns, strict=False))
    strangers: dict[tuple[str, str], Sighting] = {}
    registered = {entries[row].name for row in np.unique(taken.row[known]).tolist()} if len(known) else set()
    for row in refusals:
        if row.meter not in registered:
            before = strangers.get((row.meter, row.gateway))
            strangers[row.meter, row.gateway] = Sighting(
                row.meter, row.gateway, 0, 0, 1 + (before.refused if before else 0), row.received_ns, row.stored_ns,
                row.rssi_dbm,
            )  # fmt: skip
    return out + list(strangers.values())


def _at(values: Sequence[_T], places: Sequence[int]) -> list[_T]:
    return [values[place] for place in places]


def _in_time(rows: Rows) -> I64:
    order: I64 = np.lexsort((rows.reception, rows.received_ns))
    return order


def _said(rows: Rows, column: str, order: I64, security: Sequence[str]) -> Iterable[Any]:
    """A column of what meters say, as it is stored."""
    values = getattr(rows, as_array(column))[order]
    if column in _AS_TEXT:
        return map(_AS_TEXT[column], values.tolist())
    if column == "security":
        return _at(security, values.tolist())
    return _real(values) if values.dtype == np.float64 else _some(values)


def _some(values: I64) -> list[int | None]:
    told: list[int | None] = values.tolist()
    return told if (values != NONE).all() else [None if value == NONE else value for value in told]


def _real(values: NDArray[np.float64]) -> list[float | None]:
    if np.isnan(values).all():
        return [None] * len(values)
    return [None if math.isnan(value) else value for value in values.tolist()]


@lru_cache(maxsize=4_096)
def _time(minute: int) -> str | None:
    return None if minute == NONE else (_EPOCH + timedelta(minutes=minute)).isoformat(timespec="minutes")


@lru_cache(maxsize=4_096)
def _day(day: int) -> str | None:
    return None if day == NONE else (_DAY_ONE + timedelta(days=day)).isoformat()


_AS_TEXT: Final = {"meter_time": _time, "set_date": _day}
