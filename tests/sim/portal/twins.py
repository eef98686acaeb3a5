"""Intake and the portal in words on one registry, fed with the same bundles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

import numpy as np

from sim.core.bundle import Bundle, Heard
from sim.core.clock import NS_PER_S
from sim.core.seeds import Seeds
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from sim.portal.check import NONE
from sim.portal.decrypt_batch import _EPOCH
from sim.portal.intake import Intake, Rows, Taken
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.meter_table import MeterTable, TableKeyring, TableRegistry, address_of
from sim.portal.opener import Opener
from sim.portal.portal_spec import PortalSpec
from sim.portal.reception_batch import Batch
from sim.portal.verdicts import names
from tests.oracles.portal_in_words import PortalInWords
from tests.sim.portal.bed import CALENDAR, START

GATEWAYS = ("gw-0001", "gw-0002", "gw-0003")
LONG_NS: Final = 1 << 61


def fleet_of_everything(each: int = 2, interval_s: float = 900.0) -> Fleet:
    """Every type in every mode that it sends."""
    groups = [
        FleetSpec(f"{name} {security}", name, each, security=security, interval_s=interval_s)
        for name, kind in kinds().items()
        for security in kind.securities
    ]
    return Fleet(groups, Seeds(5), start=START)


def sorts() -> int:
    """How many meters `one_of_each` has."""
    return sum(len(kind.securities) for kind in kinds().values())


@cache
def one_of_each() -> Fleet:
    """A meter of every type in every mode, made when the first test wants it; nobody changes it."""
    return fleet_of_everything(1)


def entries_of(fleet: Fleet, gateways: Iterable[str] = GATEWAYS[:2], **more: Any) -> list[MeterEntry]:
    return [
        MeterEntry(
            fleet.address(m), fleet.security(m), fleet.groups[int(fleet.population.group[m])].interval_s,
            frozenset(gateways), **more,
        )
        for m in range(fleet.n)
    ]  # fmt: skip


class Twins:
    """`take` gives both the same; `check` compares everything so far."""

    def __init__(
        self, fleet: Fleet, spec: PortalSpec | None = None, *, entries: list[MeterEntry] | None = None,
        keyless: Sequence[int] = (), kept_ns: int = LONG_NS,
    ) -> None:  # fmt: skip
        self.spec = replace(spec or PortalSpec(), gateway_clocks=False)  # words judge by what gateways say
        self.registry = Registry(entries if entries is not None else entries_of(fleet))
        keys = {fleet.address(m): fleet.key(m) for m in range(fleet.n) if m not in keyless}
        keyring = Keyring({address: key for address, key in keys.items() if key is not None})
        self.one = PortalInWords(self.spec, CALENDAR, keyring, self.registry)
        self.table = MeterTable.of(self.registry, keyring, GATEWAYS)
        opener = Opener(self.spec, CALENDAR, TableKeyring(self.table), TableRegistry(self.table))
        self.many = Intake(self.spec, CALENDAR, self.table, opener, kept_ns=kept_ns)
        self.taken: list[Taken] = []
        self.raws: list[bytes] = []
        self._sequence = 0

    def take(self, heard: Iterable[tuple[str, bytes, float]], now_s: float) -> None:
        """One take: (gateway, telegram, second) in any order, bundled by gateway."""
        self.take_ns(((name, raw, round(at_s * NS_PER_S)) for name, raw, at_s in heard), round(now_s * NS_PER_S))

    def take_ns(self, heard: Iterable[tuple[str, bytes, int]], now_ns: int) -> None:
        bundles = []
        rows = list(heard)
        for gateway in dict.fromkeys(row[0] for row in rows):
            self._sequence += 1
            told = tuple(
                Heard(raw, at_ns, -70.0 - place / 4)
                for place, (name, raw, at_ns) in enumerate(rows) if name == gateway
            )  # fmt: skip
            bundles.append(Bundle(gateway, self._sequence, 0, told))
        self.one.take(bundles, now_ns)
        batch = Batch.of(bundles, GATEWAYS)
        self.taken.append(self.many.take(batch, now_ns))
        self.many.done()
        self.raws.extend(batch[at] for at in self.taken[-1].refusals.reception.tolist())

    def check(self) -> None:
        """Both think the same of everything so far."""
        assert sorted(map(repr, map(tuple, self.one.stored))) == sorted(map(repr, self._readings()))
        kept = [(*row[:5], *row[6:]) for row in self.one.refused]
        assert sorted(map(repr, kept)) == sorted(map(repr, self._refusals()))
        assert self.one.counts == +self.many.counts

    def _readings(self) -> list[tuple[Any, ...]]:
        return [
            (meter, gateway, received, taken.stored_ns, minute, units, set_date, set_units, _or_none(rows.acc[at]),
             _or_none(rows.counter[at]), security, rssi, int(rows.status[at]), int(rows.tamper[at]),
             _real(rows.volume_m3[at]), _real(rows.energy_kwh[at]))
            for taken in self.taken for rows in [taken.readings]
            for at, (meter, gateway, received, minute, units, set_date, set_units, security, rssi)
            in enumerate(self._common(rows))
        ]  # fmt: skip

    def _refusals(self) -> list[tuple[Any, ...]]:
        out, raws = [], iter(self.raws)
        for taken in self.taken:
            rows = taken.refusals
            for at, (meter, gateway, received, minute, units, set_date, set_units, security, rssi) in enumerate(
                self._common(rows)
            ):
                out.append((meter, gateway, received, taken.stored_ns, names()[int(rows.reason[at])], next(raws), rssi,
                            minute, units, set_date, set_units, security))  # fmt: skip
        return out

    def _common(self, rows: Rows) -> list[tuple[Any, ...]]:
        securities = self.many.opening.securities
        return [
            (
                str(address_of(int(rows.meter[at]))) if rows.meter[at] else "",
                self.table.gateways[int(rows.gateway[at])], int(rows.received_ns[at]),
                None if rows.minute[at] == NONE
                else (_EPOCH + timedelta(minutes=int(rows.minute[at]))).isoformat(timespec="minutes"),
                _or_none(rows.units[at]),
                None if rows.set_day[at] == NONE
                else (date(1970, 1, 1) + timedelta(days=int(rows.set_day[at]))).isoformat(),
                _or_none(rows.set_date_units[at]),
                None if rows.security[at] == NONE else securities[int(rows.security[at])],
                float(rows.rssi_cdbm[at]) / 100,
            )
            for at in range(len(rows))
        ]  # fmt: skip


def _or_none(value: Any) -> int | None:
    return None if value == NONE else int(value)


def _real(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
