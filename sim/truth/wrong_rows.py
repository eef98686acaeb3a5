"""Rows in a gateway's own store of a meter, held against what the meter counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

MISSING: Final = "missing"


class WrongRow(NamedTuple):
    """`has`: MISSING where there is no row. `must`: "nothing" where none is to be."""

    meter: str
    quantity: str
    at_s: int
    has: int | str
    must: int | str

    def __str__(self) -> str:
        return f"{self.meter}, {self.quantity}, {self.at_s}: {self.has}, must be {self.must}"


def unlike(meter: str, quantity: str, has: Mapping[int, int], must: Mapping[int, int]) -> Iterator[WrongRow]:
    """Of one register: second -> value, as stored and as counted."""
    for at_s in sorted({*has, *must}):
        if has.get(at_s) != must.get(at_s):
            yield WrongRow(meter, quantity, at_s, has.get(at_s, MISSING), must.get(at_s, "nothing"))


def altered(rows: Iterable[WrongRow]) -> list[str]:
    """Of these, rows that are there and are wrong."""
    return [str(one) for one in rows if one.has != MISSING]
