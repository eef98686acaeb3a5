"""What a portal's store is: the rows it keeps, and the questions that intake, alarms, roles, bills and checks ask.

Rules kept by every store: what was committed survives a power cut, and nothing is acknowledged before its commit; a
transaction that fails leaves the store as it was and usable; only its owner reads it. SQL stands in the stores alone.

Bills are made from every reading, and every telegram refused only as late whose content is not among the readings and
fits between them, so an outage costs no month; what a reading tells stands above what a late telegram tells. `security`
stands beside each row, since a late telegram of mode 5 is as malleable as a punctual one.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, cast

from sim.core.part_errors import PartError, answer
from sim.core.parts import Folder, UnknownPart

Row = TypeVar("Row")
BOOTS_KEPT: Final = 64


class StoreError(Exception):
    """The store cannot be used; the message names it and the way out. Nothing of the failed take was kept."""


class Reading(NamedTuple):
    """One stored reading. `meter_time` is the meter's own clock as ISO text to the minute, `set_date` an ISO date;
    `received_ns` is what the gateway said, `stored_ns` the portal's own time. `units` are HCA units."""

    meter: str
    gateway: str
    received_ns: int
    stored_ns: int
    meter_time: str | None
    units: int | None
    set_date: str | None
    set_date_units: int | None
    acc: int | None
    counter: int | None
    security: str
    fingerprint: str
    rssi_dbm: float | None
    status: int
    tamper: int
    volume_m3: float | None
    energy_kwh: float | None


class Refusal(NamedTuple):
    """One telegram that is not a reading, kept whole. The values are filled in for late ones only."""

    meter: str
    gateway: str
    received_ns: int
    stored_ns: int
    reason: str
    detail: str
    fingerprint: str
    telegram: bytes
    rssi_dbm: float | None
    meter_time: str | None = None
    units: int | None = None
    set_date: str | None = None
    set_date_units: int | None = None
    security: str | None = None


class Evidence(NamedTuple):
    """One message that was refused or that contradicts another, kept whole."""

    stored_ns: int
    topic: str
    reason: str
    detail: str
    payload: bytes


class Message(NamedTuple):
    """A bundle that was taken."""

    gateway: str
    sequence: int
    digest: str
    stored_ns: int


class Sighting(NamedTuple):
    """How often a gateway brought a meter's telegrams, and the last of them; counts are added to what there is."""

    meter: str
    gateway: str
    taken: int
    copies: int
    refused: int
    received_ns: int
    stored_ns: int
    rssi_dbm: float | None


class Before(NamedTuple):
    """Where some bytes are known from: a reading, or a late telegram."""

    gateway: str
    received_ns: int
    meter: str


class FreshnessRow(NamedTuple):
    """What the checks remember of one meter. `layout`: whose numbers and bytes stand where in the state."""

    meter: str
    layout: str
    state: bytes


class AlarmRow(NamedTuple):
    """One episode of an alarm; `cleared_ns` None: it stands."""

    kind: str
    subject: str
    raised_ns: int
    last_ns: int
    cleared_ns: int | None
    occasions: int
    detail: str


class Birth(NamedTuple):
    """A power-on of a gateway: its place in the order of boots, and the most connects it reported."""

    gateway: str
    boot: str
    place: int
    connects: int


class MeterRow(NamedTuple):
    """A meter as registered."""

    meter: str
    security: str
    interval_s: float
    flat: str | None
    house: str | None


class Tenancy(NamedTuple):
    """Who lives in a flat, from and until (world ns; None: still)."""

    tenant: str
    flat: str
    from_ns: int = 0
    until_ns: int | None = None


class Ownership(NamedTuple):
    """Whose house it is."""

    landlord: str
    house: str


class TenantRow(NamedTuple):
    """One reading of an own meter. `units` were counted since the tenancy began; `at_ns` when the portal took it."""

    meter: str
    flat: str
    at_ns: int
    units: int


class HouseSum(NamedTuple):
    """What a landlord was told of a house."""

    house: str
    from_ns: int
    until_ns: int
    units: int
    flats: int


class Device(NamedTuple):
    """A meter at one gateway; `status` of its last reading."""

    meter: str
    gateway: str
    stored_ns: int
    taken: int
    copies: int
    refused: int
    rssi_dbm: float | None
    status: int


