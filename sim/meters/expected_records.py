"""What a telegram states, in the standard's words instead of ours: quantity, unit, storage number, scaled value.

`Truth.values` names the numbers as the meter's table does ("month_units[3]"), as integers before any encoding. A
receiver of another author knows quantity, unit and storage number, and compares with this. The words come from
the record's DIF and VIF, the value from the truth and never from the telegram.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from sim.meters.encodings import ENCODINGS, NOT_AVAILABLE, encoder
from sim.meters.meter_type import Kind, Slot
from wmbus import dates
from wmbus.dif import Chain, chain, chain_end
from wmbus.values import scaled
from wmbus.vif import IDENTIFICATIONS

_DATES: Final[dict[str, Callable[[bytes], date | datetime | None]]] = {
    "G": dates.decode_g, "F": dates.decode_f, "I": dates.decode_i,
}  # fmt: skip
Value = int | float | str | date | datetime | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One value of a type's telegrams. `element` counts the values of a profile from 0; None for a plain record."""

    slot: Slot
    chain: Chain
    encoding: str
    element: int | None

    def value(self, number: int) -> Value:
        """The truth's integer -> the value in `chain.unit`; None: not available."""
        if self.encoding in _DATES:
            return _DATES[self.encoding](encoder(self.encoding)(number))
        if self.encoding == "ascii8" or (self.encoding == "bcd8" and self.chain.quantity in IDENTIFICATIONS):
            return f"{number:08d}"
        if self.encoding == "real":
            real: float = struct.unpack("<f", number.to_bytes(4, "little"))[0]
            return scaled(real, self.chain.exponent)
        if number == NOT_AVAILABLE and not ENCODINGS[self.encoding].signed:
            return None
        return scaled(number, self.chain.exponent)


@lru_cache(maxsize=64)
def statements(kind: Kind) -> tuple[Statement, ...]:
    """Every value of a type's telegrams, in the order sent."""
    out = []
    for row in kind.fields:
        one = chain(row.head[: chain_end(row.head, 0)])
        for element, back in enumerate(row.backs):
            place = element if one.is_profile else None
            out.append(Statement(Slot(row.quantity, back), one, row.encoding, place))
    return tuple(out)


def stated(kind: Kind, values: Mapping[str, int]) -> list[tuple[Statement, Value]]:
    """`Truth.values` of a telegram -> its statements with their values."""
    return [(one, one.value(values[one.slot.label])) for one in statements(kind)]
