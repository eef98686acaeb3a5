"""What a bill is made of: a meter's units at the set date.

A heat cost allocator stores the value at its set date and repeats it in every telegram for a year, so a portal that
uses that record loses nothing when the air is silent over midnight. One that bills the last reading it happened to
get before the set date does: that is the weakness `billing = "last reading"`. One that takes the newest record, be it
of a telegram that was refused as late, bills what was refused: `billing = "newest record"`.
"""

from __future__ import annotations

from datetime import date, datetime

from sim.core.clock import Calendar
from sim.portal.store import Store


def units_at(store: Store, calendar: Calendar, meter: str, set_date: date, *, method: str) -> int | None:
    """Units of `meter` at the end of `set_date` by the spec's method; None when nothing shows it."""
    if method != "last reading":
        return store.set_date_units(meter, set_date.isoformat(), late_counts=method == "newest record")
    return store.last_units(meter, calendar.ns(datetime(set_date.year, set_date.month, set_date.day, 23, 59, 59)))  # noqa: DTZ001
