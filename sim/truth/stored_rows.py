"""Rows of the portal's table of readings, as the columns that are held against the truth.

A table holds what was written into it, whatever the product wrote: what is no number where one belongs, or no date,
becomes NONSENSE, which equals nothing that a meter says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.core.vocabulary import SECURITIES
from sim.portal.check import NONE
from sim.portal.reading_columns import LATE, OF_READING, SAID
from sim.portal.store import Reading, Refusal
from sim.portal.stored_columns import StoredColumns

I64 = NDArray[np.int64]
NONSENSE: Final = NONE + 1
KEPT_LATE: Final = ("meter", *LATE)
"""Columns of a late telegram's row."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a meter's clock has no zone
_MODES: Final[dict[str, int]] = {name: place for place, name in enumerate(SECURITIES)}


def columns_of(rows: Sequence[Reading], numbers: Mapping[str, int]) -> StoredColumns:
    """`numbers`: a meter's whole address as text -> as a number; an address that is not there becomes 0."""
    columns = zip(*rows, strict=True) if rows else [()] * len(Reading._fields)
    column = dict(zip(Reading._fields, columns, strict=True))
    whole = {name: _whole(column[name]) for name in SAID if OF_READING[name][0] is int}
    return StoredColumns(
        meter=np.array([numbers.get(name, 0) for name in column["meter"]], dtype=np.uint64),
        minute=_each(column["meter_time"], _minute), set_day=_each(column["set_date"], _day),
        security=_each(column["security"], lambda text: _MODES.get(text, NONSENSE)),
        volume_m3=_real(column["volume_m3"]), energy_kwh=_real(column["energy_kwh"]), **whole,
    )  # fmt: skip


def reading_of(late: Refusal) -> Reading:
    """What is kept of a late telegram, as a reading that says no more than KEPT_LATE."""
    return Reading(
        late.meter, late.gateway, late.received_ns, late.stored_ns, late.meter_time, late.units, late.set_date,
        late.set_date_units, None, None, late.security or "", late.fingerprint, late.rssi_dbm, 0, 0, None, None,
    )  # fmt: skip


def _each(values: Sequence[str | None], number_of: Callable[[str], int]) -> I64:
    """Few texts are many rows': each is read once."""
    known = {text: NONE if text is None else number_of(text) for text in set(values)}
    return np.array([known[text] for text in values], dtype=np.int64)


def _minute(text: str) -> int:
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except (TypeError, ValueError):
        return NONSENSE
    minutes, rest = divmod(since.days * 86_400 + since.seconds, 60)
    return NONSENSE if rest or since.microseconds else minutes


def _day(text: str) -> int:
    try:
        return (date.fromisoformat(text) - _EPOCH.date()).days
    except (TypeError, ValueError):
        return NONSENSE


def _whole(values: Sequence[int | None]) -> I64:
    return np.array(
        [NONE if value is None else value if isinstance(value, int) else NONSENSE for value in values], dtype=np.int64
    )


def _real(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array(
        [np.nan if value is None else value if isinstance(value, (int, float)) else np.inf for value in values],
        dtype=np.float64,
    )
