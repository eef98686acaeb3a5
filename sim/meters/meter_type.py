"""What a meter type is: an ordered table of records, and how a device of that type introduces itself on the air.

From the table come the bytes of a telegram's records, their constant length, and where each value stands in them. One
file in types/ holds one type with published telegrams of it: they prove, in both directions, that the table makes the
bytes real meters send. Adding a file adds a type; nothing else has to know.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.core.vocabulary import SECURITIES, Link, Security
from sim.meters.encodings import Field, decode, encode_into, encoder
from wmbus.transport import CI_NONE, CI_SHORT, STS_LOW_POWER, STS_PERMANENT_ERROR

HEAT_COST_ALLOCATOR = 0x08


class UnknownKind(ValueError):
    """No such meter type; the message names those there are, the nearest first."""


class Slot(NamedTuple):
    """One value of a telegram: what it is and how far back it looks."""

    quantity: str
    back: int

    @property
    def label(self) -> str:
        """"units", or "month_units[3]" when it looks back."""
        return f"{self.quantity}[{self.back}]" if self.back else self.quantity


class Place(NamedTuple):
    """Where a slot's value stands in the records."""

    slot: Slot
    offset: int
    width: int
    encoding: str


@dataclass(frozen=True, slots=True)
class Fault:
    """How one thing that happened to a meter shows: bits of the status byte and of the error flags record."""

    sts: int = STS_PERMANENT_ERROR
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """A published telegram (without CRCs) and what it says: slot label -> integer as in the record."""

    telegram: str
    key: str | None
    source: str
    expected: Mapping[str, int]


TAMPERS = ("opened", "removed", "sensor")
"""The cover was opened; the meter was taken off its radiator (it counts no more); a sensor broke (no more either)."""


@dataclass(frozen=True, eq=False)
class Kind:
    """One meter type. `title` is for people; `tpl` the CI of the transport layer; `id_range` both ends included."""

    id: str
    title: str
    manufacturer: str
    version: int
    fields: tuple[Field, ...]
    examples: tuple[Example, ...]
    device_type: int = HEAT_COST_ALLOCATOR
    tpl: int = CI_SHORT
    idle_sts: int = 0  # what its status byte shows when nothing is wrong
    unencrypted_prefix: bytes = b""  # some send 2F2F in front of plain records too
    c_field: int = 0x44
    cfg_flags_unencrypted: int = 0  # or-ed into CFG where nothing is encrypted
    securities: tuple[Security, ...] = SECURITIES
    links: tuple[Link, ...] = ("T1", "C1", "S1")
    id_range: tuple[int, int] = (10_000_000, 99_999_999)
    set_month: int = 0  # month whose first midnight ends the accounting year; 0 = January, so 31 December
    faults: Mapping[str, Fault] = field(default_factory=lambda: dict.fromkeys(TAMPERS, Fault()))
    low_power_sts: int = STS_LOW_POWER
    constants: Mapping[str, int] = field(default_factory=dict)
    versions: tuple[int, ...] = ()  # others that send the same records

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Every value in the order sent."""
        return tuple(place.slot for place in self.places)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        out = []
        at = 0
        for row in self.fields:
            at += len(row.head)
            for back in row.backs:
                out.append(Place(Slot(row.quantity, back), at, row.width, row.encoding))
                at += row.width
        return tuple(out)

    @cached_property
    def records_bytes(self) -> int:
        """Length of the records: the same for every telegram of the type."""
        return sum(len(row) for row in self.fields)

    @cached_property
    def template(self) -> bytes:
        """The records with every value zero."""
        return b"".join(row.head + bytes(row.width * len(row.backs)) for row in self.fields)

    @property
    def tells_time(self) -> bool:
        """Does a record carry the meter's clock?"""
        return any(slot.quantity == "datetime" for slot in self.slots)

    @cached_property
    def _steps(self) -> tuple[tuple[bytes, Callable[[int], bytes]], ...]:
        steps = []
        for row in self.fields:
            encode = encoder(row.encoding)
            steps.append((row.head, encode))
            steps.extend((b"", encode) for _ in row.backs[1:])
        return tuple(steps)

    def records(self, values: list[int]) -> bytes:
        """The records, from one value a slot. Raises ValueError for a value that does not fit."""
        return b"".join([head + encode(value) for (head, encode), value in zip(self._steps, values, strict=True)])

    def records_many(self, values: list[NDArray[np.int64] | int], n: int) -> NDArray[np.uint8]:
        """The records of n meters, shape (n, records_bytes), from n values a slot, or one int where all are equal."""
        out = np.empty((n, self.records_bytes), dtype=np.uint8)
        out[:] = np.frombuffer(self.template, dtype=np.uint8)
        for place, column in zip(self.places, values, strict=True):
            encode_into(place.encoding, column, out[:, place.offset : place.offset + place.width])
        return out

    def read(self, records: bytes) -> dict[str, int]:
        """Slot label -> integer, by the table alone. Raises ValueError where the records are not this type's."""
        if len(records) != self.records_bytes:
            raise ValueError(f"{self.id} has {self.records_bytes} bytes of records, not {len(records)}")
        at = 0
        out: dict[str, int] = {}
        for row in self.fields:
            if records[at : at + len(row.head)] != row.head:
                raise ValueError(f"{self.id}: byte {at} should begin {row.head.hex()}, the record {row.quantity}")
            at += len(row.head)
            for back in row.backs:
                out[Slot(row.quantity, back).label] = decode(row.encoding, records[at : at + row.width])
                at += row.width
        return out

    def payload_bytes(self, security: Security) -> int:
        """Length of what stands behind the header, before 2F2F and fill of encryption."""
        return self.records_bytes + (len(self.unencrypted_prefix) if security == "none" else 0)

    def tpl_for(self, security: Security) -> int:
        """The CI it sends: without a header there is nowhere to name a security mode, so that needs a short one."""
        return CI_SHORT if self.tpl == CI_NONE and security != "none" else self.tpl


@lru_cache(maxsize=1)
def kinds() -> dict[str, Kind]:
    """Every meter type in types/, by id."""
    from sim.meters import types

    found: dict[str, Kind] = {}
    for module in sorted(pkgutil.iter_modules(types.__path__), key=lambda m: m.name):
        one = importlib.import_module(f"{types.__name__}.{module.name}").KIND
        if one.id in found:
            raise UnknownKind(f"two files in types/ define the meter type '{one.id}'")
        found[one.id] = one
    return found


def kind(name: str) -> Kind:
    """The type of this id. Raises UnknownKind, naming the known ones, nearest first."""
    known = kinds()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=len(known), cutoff=0.0)
    raise UnknownKind(f"no meter type '{name}'; known, nearest first: {', '.join(near)}")
