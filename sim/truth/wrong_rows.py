"""Rows in a gateway's own store of a meter, held against what the meter counted: the value with its power of ten and
its unit, and both status words, which say whether it may be billed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sim.smart_metering.lmn.wired_store import WiredStore
    from sim.smgw.obis_codes import Obis

MISSING: Final = "missing"
_TENTHS, _WH = -1, 30
_MARK, TIME_INVALID = 0x2, 0x200
CLOCK_TOLERANCE_S: Final = 27.0
"""Of a gateway's clock at quarter hours: 3 %."""


class Row(NamedTuple):
    """What a store has of one instant. `word`: the gateway's; `meter_word`: the meter's own."""

    value: int
    scaler: int
    unit: int
    meter_word: int
    word: int

    def __str__(self) -> str:
        words = f"words {self.meter_word:x} and {self.word:x}"
        return f"{self.value} times 10^{self.scaler} of unit {self.unit}, {words}"


class WrongRow(NamedTuple):
    """`has`: MISSING where there is no row. `must`: "nothing" where none is to be. Both are the value alone where the
    rest is as it must be."""

    meter: str
    quantity: str
    at_s: int
    has: str
    must: str

    def __str__(self) -> str:
        return f"{self.meter}, {self.quantity}, {self.at_s}: {self.has}, must be {self.must}"


def energy(tenth_wh: int, *, off: bool) -> Row:
    """A register as it must be stored. `off`: the gateway's clock was, so that the value is of no instant."""
    return Row(tenth_wh, _TENTHS, _WH, 0, _MARK | (TIME_INVALID if off else 0))


def stored(store: WiredStore, meter: str, obis: Obis) -> dict[int, Row]:
    """Second -> what there is of one register."""
    return {
        row.at_s: Row(row.entry.value, row.entry.scaler, row.entry.unit, row.meter_word, row.word)
        for row in store.of(meter, obis)
    }


def unlike(meter: str, quantity: str, has: Mapping[int, Row], must: Mapping[int, Row]) -> Iterator[WrongRow]:
    """Of one register: second -> what is stored, and what was counted."""
    for at_s in sorted({*has, *must}):
        got, wanted = has.get(at_s), must.get(at_s)
        if got == wanted:
            continue
        if got is None or wanted is None or got[1:] == wanted[1:]:
            words = (MISSING if got is None else str(got.value), "nothing" if wanted is None else str(wanted.value))
        else:
            words = str(got), str(wanted)
        yield WrongRow(meter, quantity, at_s, *words)


def altered(rows: Iterable[WrongRow]) -> list[str]:
    """Of these, rows that are there and are wrong."""
    return [str(one) for one in rows if one.has != MISSING]
