"""What the portal's tests share: a meter, a gateway's message, a portal on a folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sim.core.bundle import UP, Ack, Bundle, Heard
from sim.core.clock import NS_PER_S, Calendar
from sim.core.events import Event
from sim.endpoint.port import Message
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal import Portal
from sim.portal.portal_spec import PortalSpec
from sim.portal.store.sqlite import FILE
from wmbus.dates import encode_f, encode_g
from wmbus.link import Address
from wmbus.telegram import build

START = datetime(2026, 1, 12, tzinfo=UTC)
CALENDAR = Calendar(START)
KEY = bytes(range(16))
METER = Address("QDS", "10000001", 0x36, 0x08)
INTERVAL_S = 900.0
DAY = 86_400.0


def acked(acknowledgement: Message) -> list[int]:
    """The sequences in it."""
    return [taken.sequence for taken in Ack.decode(acknowledgement.payload).taken]


def bcd(number: int, size: int) -> bytes:
    return bytes.fromhex(f"{number:0{2 * size}d}")[::-1]


def payload(
    units: int | None, at_s: float | None, *, set_units: int = 145, time_first: bool = False, more: bytes = b""
) -> bytes:
    """Records of a Q caloric: current, at the set date, the set date, error date (none), the meter's time."""
    values = b"" if units is None else b"\x0b\x6e" + bcd(units, 3)
    values += b"\x4b\x6e" + bcd(set_units, 3) + b"\x42\x6c" + encode_g(date(2025, 12, 31)) + b"\x32\x6c\xff\xff"
    clock = b""
    if at_s is not None:
        clock = b"\x04\x6d" + encode_f((START + timedelta(seconds=at_s)).replace(tzinfo=None))
    return (clock + values if time_first else values + clock) + more


def telegram(
    k: int, *, units: int = 100, security: Any = "mode5", meter: Address = METER, key: bytes = KEY, timed: bool = True,
    sts: int = 0, at_s: float | None = None, **more: Any,
) -> bytes:  # fmt: skip
    """Telegram k of a meter: sent at k intervals, access number and counter k."""
    shown = k * INTERVAL_S if at_s is None else at_s
    records = payload(units, shown if timed else None, **more)
    return build(
        meter, k & 0xFF, sts, records, security=security, key=None if security == "none" else key, counter=k
    )


class Bed:
    """A portal and gateways that speak to it. `hear(telegram, at_s)` is one bundle, taken at once."""

    def __init__(
        self, directory: Path, spec: PortalSpec | None = None, *, security: Any = "mode5",
        entries: Iterable[MeterEntry] | None = None, keys: dict[Address, bytes] | None = None, **registry: Any,
    ) -> None:  # fmt: skip
        self.directory = directory
        self.spec = spec if spec is not None else PortalSpec()
        known = entries or [MeterEntry(METER, security, INTERVAL_S, frozenset({"gw1", "gw2"}))]
        self.registry = Registry(known, **registry)
        self.keyring = Keyring(keys if keys is not None else {entry.address: KEY for entry in self.registry})
        self.events: list[Event] = []
        self.sequences: dict[str, int] = {}
        self.portal = self._opened()

    def _opened(self) -> Portal:
        return Portal(
            self.spec, self.directory, CALENDAR, self.events.append, keyring=self.keyring, registry=self.registry
        )

    def restart(self) -> None:
        self.portal.close()
        self.portal = self._opened()

    def message(self, gateway: str, heard: Iterable[tuple[bytes, float]], sequence: int | None = None) -> Message:
        """`heard`: (telegram, second of reception by the gateway's clock)."""
        if sequence is None:
            sequence = self.sequences[gateway] = self.sequences.get(gateway, 0) + 1
        rows = tuple(Heard(raw, round(at_s * NS_PER_S), -70.0) for raw, at_s in heard)
        closed_ns = rows[-1].received_ns if rows else 0
        return Message(UP.format(gateway=gateway), Bundle(gateway, sequence, closed_ns, rows).encode())

    def take(self, *messages: Message, now_s: float) -> list[Message]:
        return self.portal.take(messages, round(now_s * NS_PER_S))

    def hear(
        self, raw: bytes, at_s: float, *, gateway: str = "gw1", now_s: float | None = None,
        claims_s: float | None = None,
    ) -> str | None:  # fmt: skip
        """The reason for which it was refused, None when it became a reading."""
        before = self.portal.store.count_readings(), len(self.portal.store.refusals())
        heard_s = at_s if claims_s is None else claims_s
        self.take(self.message(gateway, [(raw, heard_s)]), now_s=at_s + 5 if now_s is None else now_s)
        after = self.portal.store.count_readings(), len(self.portal.store.refusals())
        if after[1] > before[1]:
            assert after[0] == before[0]
            return self.portal.store.refusals()[-1].reason
        if after[0] > before[0]:
            return None
        return "copy"

    def run(self, ks: Iterable[int], **more: Any) -> None:
        """Genuine telegrams, each of which must be accepted."""
        for k in ks:
            assert self.hear(telegram(k, **more), k * INTERVAL_S) is None, f"telegram {k} was refused"

    def sql(self, text: str) -> list[Any]:
        """Rows of the store's file, as another program sees it: what is committed."""
        other = sqlite3.connect(self.directory / FILE)
        try:
            return other.execute(text).fetchall()
        finally:
            other.close()

    def kinds(self) -> list[str]:
        """Alarms so far."""
        return [event.kind for event in self.events if type(event).__name__ == "AlarmRaised"]  # type: ignore[attr-defined]
