"""What a meter type is: an ordered table of records, and how a device of that type introduces itself on the air.

From the table come the bytes of a telegram's records, their constant length, and where each value stands in them. One
file in types/ holds one type with published telegrams of it: they prove, in both directions, that the table makes the
bytes real meters send. Adding a file adds a type; nothing else has to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from sim.core.meant import did_you_mean
from sim.core.part_fields import ill_typed
from sim.core.parts import Folder
from sim.core.vocabulary import SECURITIES, Link, Security
from sim.meters.encodings import DATES, ENCODINGS, LVAR, Field, decode, encoder
from sim.meters.physics.formulas import HIGH_TARIFF, LOW_TARIFF
from sim.meters.quantities import CONSTANT, COUNT, POWER, QUANTITIES, Quantity
from wmbus.dif import Chain, chain, chain_end
from wmbus.errors import BadTelegram, CannotEncode
from wmbus.link import manufacturer_wire
from wmbus.transport import CI_NONE, CI_SHORT, STS_LOW_POWER, STS_PERMANENT_ERROR

HEAT_COST_ALLOCATOR = 0x08
_BYTE: Final = 0xFF
MAKERS_OWN: Final = "manufacturer specific"  # what wmbus.vif says of VIF 7F and FF


class BadKind(ValueError):
    """A meter type that cannot be used; the message is meant for its author."""


def _unknown(what: str, name: str, known: list[str]) -> str:
    return f"no {what} '{name}'{did_you_mean(name, known) or '.'} Known: {', '.join(known)}"


def _scaled(unit: str, exponent: int) -> str:
    return f"10^{exponent} {unit}" if exponent else unit or "no unit"


class Slot(NamedTuple):
    """One value of a telegram: what it is and how far back it looks."""

    quantity: str
    back: int

    @property
    def label(self) -> str:
        """ "units", or "month_units[3]" when it looks back."""
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
    """One meter type. `title` is for people; `tpl` the CI of the transport layer; `id_range` both ends included;
    `quantities` are its own beside those all types share. Raises BadKind where the tables do not have what it names,
    or a record's DIF does not announce the bytes that follow."""

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
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    versions: tuple[int, ...] = ()  # others that send the same records

    def __post_init__(self) -> None:
        if said := ill_typed(self):
            raise BadKind(f"{self.id}: {said}")
        self._check_address()
        for row in self.fields:
            try:
                self._check(row)
            except BadTelegram as error:
                raise BadKind(f"{self.id}: {row.head.hex().upper()} begins no record: {error}") from None
        labels = [slot.label for slot in self.slots]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise BadKind(f"{self.id}: two records carry {twice}")
        self._check_power()

    def _check_power(self) -> None:
        """POWER is that of the heat in a heat meter's pipes; no quantity is the power that a household draws."""
        said = {row.quantity: self.quantity(row.quantity) for row in self.fields}
        tariffs = (HIGH_TARIFF, LOW_TARIFF)
        tariff = next((name for name, one in said.items() if one.op == COUNT and one.of in tariffs), None)
        power = next((name for name, one in said.items() if one.op == POWER), None)
        if tariff is not None and power is not None:
            raise BadKind(
                f"{self.id}: {power} is the power of heat in a heat meter's pipes, and {tariff} counts electricity; "
                "take a constant for an electricity meter's power"
            )

    def _check_address(self) -> None:
        try:
            manufacturer_wire(self.manufacturer)
        except CannotEncode as error:
            raise BadKind(f"{self.id}: {error}") from None
        for name, number in (
            ("version", self.version), ("device_type", self.device_type), *(("versions", one) for one in self.versions)
        ):  # fmt: skip
            if not 0 <= number <= _BYTE:
                raise BadKind(f"{self.id}: {name} is {number}; it is one byte, from 0 to {_BYTE}")

    def _check_unit(self, row: Field, head: Chain, where: str) -> None:
        """A quantity is of one unit, or of none; the VIF must say the same, unless it is the maker's own."""
        one = self.quantity(row.quantity)
        if row.quantity in self.constants or head.quantity == MAKERS_OWN:
            return
        if (head.unit, head.exponent) != (one.unit, one.exponent):
            raise BadKind(
                f"{where}: its VIF says {_scaled(head.unit, head.exponent)}, and {row.quantity} counts in "
                f"{_scaled(one.unit, one.exponent)}; take a VIF of that, or a quantity of the type's own with another "
                "`per`, `unit` and `exponent`"
            )

    def _check(self, row: Field) -> None:
        where = f"{self.id}: record {row.head.hex().upper()}"
        if row.encoding not in ENCODINGS:
            raise BadKind(f"{where}: {_unknown('encoding', row.encoding, list(ENCODINGS))}")
        known = {*self.constants, *self.quantities, *QUANTITIES}
        if row.quantity not in known:
            raise BadKind(f"{where}: {_unknown('quantity', row.quantity, sorted(known))}")
        form = self.quantity(row.quantity).form
        if row.quantity not in self.constants and form != row.encoding and (form or row.encoding in DATES):
            is_ = f"a date of type {form}" if form else "no date"
            raise BadKind(f"{where}: {row.quantity} is {is_}, not {row.encoding}")
        one, end = ENCODINGS[row.encoding], chain_end(row.head, 0)
        self._check_constant(row, where)
        head = chain(row.head[:end])
        data_field = head.data_field
        if data_field == LVAR:
            follow = len(row) - end - 1
            if row.head[end : end + 1] != bytes((follow,)):
                raise BadKind(f"{where}: its length byte must announce the {follow} bytes that follow it")
        elif data_field != one.data_field:
            fit = [name for name, other in ENCODINGS.items() if other.data_field == data_field]
            raise BadKind(f"{where}: its DIF announces {' or '.join(fit) or 'no value'}, not {row.encoding}")
        elif end != len(row.head) or len(row.backs) > 1:
            raise BadKind(f"{where}: only a record of variable length (DIF xD) has a profile")
        self._check_unit(row, head, where)

    def _check_constant(self, row: Field, where: str) -> None:
        """A constant must fit its record, which is never sent with another value."""
        if row.quantity not in self.constants:
            return
        value, one = self.constants[row.quantity], ENCODINGS[row.encoding]
        if not isinstance(value, int) or not one.lowest <= value < one.beyond:
            raise BadKind(
                f"{where}: the constant {row.quantity} is {value!r}, and {one.name} holds whole numbers from "
                f"{one.lowest} to {one.beyond - 1}; take a smaller one, or a longer record"
            )

    def quantity(self, name: str) -> Quantity:
        """What a record of this type names: one of its constants, of its own quantities, or of all types'."""
        if name in self.constants:
            return Quantity(CONSTANT, days=self.constants[name])
        return self.quantities[name] if name in self.quantities else QUANTITIES[name]

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Every value in the order sent."""
        return tuple(place.slot for place in self.places)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every value's place in the records, in the order sent."""
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


def _addresses(kind: Kind) -> list[str]:
    """What its telegrams say of the device that sends them, by which receivers tell types apart."""
    device = f"device type {kind.device_type:02X}"
    return [f"{kind.manufacturer}, version {version:02X}, {device}" for version in {kind.version, *kind.versions}]


KINDS: Final = Folder("sim.meters.types", "KIND", "meter type", Kind, alone=_addresses)
"""The meter types: the KIND of each file in types/."""


def kinds() -> Mapping[str, Kind]:
    """Every meter type, by id. Raises PartError, naming the file, for one that cannot be used."""
    return KINDS.parts()


def kind(name: str) -> Kind:
    """The type of this id. Raises UnknownPart, naming the known ones, nearest first; PartError."""
    return KINDS.find(name)
