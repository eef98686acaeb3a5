"""Which meters exist, what was agreed for each, where it hangs, who may know.

What the installer wrote down, before any telegram: the security profile, the interval, the gateways that hear the
meter. A telegram from an address that is not here is counted and kept as a refusal; it never makes an entry (an
announced address proves nothing, L24).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from sim.core.clock import ns
from sim.core.vocabulary import Security
from sim.portal.odd_form import OddForm
from sim.portal.store_port import Tenancy as Tenancy
from wmbus.link import Address


@dataclass(frozen=True, slots=True)
class MeterEntry:
    """One meter. `gateways` is the installer's record of who hears it (ids), for `bind`. `sends_time`: None means
    learn it from the first telegram. `planned_silence_s`: the longest pause of a meter that only sends at some hours
    (a walk-by mask); it is added to the gap alarm, and its counter is no clock. `under_way_s`: how long its gateways
    may hold a telegram back, by the age of their bundles and the time between two deliveries. `odd`: the form agreed
    for a type whose genuine telegrams a strict reading refuses."""

    address: Address
    security: Security = "mode5"
    interval_s: float = 900.0
    gateways: frozenset[str] = frozenset()
    flat: str | None = None
    house: str | None = None
    sends_time: bool | None = None
    planned_silence_s: float = 0.0
    under_way_s: float = 0.0
    odd: OddForm | None = None
    name: str = field(init=False, repr=False)  # str(address), the meter's name in every table
    interval_ns: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", str(self.address))
        object.__setattr__(self, "interval_ns", ns(self.interval_s))


class Registry:
    """Entries by whole address and by id. `landlords`: (landlord, house) pairs. `gateways`: those that were installed,
    None where nobody wrote that down. `version` grows with each change."""

    def __init__(
        self,
        entries: Iterable[MeterEntry] = (),
        *,
        tenancies: Iterable[Tenancy] = (),
        landlords: Iterable[tuple[str, str]] = (),
        gateways: Iterable[str] | None = None,
    ) -> None:
        self.gateways = None if gateways is None else frozenset(gateways)
        self._by_address: dict[Address, MeterEntry] = {}
        self._by_id: dict[str, MeterEntry] = {}
        self.version = 0
        self.tenancies = list(tenancies)
        self.landlords = list(landlords)
        for entry in entries:
            self.add(entry)

    def __len__(self) -> int:
        return len(self._by_address)

    def __iter__(self) -> Iterator[MeterEntry]:
        return iter(self._by_address.values())

    def add(self, entry: MeterEntry) -> None:
        """Register or change; the first meter of an id is the one that a search by id alone finds."""
        self.version += 1
        self._by_address[entry.address] = entry
        if self._by_id.get(entry.address.id, entry).address == entry.address:
            self._by_id[entry.address.id] = entry

    def bind(self, address: Address, gateways: Iterable[str]) -> None:
        """Write down who hears a meter. Raises KeyError for a meter that is not registered."""
        self.add(replace(self._by_address[address], gateways=frozenset(gateways)))

    def find(self, address: Address, *, whole_address: bool = True) -> MeterEntry | None:
        """The entry, or None. `whole_address=False` is the weakness that only looks at the id."""
        return self._by_address.get(address) if whole_address else self._by_id.get(address.id)
