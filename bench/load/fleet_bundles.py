"""What the gateways of a load test send: real telegrams of real meters under their own keys, in real bundles.

Gateway g hears the meters of its own rows of the fleet, each once an interval; its bundle n holds telegram n - 1 of
each. Payloads are a pure function of (seed, gateway, sequence), so generators and portal need not talk about them.
World time is compressed: between two bundles of a gateway an interval of the world passes, however short the wall's
period is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.core.bundle import Row, encoded
from sim.core.clock import Calendar
from sim.core.seeds import Seeds
from sim.core.vocabulary import Security
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal_spec import PortalSpec

I64 = NDArray[np.int64]
START: Final = datetime(2026, 1, 12)  # noqa: DTZ001 - a world's calendar, UTC
YEAR_S: Final = 31_536_000.0
AIR_NS: Final = 20_000_000
_LEVELS: Final = 45
_AT_ONCE: Final = 4_096  # bundles


@dataclass(frozen=True, slots=True)
class Sent:
    """`telegrams`: meters of a gateway, one telegram each in a bundle."""

    gateways: int
    telegrams: int = 20
    type: str = "qundis-q-caloric"
    security: Security = "mode5"
    interval_s: float = 900.0
    seed: int = 1


def name(gateway: int) -> str:
    """Its id, client id and common name."""
    return f"gw{gateway}"


def number(gateway: str) -> int:
    """The gateway of this name. Raises ValueError."""
    return int(gateway.removeprefix("gw"))


class FleetBundles:
    """Raises ValueError for meters no fleet can be made of, UnknownPart for a type that is not there."""

    def __init__(self, sent: Sent) -> None:
        self.sent = sent
        count = sent.gateways * sent.telegrams
        group = FleetSpec("load", sent.type, count, security=sent.security, interval_s=sent.interval_s)
        self.fleet = Fleet([group], Seeds(sent.seed), start=START)
        self.calendar = Calendar(START)
        self._closed_ns: dict[int, int] = {}

    @cached_property
    def meters(self) -> list[str]:
        """Their names in every table, gateway by gateway."""
        return [str(self.fleet.address(meter)) for meter in range(self.fleet.n)]

    def meters_of(self, gateway: int) -> range:
        return range(gateway * self.sent.telegrams, (gateway + 1) * self.sent.telegrams)

    def closed_ns(self, sequence: int) -> int:
        """World time at which bundles of this number are closed: right after the last telegram of them all was heard.
        No multiple of the interval is late enough: meters wander two intervals about it (EN 13757-4), and drift."""
        if sequence not in self._closed_ns:
            numbers = np.full(self.fleet.n, sequence - 1, dtype=np.int64)
            self._closed_ns[sequence] = int(self.fleet.starts(np.arange(self.fleet.n), numbers).max()) + AIR_NS + 1
        return self._closed_ns[sequence]

    def payloads(self, gateway: I64, sequence: I64) -> list[bytes]:
        """The bodies of these bundles, in this order."""
        out: list[bytes] = []
        for low in range(0, len(gateway), _AT_ONCE):
            out += self._payloads(gateway[low : low + _AT_ONCE], sequence[low : low + _AT_ONCE])
        return out

    def _payloads(self, gateway: I64, sequence: I64) -> list[bytes]:
        size = self.sent.telegrams
        meter = (gateway[:, None] * size + np.arange(size)).reshape(-1)
        k = np.repeat(sequence - 1, size)
        end_ns = self.fleet.starts(meter, k) + AIR_NS
        order = np.lexsort((end_ns, np.repeat(np.arange(len(gateway)), size)))
        meter, k = meter[order], k[order]
        telegrams, ends = list(self.fleet.telegrams(meter, k)), end_ns[order].tolist()
        levels = (-95.0 + meter % _LEVELS).tolist()
        out = []
        for at, (one, serial) in enumerate(zip(gateway.tolist(), sequence.tolist(), strict=True)):
            part = slice(at * size, (at + 1) * size)
            rows: list[Row] = list(zip(telegrams[part], ends[part], levels[part], strict=True))
            out.append(encoded(name(one), serial, self.closed_ns(serial), rows))
        return out

    @property
    def bundle_bytes(self) -> int:
        """Of the first bundle of the first gateway."""
        return len(self.payloads(np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64))[0])

    def keyring(self) -> Keyring:
        keys = ((self.fleet.address(m), self.fleet.key(m)) for m in range(self.fleet.n))
        return Keyring({address: key for address, key in keys if key is not None})

    def registry(self) -> Registry:
        sent = self.sent
        entries = (
            MeterEntry(
                self.fleet.address(meter), security=sent.security, interval_s=sent.interval_s,
                gateways=frozenset([name(meter // sent.telegrams)]), under_way_s=2 * sent.interval_s,
            )
            for meter in range(self.fleet.n)
        )  # fmt: skip
        return Registry(entries, gateways=[name(one) for one in range(sent.gateways)])

    @staticmethod
    def portal_spec() -> PortalSpec:
        """All defences on. World time is compressed and how late a reading may be is the sentence's to say, so the
        portal itself takes what is up to a year old."""
        return PortalSpec(age_max_s=YEAR_S)
