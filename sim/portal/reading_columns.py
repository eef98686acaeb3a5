"""The columns of stored rows. The row types (`store_port.Reading`, `Refusal`) are the table; here stands what follows
from them: what a column holds, which of them the meter says, how each is named among `StoredColumns`.
"""

from __future__ import annotations

import types
import typing
from typing import Any, Final

from sim.portal.store_port import Reading, Refusal

OURS: Final = frozenset({"gateway", "received_ns", "stored_ns", "fingerprint", "rssi_dbm"})
"""Of a reading, what gateway and portal say."""
_OF_THE_FRAME: Final = frozenset({"meter", "acc", "counter", "security", "status", "tamper"})
SAID: Final = tuple(name for name in Reading._fields if name not in OURS)
"""What the meter says; held against the truth."""
VALUES: Final = tuple(name for name in SAID if name not in _OF_THE_FRAME)
"""What its records say."""
LATE: Final = tuple(Refusal._field_defaults)
"""Of a refusal, what is kept where the telegram was late."""
_AS_ARRAYS: Final = {"meter_time": "minute", "set_date": "set_day"}


def as_array(column: str) -> str:
    """The name among `StoredColumns`: times and days are counted there."""
    return _AS_ARRAYS.get(column, column)


def held(row: type[Any]) -> dict[str, tuple[type[Any], bool]]:
    """Of a type of rows: column -> what it holds, and whether it may be empty."""
    return {name: _held(hint) for name, hint in typing.get_type_hints(row).items()}


def _held(hint: Any) -> tuple[type[Any], bool]:
    if isinstance(hint, types.UnionType):
        (kind,) = (one for one in typing.get_args(hint) if one is not types.NoneType)
        return kind, True
    return hint, False


OF_READING: Final = held(Reading)
