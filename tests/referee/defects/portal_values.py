"""The portal stores other values: one defect a column, in each reading that has a value there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from sim.core.clock import NS_PER_HOUR
from sim.portal.store_port import Reading, Refusal
from tests.referee.defect import VALUES, Defect, Patch, add, defect
from tests.referee.defects import plays

ADD_READINGS = "sim.portal.store._sql:SqlStore.add_readings"
ADD_REFUSALS = "sim.portal.store._sql:SqlStore.add_refusals"


def _changed(column: str, other: Callable[[Any], Any]) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        def one(row: Reading) -> Reading:
            value = getattr(row, column)
            return row if value is None else row._replace(**{column: other(value)})

        patch.around(ADD_READINGS, lambda original, store, rows: original(store, [one(row) for row in rows]))

    return apply


_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "units": lambda units: units + 1,
    "set_date_units": lambda units: units + 1,
    "set_date": lambda day: (date.fromisoformat(day) + timedelta(days=1)).isoformat(),
    "meter_time": lambda time: (datetime.fromisoformat(time) + timedelta(minutes=1)).isoformat(timespec="minutes"),
    "acc": lambda acc: (acc + 1) % 256,
    "counter": lambda counter: counter + 1,
    "status": lambda status: status ^ 0x04,
    "tamper": lambda tamper: 1 - tamper,
    "security": lambda security: "none" if security != "none" else "mode5",
    "volume_m3": lambda volume: volume * 2,
    "energy_kwh": lambda energy: energy + 1.0,
}
for _column, _other in _COLUMNS.items():
    add(
        Defect(
            f"wrong-{_column.replace('_', '-')}", VALUES, f"Each reading has another {_column} than was sent.",
            "Stored values are the values sent.", plays.EVERY_TYPE, _changed(_column, _other),
        )
    )  # fmt: skip


@defect("wrong-late-units", VALUES, "Bills are made of what was sent.", plays.LATE_VALUES)
def _(patch: Patch) -> None:
    """A telegram that was refused as late is kept with one unit more at the set date."""

    def one(row: Refusal) -> Refusal:
        return row if row.set_date_units is None else row._replace(set_date_units=row.set_date_units + 1)

    patch.around(ADD_REFUSALS, lambda original, store, rows: original(store, [one(row) for row in rows]))


for _column, _other, _play in (
    ("rssi_dbm", lambda level: level + 3.0, plays.PUBLISHED),
    ("gateway", lambda gateway: "gw-9", plays.EVERY_TYPE),
    ("received_ns", lambda time_ns: time_ns - NS_PER_HOUR // 2, plays.EVERY_TYPE),
):
    add(
        Defect(
            f"wrong-{_column.replace('_', '-')}", VALUES, f"Each reading has another {_column} than the gateway said.",
            "Stored is what the gateway said of a reception.", _play, _changed(_column, _other),
        )
    )  # fmt: skip


@defect("swapped-meters", VALUES, "Each meter's readings are its own.", plays.EVERY_TYPE)
def _(patch: Patch) -> None:
    """Readings of two meters of one type are stored under each other's address."""
    pair: dict[str, str] = {}

    def instead(original: Any, store: Any, rows: Sequence[Reading]) -> None:
        if not pair:
            meters = sorted({row.meter for row in store.meters()})
            alike = next((a, b) for a, b in pairwise(meters) if a[:3] == b[:3] and a[-5:] == b[-5:])
            pair.update({alike[0]: alike[1], alike[1]: alike[0]})
        original(store, [row._replace(meter=pair.get(row.meter, row.meter)) for row in rows])

    patch.around(ADD_READINGS, instead)


@defect("wrong-while-attacked", VALUES, "Stored values are the values sent, attack or not.", plays.WRAP)
def _(patch: Patch) -> None:
    """From the first refusal on, the units of every reading are those of the one before."""
    attacked = False

    def refused(original: Any, store: Any, rows: Sequence[Any]) -> None:
        nonlocal attacked
        attacked |= bool(rows)
        original(store, rows)

    def stored(original: Any, store: Any, rows: Sequence[Reading]) -> None:
        last: dict[str, int | None] = {}
        out = []
        for row in rows:
            out.append(row._replace(units=last.get(row.meter, 0)) if attacked else row)
            last[row.meter] = row.units
        original(store, out)

    patch.around("sim.portal.store._sql:SqlStore.add_refusals", refused)
    patch.around(ADD_READINGS, stored)
