"""Which meters are silent: no reading stored for longer than their interval and planned pauses explain.

Measured by the portal's own clock, from when it stored the last reading; a meter never heard counts from when it was
registered. What its gateways may keep back before they deliver is no silence. The alarms `gap` and `jam` look here.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from sim.core.clock import ns
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal_spec import PortalSpec
from sim.portal.store_port import Store


class Silence:
    """`silent`: meters that are. `fell` and `spoke`: meter -> how long it was or had been silent, since last asked."""

    def __init__(self, spec: PortalSpec, store: Store, registry: Registry) -> None:
        self._gap_intervals = spec.gap_intervals
        self._store, self._registry = store, registry
        self.silent: set[str] = set()
        self.fell: dict[str, int] = {}
        self.spoke: list[str] = []
        self._taken_ns: dict[str, int] = {}
        self._changed: set[str] = set()
        self._due: list[tuple[int, str]] = []
        self._due_of: set[str] = set()
        self._entries: dict[str, MeterEntry] = {}

    def forget(self, silent: Iterable[str]) -> None:
        """Back to what is committed; `silent`: whose gap stands."""
        self._taken_ns = self._store.last_taken()
        self.silent = set(silent)
        self.fell, self.spoke = {}, []
        self._changed, self._due, self._due_of, self._entries = set(), [], set(), {}

    def took(self, meters: Sequence[str], now_ns: int) -> None:
        """Readings of these meters were stored."""
        self._taken_ns.update(dict.fromkeys(meters, now_ns))
        self._changed.update(meters)
        self.spoke = []
        if self.silent:
            self.spoke = [meter for meter in dict.fromkeys(meters) if meter in self.silent]
            self.silent.difference_update(self.spoke)
            self._due_of.difference_update(self.spoke)  # to be put in line again

    def watch(self, now_ns: int) -> None:
        """Costs only the meters whose time has come."""
        self.fell = {}
        self._line_up(now_ns)
        while self._due and self._due[0][0] < now_ns:
            _, meter = heapq.heappop(self._due)
            if meter not in self._due_of:
                continue
            entry, last_ns = self._entries[meter], self._taken_ns[meter]
            most_s = max(self._gap_intervals * entry.interval_s, entry.interval_s + entry.under_way_s)
            limit_ns = ns(most_s + entry.planned_silence_s)
            if now_ns - last_ns > limit_ns:
                self._due_of.discard(meter)
                self.silent.add(meter)
                self.fell[meter] = now_ns - last_ns
            else:
                heapq.heappush(self._due, (last_ns + limit_ns, meter))

    def _line_up(self, now_ns: int) -> None:
        """Meters that are registered and not in line yet."""
        if len(self._due_of) + len(self.silent) == len(self._registry):
            return
        for entry in self._registry:
            if entry.name not in self._due_of and entry.name not in self.silent:
                self._entries[entry.name] = entry
                if entry.name not in self._taken_ns:
                    self._taken_ns[entry.name] = now_ns
                    self._changed.add(entry.name)
                self._due_of.add(entry.name)
                heapq.heappush(self._due, (self._taken_ns[entry.name], entry.name))

    def entry(self, meter: str) -> MeterEntry | None:
        """The meter as registered, once it is in line."""
        return self._entries.get(meter)

    def write(self) -> None:
        """Inside the transaction that stores the readings."""
        self._store.put_last_taken([(meter, self._taken_ns[meter]) for meter in sorted(self._changed)])
        self._changed.clear()
