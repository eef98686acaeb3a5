"""From data records to a reading: which record is the consumption, which the set date, which the meter's own clock.

Only standard records count, and only their plain form (instantaneous, no tariff, no subunit, no correction that
changes the meaning). A number that no meter counts to is outside, and the telegram is refused: a row holds 64 bits.
Storage 0 is now. Storage 1 is the last set date where the telegram dates it: meters without a
date count month ends from there (RAM EURIS II), and a month end taken for the set date would be billed. A set date is
the last day that counts: where a meter says the first of a month, it names the day after (Sontex 868, Zenner Caltos E),
so that all bills of one year stand under one date. Where a payload answers one question twice, the last answer stands;
refusing that is the strict parser's task (L15).

Tampering is what the meter itself says: bit 3 of its error flags (02FD17, VIPA), an error date (326C other than
FFFF, Qundis), or a permanent error in its status byte, which in mode 5 anybody on the radio can clear (L17).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from wmbus.dif import Chain
from wmbus.records import Record
from wmbus.transport import STS_PERMANENT_ERROR
from wmbus.values import Value

TAMPER_FLAG = 0x08  # of the error flags
MOST_UNITS: Final = 1 << 48
"""What six bytes hold, the longest integer that `record_templates` reads in bulk."""
MOST_REAL: Final = 1e16
"""Of m3 and of kWh: what the digits of a double tell apart."""


class Values:
    """What one telegram says. `meter_time` naive, as the meter shows it, to the minute."""

    __slots__ = (
        "energy_kwh", "error_date", "errors", "meter_time", "outside", "set_date", "set_date_units", "twice", "units",
        "volume_m3",
    )  # fmt: skip

    def __init__(self) -> None:
        self.units: int | None = None
        self.set_date_units: int | None = None
        self.set_date: date | None = None
        self.meter_time: datetime | None = None
        self.errors = 0
        self.error_date: date | None = None
        self.volume_m3: float | None = None
        self.energy_kwh: float | None = None
        self.outside: str | None = None  # which number is beyond its range
        self.twice: str | None = None  # what two records told, be it in another coding

    @property
    def tells_consumption(self) -> bool:
        return self.units is not None or self.volume_m3 is not None or self.energy_kwh is not None


def _within(values: Values, value: Value, most: float) -> int | float | None:
    """A number in its range; None where it is none. What is no number at all (NaN) is not told."""
    if not isinstance(value, (int, float)) or value != value:
        return None
    if abs(value) > most:
        values.outside = f"{value:.6g} is more than a meter counts"
        return None
    return value


def last_counted(set_date: date) -> date:
    """The day whose last instant a set date stands for."""
    return set_date - timedelta(days=1) if set_date.day == 1 else set_date


def _whole(values: Values, value: Value, _divisor: int) -> int | None:
    told = _within(values, value, MOST_UNITS)
    return None if told is None else int(told)


def _real(values: Values, value: Value, divisor: int) -> float | None:
    told = _within(values, value, MOST_REAL * divisor)
    return None if told is None else told / divisor


def _date(_values: Values, value: Value, _divisor: int) -> date | None:
    return value if isinstance(value, date) else None


def _set_date(_values: Values, value: Value, _divisor: int) -> date | None:
    return last_counted(value) if isinstance(value, date) else None


def _time(_values: Values, value: Value, _divisor: int) -> datetime | None:
    # To the minute, as most meters show it: `ts` and `age` allow for a minute, and rows hold minutes.
    return value.replace(second=0) if isinstance(value, datetime) else None


def _flags(_values: Values, value: Value, _divisor: int) -> int:
    return value if isinstance(value, int) else 0


class Meaning(NamedTuple):
    """What a record tells: a column of `Values`, how a record's value is read for it, and by what it is divided."""

    column: str
    read: Callable[[Values, Value, int], int | float | date | datetime | None]
    divisor: int = 1


_MEANINGS: Final = {  # (quantity, unit, function, storage)
    ("heat cost allocation", "HCA", "instantaneous", 0): Meaning("units", _whole),
    ("heat cost allocation", "HCA", "instantaneous", 1): Meaning("set_date_units", _whole),
    ("date", "", "instantaneous", 1): Meaning("set_date", _set_date),
    ("date", "", "error", 0): Meaning("error_date", _date),
    ("date and time", "", "instantaneous", 0): Meaning("meter_time", _time),
    ("error flags", "", "instantaneous", 0): Meaning("errors", _flags),
    ("volume", "m3", "instantaneous", 0): Meaning("volume_m3", _real),
    ("energy", "Wh", "instantaneous", 0): Meaning("energy_kwh", _real, 1_000),
    ("energy", "J", "instantaneous", 0): Meaning("energy_kwh", _real, 3_600_000),
}


@lru_cache(maxsize=4096)
def meaning(chain: Chain) -> Meaning | None:
    """What a record with this chain tells, None where it tells nothing that this portal reads. Set date units hold only
    beside a set date."""
    if chain.tariff or chain.subunit or chain.modifiers:
        return None
    return _MEANINGS.get((chain.quantity, chain.unit, chain.function, chain.storage))


def interpret(records: Iterable[Record]) -> Values:
    """The standard records of one telegram."""
    values = Values()
    told: set[str] = set()
    for record in records:
        what = meaning(record.chain)
        if what is not None:
            setattr(values, what.column, what.read(values, record.value, what.divisor))
            if what.column in told:
                values.twice = what.column
            told.add(what.column)
    if "set_date" not in told:
        values.set_date_units = None
    return values


def tampering(values: Values, status: int) -> str | None:
    """What the meter complains of, None when of nothing."""
    if values.errors & TAMPER_FLAG:
        return f"error flags {values.errors:04X}"
    if values.error_date is not None:
        return f"error since {values.error_date}"
    if status & STS_PERMANENT_ERROR:
        return f"status {status:02X}, permanent error"
    return None