class BillingRow(NamedTuple):
    """What a bill may be made from; `late` 1: a telegram that was refused as late."""

    meter_time: str | None
    units: int | None
    security: str
    late: int


def fingerprint(telegram: bytes) -> str:
    """32 hex digits that name a telegram's bytes."""
    return hashlib.blake2b(telegram, digest_size=16).hexdigest()


def rows_of(kind: type[Row], tuples: Iterable[tuple[Any, ...]]) -> list[Row]:
    """Rows of one kind from their fields in order: what its constructor makes, without calling it for each row."""
    return list(map(partial(cast("Callable[[Any], Row]", tuple.__new__), kind), tuples))


def private_file(path: Path) -> None:
    """Make sure that `path` exists and only its owner may read it, before anything is written to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


class Store(ABC):
    """One portal's store, open. `name`: file or server, for people. Every method may raise StoreError."""

    name: str

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing. Raises StoreError after rolling back; the store is usable afterwards."""

    @abstractmethod
    def close(self) -> None: ...

    def back_up(self, folder: Path, *, keep_freshness: bool) -> None:
        """A copy of everything into a folder, in the place of an earlier one; without freshness, where only readings
        are backed up."""
        raise StoreError(f"{self.name}: this store is backed up by its own tools, not from here")

    def restore(self, folder: Path) -> None:
        """Close, and put a copy that `back_up` made in the place of what is stored; then it can be opened again."""
        raise StoreError(f"{self.name}: this store is restored by its own tools, not from here")

    # --- what intake writes, within a transaction ---------------------------------------------------------------------

    @abstractmethod
    def add_readings(self, rows: Sequence[Reading]) -> None: ...

    @abstractmethod
    def add_refusals(self, rows: Sequence[Refusal]) -> None: ...

    @abstractmethod
    def add_evidence(self, rows: Sequence[Evidence]) -> None: ...

    @abstractmethod
    def add_messages(self, rows: Sequence[Message]) -> None: ...

    @abstractmethod
    def add_sightings(self, rows: Sequence[Sighting]) -> None: ...

    @abstractmethod
    def put_freshness(self, rows: Sequence[FreshnessRow]) -> None: ...

    @abstractmethod
    def put_alarms(self, rows: Sequence[AlarmRow]) -> None: ...

    @abstractmethod
    def put_last_taken(self, rows: Sequence[tuple[str, int]]) -> None:
        """(meter, when the portal stored its last reading)."""

    @abstractmethod
    def put_birth(self, row: Birth) -> None:
        """The `BOOTS_KEPT` latest boots of a gateway are kept."""

    @abstractmethod
    def put_registry(
        self, meters: Sequence[MeterRow], tenancies: Sequence[Tenancy], ownerships: Sequence[Ownership]
    ) -> None:
        """Instead of what was there."""

    @abstractmethod
    def add_answer(self, row: HouseSum) -> None: ...

    # --- what the portal asks -----------------------------------------------------------------------------------------

    @abstractmethod
    def digests(self, gateway: str, sequence: int) -> set[str]:
        """Of the bundles taken under a sequence."""

    @abstractmethod
    def known(self, fingerprints: Collection[str]) -> dict[str, list[Before]]:
        """Fingerprint -> each reading, or late telegram, stored from these bytes."""

    @abstractmethod
    def freshness(self) -> Iterable[FreshnessRow]: ...

    @abstractmethod
    def standing_alarms(self) -> list[AlarmRow]: ...

    @abstractmethod
    def last_taken(self) -> dict[str, int]:
        """Meter -> when the portal stored its last reading."""

    @abstractmethod
    def births(self, gateway: str) -> list[Birth]: ...

    @abstractmethod
    def highest_sequence(self, gateway: str, none: int) -> int:
        """Of the bundles taken; `none` where there is none."""

    @abstractmethod
    def taken_between(self, from_ns: int, until_ns: int) -> dict[str, int]:
        """Meter -> readings stored in [from, until)."""

    @abstractmethod
    def volumes_since(self, from_ns: int) -> list[tuple[str, int, float]]:
        """(meter, received_ns, volume in m3) of readings that have one and were received since then, oldest first."""

    @abstractmethod
    def first_set_date_units(self) -> list[tuple[str, int, int]]:
        """(meter, set date as days since 1970, units) of what was stored first for each meter and set date, in the
        order of dates."""

    # --- what roles and bills ask -------------------------------------------------------------------------------------

    @abstractmethod
    def tenancies(self, tenant: str, now_ns: int) -> list[tuple[str, int]]:
        """(flat, from) of the flats in which somebody lives now."""

    @abstractmethod
    def flats_ever(self, tenant: str) -> set[str]:
        """Where a tenant lives, lived or will live."""

    @abstractmethod
    def consumption(self, tenant: str, flat: str, from_ns: int) -> list[TenantRow]:
        """Of one tenancy, reading by reading. A total that falls was reset: what it shows was counted since."""

    @abstractmethod
    def owns(self, landlord: str, house: str) -> bool: ...

    @abstractmethod
    def answers(self, house: str, from_ns: int, until_ns: int) -> list[HouseSum]:
        """Those that overlap a period."""

    @abstractmethod
    def house_sum(self, house: str, from_ns: int, until_ns: int) -> tuple[int, int]:
        """(units counted in a period, flats that counted)."""

    @abstractmethod
    def devices(self) -> list[Device]: ...

    @abstractmethod
    def billing(self, meter: str) -> list[BillingRow]:
        """By meter time."""

    @abstractmethod
    def set_date_units(self, meter: str, set_date: str, *, late_counts: bool = False) -> int | None:
        """What a meter told last of a set date (ISO): in a reading, if any tells it; else in a late telegram.
        `late_counts`: in whichever was stored last."""

    @abstractmethod
    def last_units(self, meter: str, before_ns: int) -> int | None:
        """What a meter told last before an instant."""

    # --- what was stored, for people and verdicts ---------------------------------------------------------------------

    @abstractmethod
    def count_readings(self) -> int: ...

    @abstractmethod
    def readings(self, meter: str | None = None) -> list[Reading]:
        """In the order of storing."""

    @abstractmethod
    def readings_after(self, place: int, most: int) -> list[tuple[int, Reading]]:
        """Readings stored after the one of this place (0: from the first), at most so many, each with its place."""

    @abstractmethod
    def readings_of(self, mark: str) -> list[Reading]:
        """Those with this fingerprint, in the order of storing."""

    @abstractmethod
    def refusals(self, reason: str | None = None) -> list[Refusal]:
        """In the order of storing."""

    @abstractmethod
    def refusal_reasons(self, mark: str) -> list[str]:
        """Why telegrams with this fingerprint were refused, oldest first."""

    @abstractmethod
    def refused_by_reason(self) -> dict[str, int]: ...

    @abstractmethod
    def fingerprints(self) -> set[str]:
        """Of every telegram that is kept, as a reading or as a refusal."""

    @abstractmethod
    def messages(self) -> list[Message]:
        """By gateway and sequence."""

    @abstractmethod
    def sequences_after(self, gateway: str, sequence: int, most: int) -> list[int]:
        """Of a gateway's bundles that were taken, behind this one, in order, at most so many."""

    @abstractmethod
    def count_messages(self) -> int: ...

    @abstractmethod
    def evidence(self) -> list[Evidence]: ...

    @abstractmethod
    def sightings(self) -> list[Sighting]:
        """By meter and gateway."""

    @abstractmethod
    def meters(self) -> list[MeterRow]: ...


@dataclass(frozen=True)
class StoreKind:
    """One file of `sim/portal/store/`. `opened(where, directory)`: the store that a world's `portal.store` names; its
    file, if it is one, lies in `directory`. Raises StoreError."""

    id: str
    title: str
    opened: Callable[[str, Path], Store]


STORES: Final = Folder("sim.portal.store", "STORE", "store", StoreKind)


def open_store(where: str, directory: Path) -> Store:
    """`where`: a store's id, or a URL whose scheme is one. Raises StoreError, PartError."""
    try:
        kind = STORES.find(where.partition(":")[0])
    except UnknownPart as error:
        raise StoreError(f"portal.store = {where.partition(':')[0]!r}: {error}") from None
    store = answer(kind.opened, where, directory, of="a Store", wanted=Store, port=Store)
    if not isinstance(getattr(store, "name", None), str):
        way_out = "write self.name = ... in its __init__: the file or the server, for people"
        raise PartError(f"{STORES.file(kind.id)}: {type(store).__name__} has no name; {way_out}")
    return store
