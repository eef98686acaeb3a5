"""What becomes of each telegram of a take, in words: copies, opening, checks, one telegram after the other.

Telegrams are opened one at a time, by the opener that production keeps for strange ones; what is new is asked of
`portal_freshness`. Nothing is written down: the rows are lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sim.core.bundle import Bundle
from sim.core.clock import Calendar
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import Registry
from sim.portal.opener import Opened, Opener
from sim.portal.portal_spec import PortalSpec
from tests.oracles.portal_freshness import Freshness, Sight

COPY_TOLERANCE_NS = 2_000_000_000


class Stored(NamedTuple):
    """A reading."""

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
    rssi_dbm: float
    status: int
    tamper: int
    volume_m3: float | None
    energy_kwh: float | None


class Refused(NamedTuple):
    """A refusal; values of late ones only."""

    meter: str
    gateway: str
    received_ns: int
    stored_ns: int
    reason: str
    detail: str
    telegram: bytes
    rssi_dbm: float
    meter_time: str | None = None
    units: int | None = None
    set_date: str | None = None
    set_date_units: int | None = None
    security: str | None = None


class PortalInWords:
    """One portal without a store."""

    def __init__(self, spec: PortalSpec, calendar: Calendar, keyring: Keyring, registry: Registry) -> None:
        self._opener = Opener(spec, calendar, keyring, registry)
        self._freshness = Freshness(spec)
        self._known: dict[bytes, list[tuple[str, int]]] = {}
        self.stored: list[Stored] = []
        self.refused: list[Refused] = []
        self.counts: Counter[str] = Counter()

    def take(self, bundles: Sequence[Bundle], now_ns: int) -> None:
        heard = sorted(
            (one.received_ns, bundle.gateway, bundle.sequence, index, one.telegram, one.rssi_dbm)
            for bundle in bundles
            for index, one in enumerate(bundle.heard)
        )
        for received_ns, gateway, _, _, telegram, rssi_dbm in heard:
            self._one(telegram, gateway, received_ns, rssi_dbm, now_ns)

    def _one(self, telegram: bytes, gateway: str, received_ns: int, rssi_dbm: float, now_ns: int) -> None:
        before = self._known.get(telegram, [])
        if any(other != gateway and abs(received_ns - when) <= COPY_TOLERANCE_NS for other, when in before):
            self.counts["copies"] += 1
            return
        opened = self._opener.open(telegram)
        reason, detail = opened.reason, opened.detail
        if reason is None:
            entry, inner = opened.entry, opened.telegram
            assert entry is not None and inner is not None
            sight = Sight(gateway, received_ns, now_ns, inner.acc, opened.counter, opened.shown_ns)
            reason, detail = self._freshness.judge(entry, sight) or (None, "")
            if reason == "late" and before:
                reason = "replayed, late"
            if reason in (None, "late"):
                self._freshness.took(entry, sight, late=reason == "late")
                self._known.setdefault(telegram, []).append((gateway, received_ns))
        if reason is None:
            self.counts["stored"] += 1
            self.stored.append(_reading(opened, gateway, received_ns, now_ns, rssi_dbm))
            return
        self.counts[f"refused: {reason}"] += 1
        row = Refused(opened.meter, gateway, received_ns, now_ns, reason, detail, telegram, rssi_dbm)
        if reason == "late":
            kept = _reading(opened, gateway, received_ns, now_ns, rssi_dbm)
            row = row._replace(
                meter_time=kept.meter_time, units=kept.units, set_date=kept.set_date,
                set_date_units=kept.set_date_units, security=kept.security,
            )  # fmt: skip
        self.refused.append(row)


def _reading(opened: Opened, gateway: str, received_ns: int, now_ns: int, rssi_dbm: float) -> Stored:
    values, telegram = opened.values, opened.telegram
    assert values is not None and telegram is not None
    shown, set_date = values.meter_time, values.set_date
    return Stored(
        opened.meter, gateway, received_ns, now_ns, None if shown is None else shown.isoformat(timespec="minutes"),
        values.units, None if set_date is None else set_date.isoformat()[:10], values.set_date_units, telegram.acc,
        opened.counter, telegram.security, rssi_dbm, telegram.sts or 0, int(opened.tampering is not None),
        values.volume_m3, values.energy_kwh,
    )  # fmt: skip
