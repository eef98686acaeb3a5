"""A portal and its twin for arrays on one registry, fed with the same bundles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from sim.core.bundle import UP, Bundle, Heard
from sim.core.clock import NS_PER_S
from sim.core.seeds import Seeds
from sim.endpoint.port import Message
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from sim.portal.decrypt_batch import _EPOCH
from sim.portal.intake import Portal
from sim.portal.intake_many import REASONS, PortalMany, Rows, Taken
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.meter_table import Roll, address_of
from sim.portal.portal_spec import PortalSpec
from sim.portal.reception_batch import Batch
from sim.portal.record_templates import NONE
from tests.sim.portal.bed import CALENDAR, START

GATEWAYS = ("gw-0001", "gw-0002", "gw-0003")
Row = tuple[str, int, int, int, int]
"""(gateway, sequence, received ns, rssi cdbm, index into telegrams)"""


def fleet_of_everything(each: int = 2, interval_s: float = 900.0) -> Fleet:
    """Every type in every mode that it sends."""
    groups = [
        FleetSpec(f"{name} {security}", name, each, security=security, interval_s=interval_s)
        for name, kind in kinds().items()
        for security in kind.securities
    ]
    return Fleet(groups, Seeds(5), start=START)


def entries_of(fleet: Fleet, gateways: Iterable[str] = GATEWAYS[:2], **more: Any) -> list[MeterEntry]:
    return [
        MeterEntry(
            fleet.address(m), fleet.security(m), fleet.groups[int(fleet.population.group[m])].interval_s,
            frozenset(gateways), **more,
        )
        for m in range(fleet.n)
    ]  # fmt: skip


class Twins:
    def __init__(
        self, directory: Path, fleet: Fleet, spec: PortalSpec | None = None, *, entries: list[MeterEntry] | None = None,
        keyless: Sequence[int] = (), kept_ns: int | None = None,
    ) -> None:  # fmt: skip
        self.spec = spec or PortalSpec()
        registry = Registry(entries if entries is not None else entries_of(fleet))
        keys = {fleet.address(m): fleet.key(m) for m in range(fleet.n) if m not in keyless}
        keyring = Keyring({address: key for address, key in keys.items() if key is not None})
        self.one = Portal(self.spec, directory, CALENDAR, lambda _event: None, keyring=keyring, registry=registry)
        self.roll = Roll.of(registry, keyring, GATEWAYS)
        self.many = PortalMany(self.spec, CALENDAR, self.roll, kept_ns=kept_ns)
        self.taken: list[Taken] = []
        self.raws: list[bytes] = []
        self._sequence = 0

    def take(self, heard: Iterable[tuple[str, bytes, float]], now_s: float) -> None:
        """One take: (gateway, telegram, second) in any order, bundled by gateway."""
        bundles = []
        rows = list(heard)
        for gateway in dict.fromkeys(row[0] for row in rows):
            self._sequence += 1
            told = tuple(
                Heard(raw, round(at_s * NS_PER_S), -70.0 - place / 4)
                for place, (name, raw, at_s) in enumerate(rows) if name == gateway
            )  # fmt: skip
            bundles.append(Bundle(gateway, self._sequence, 0, told))
        now_ns = round(now_s * NS_PER_S)
        self.one.take([Message(UP.format(gateway=b.gateway), b.encode()) for b in bundles], now_ns)
        batch = Batch.of(bundles, GATEWAYS)
        self.taken.append(self.many.take(batch, now_ns))
        self.raws.extend(batch[at] for at in self.taken[-1].refusals.reception.tolist())

    def check(self) -> None:
        """Both think the same of everything so far."""
        assert sorted(map(repr, self._stored())) == sorted(map(repr, self._readings()))
        assert sorted(map(repr, self._kept())) == sorted(map(repr, self._refusals()))
        counts = {key: count for key, count in self.one.counts.items() if count and key != "duplicate bundles"}
        assert counts == {key: count for key, count in self.many.counts.items() if count}

    def _stored(self) -> list[tuple[Any, ...]]:
        return [
            (r.meter, r.gateway, r.received_ns, r.stored_ns, r.meter_time, r.units, r.set_date, r.set_date_units, r.acc,
             r.counter, r.security, r.rssi_dbm, r.status, r.tamper, r.volume_m3, r.energy_kwh)
            for r in self.one.store.readings()
        ]  # fmt: skip

    def _readings(self) -> list[tuple[Any, ...]]:
        return [
            (meter, gateway, received, taken.stored_ns, minute, units, set_date, set_units, _or_none(rows.acc[at]),
             _or_none(rows.counter[at]), security, rssi, int(rows.status[at]), int(rows.tamper[at]),
             _real(rows.volume_m3[at]), _real(rows.energy_kwh[at]))
            for taken in self.taken for rows in [taken.readings]
            for at, (meter, gateway, received, minute, units, set_date, set_units, security, rssi)
            in enumerate(self._common(rows))
        ]  # fmt: skip

    def _kept(self) -> list[tuple[Any, ...]]:
        return [
            (r.meter, r.gateway, r.received_ns, r.stored_ns, r.reason, r.telegram, r.rssi_dbm, r.meter_time, r.units,
             r.set_date, r.set_date_units, r.security)
            for r in self.one.store.refusals()
        ]  # fmt: skip

    def _refusals(self) -> list[tuple[Any, ...]]:
        out, raws = [], iter(self.raws)
        for taken in self.taken:
            rows = taken.refusals
            for at, (meter, gateway, received, minute, units, set_date, set_units, security, rssi) in enumerate(
                self._common(rows)
            ):
                out.append((meter, gateway, received, taken.stored_ns, REASONS[int(rows.reason[at])], next(raws), rssi,
                            minute, units, set_date, set_units, security))  # fmt: skip
        return out

    def _common(self, rows: Rows) -> list[tuple[Any, ...]]:
        names = self.many.opening.securities
        return [
            (
                str(address_of(int(rows.meter[at]))) if rows.meter[at] else "",
                self.roll.gateways[int(rows.gateway[at])], int(rows.received_ns[at]),
                None if rows.minute[at] == NONE
                else (_EPOCH + timedelta(minutes=int(rows.minute[at]))).isoformat(timespec="minutes"),
                _or_none(rows.units[at]),
                None if rows.set_day[at] == NONE
                else (date(1970, 1, 1) + timedelta(days=int(rows.set_day[at]))).isoformat(),
                _or_none(rows.set_date_units[at]),
                None if rows.security[at] == NONE else names[int(rows.security[at])], float(rows.rssi_cdbm[at]) / 100,
            )
            for at in range(len(rows))
        ]  # fmt: skip


def _or_none(value: Any) -> int | None:
    return None if value == NONE else int(value)


def _real(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
