"""Alarms: once an episode, cleared when it ends, kept across restarts.

    tamper     the meter says so: error flags in its records, or its status byte
    gap        no accepted telegram for more than `gap_intervals` of the meter's interval (asked by `watch`)
    freshness  telegrams of a meter refused as replayed or forged; a thousand of them are one episode
    twin       two devices use one gateway's name: other content under one sequence, or boots that alternate
    jam        a good part of the meters bound to one gateway fall silent together

An alarm is the portal's opinion and no verdict is made of it. It is recorded after the commit that caused it: a take
that fails raises nothing. Silence is measured by the portal's own clock, from when it stored the last reading.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from dataclasses import dataclass

from sim.core.clock import NS_PER_DAY, NS_PER_HOUR, NS_PER_S, ns
from sim.core.events import AlarmRaised
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal_spec import Alarm, PortalSpec
from sim.portal.store import Store

FRESHNESS_QUIET_NS = NS_PER_HOUR  # without another refusal for so long (at least three intervals) it is over
TWIN_QUIET_NS = NS_PER_DAY
RECONNECTS = 3  # more than these within the span below: the gateway is being displaced, not shaken
RECONNECT_SPAN_NS = 900 * NS_PER_S
JAM_SHARE = 0.3
JAM_LEAST = 5  # meters; below that, silence is the meters' own


@dataclass(slots=True)
class Episode:
    raised_ns: int
    last_ns: int
    occasions: int
    detail: str


class Alarms:
    """`raised` holds what became an alarm since the last commit; the portal records it afterwards."""

    def __init__(self, spec: PortalSpec, store: Store, registry: Registry) -> None:
        self._on = frozenset(spec.alarms)
        self._gap_intervals = spec.gap_intervals
        self._store = store
        self._registry = registry
        self.raised: list[AlarmRaised] = []
        self.forget()

    def forget(self) -> None:
        """Back to what is committed: after a rollback, and at the start."""
        self.raised = []
        self._rows: dict[tuple[str, str, int], tuple[object, ...]] = {}
        query = self._store.query
        self._open: dict[tuple[str, str], Episode] = {
            (kind, subject): Episode(*rest)
            for kind, subject, *rest in query(
                "SELECT kind, subject, raised_ns, last_ns, occasions, detail FROM alarms WHERE cleared_ns IS NULL"
            )
        }
        self._taken_ns: dict[str, int] = dict(query("SELECT meter, taken_ns FROM silence"))
        self._taken_changed: set[str] = set()
        self._due: list[tuple[int, str]] = []
        self._due_of: set[str] = set()
        self._silent: set[str] = {subject for kind, subject in self._open if kind == "gap"}
        self._reconnects: dict[str, deque[int]] = {}
        self._entries: dict[str, MeterEntry] = {}

    def open(self, kind: Alarm) -> dict[str, str]:
        """Subject -> detail of the alarms of one kind that stand."""
        return {subject: episode.detail for (k, subject), episode in self._open.items() if k == kind}

    # --- what the portal tells -----------------------------------------------------------------------------------

    def took(self, meter: str, now_ns: int, tamper: str | None) -> None:
        """A reading was accepted; `tamper` says what the telegram complains of, None when of nothing."""
        self._taken_ns[meter] = now_ns
        self._taken_changed.add(meter)
        if meter in self._silent:
            self._silent.discard(meter)
            self._end("gap", meter, now_ns)
            self._due_of.discard(meter)  # to be put in line again
        if tamper is not None:
            self._raise("tamper", meter, now_ns, tamper)
        elif self._open:
            self._end("tamper", meter, now_ns)

    def refused(self, meter: str, now_ns: int, detail: str) -> None:
        """A telegram in this meter's name was replayed or forged."""
        self._raise("freshness", meter, now_ns, detail)

    def conflict(self, gateway: str, now_ns: int, detail: str) -> None:
        """Two bundles under one sequence of a gateway."""
        self._raise("twin", gateway, now_ns, detail)

    def born(self, gateway: str, boot: str, connects: int, now_ns: int) -> None:
        """A gateway connected. A new boot alone is a power cycle; a boot that was left and comes back, a count of
        sessions that falls, or more connects than a shaky network explains are two devices."""
        known = {
            name: (place, count)
            for name, place, count in self._store.query(
                "SELECT boot, place, connects FROM births WHERE gateway = ?", (gateway,)
            )
        }
        latest = max((place for place, _ in known.values()), default=-1)
        place, count = known.get(boot, (latest + 1, 0))
        if connects == count:
            return  # the broker delivered it twice
        if boot in known and place < latest and connects > count:
            self._raise("twin", gateway, now_ns, "a boot that was followed by another one is back")
            place = latest + 1
        elif connects < count - RECONNECTS:
            self._raise("twin", gateway, now_ns, f"its count of connections fell from {count} to {connects}")
        if connects > 1:
            times = self._reconnects.setdefault(gateway, deque(maxlen=RECONNECTS + 1))
            times.append(now_ns)
            if len(times) > RECONNECTS and now_ns - times[0] < RECONNECT_SPAN_NS:
                self._raise("twin", gateway, now_ns, f"more than {RECONNECTS} reconnects in a quarter of an hour")
        self._store.insert("births", [(gateway, boot, place, max(count, connects))], replace=True)

    # --- what only time tells ------------------------------------------------------------------------------------

    def watch(self, now_ns: int) -> None:
        """Find silent meters and ends of episodes. Costs only the meters whose time has come."""
        self._line_up(now_ns)
        while self._due and self._due[0][0] < now_ns:
            _, meter = heapq.heappop(self._due)
            if meter not in self._due_of:
                continue
            entry = self._entries[meter]
            last_ns = self._taken_ns[meter]
            limit_ns = ns(self._gap_intervals * entry.interval_s + entry.planned_silence_s)
            if now_ns - last_ns > limit_ns:
                self._due_of.discard(meter)
                self._silent.add(meter)
                since = f"{(now_ns - last_ns) / NS_PER_S:.0f} s, interval {entry.interval_s:g} s"
                self._raise("gap", meter, now_ns, f"no accepted telegram for {since}")
            else:
                heapq.heappush(self._due, (last_ns + limit_ns, meter))
        self._watch_jam(now_ns)
        for (kind, subject), episode in list(self._open.items()):
            quiet_ns = now_ns - episode.last_ns
            if kind == "freshness":
                known = self._entries.get(subject)
                if quiet_ns > max(FRESHNESS_QUIET_NS, 3 * known.interval_ns if known else 0):
                    self._end(kind, subject, now_ns)
            elif kind == "twin" and quiet_ns > TWIN_QUIET_NS:
                self._end(kind, subject, now_ns)

    def _line_up(self, now_ns: int) -> None:
        """Meters that are registered and not waited for yet. One never heard counts from now."""
        if len(self._due_of) + len(self._silent) == len(self._registry):
            return
        for entry in self._registry:
            if entry.name not in self._due_of and entry.name not in self._silent:
                self._entries[entry.name] = entry
                if entry.name not in self._taken_ns:
                    self._taken_ns[entry.name] = now_ns
                    self._taken_changed.add(entry.name)
                self._due_of.add(entry.name)
                heapq.heappush(self._due, (self._taken_ns[entry.name], entry.name))

    def _watch_jam(self, now_ns: int) -> None:
        standing = [subject for kind, subject in self._open if kind == "jam"]
        if not standing and len(self._silent) < JAM_LEAST:
            return
        bound: dict[str, int] = defaultdict(int)
        silent: dict[str, int] = defaultdict(int)
        for entry in self._registry:
            for gateway in entry.gateways:
                bound[gateway] += 1
                silent[gateway] += entry.name in self._silent
        for gateway in sorted(bound):
            least = max(JAM_LEAST, JAM_SHARE * bound[gateway])
            if silent[gateway] >= least:
                detail = f"{silent[gateway]} of {bound[gateway]} meters silent"
                self._raise("jam", gateway, now_ns, detail)
            elif silent[gateway] < least / 2:
                self._end("jam", gateway, now_ns)

    # --- episodes ----------------------------------------------------------------------------------------------

    def _raise(self, kind: Alarm, subject: str, now_ns: int, detail: str) -> None:
        if kind not in self._on:
            return
        episode = self._open.get((kind, subject))
        if episode is None:
            episode = self._open[kind, subject] = Episode(now_ns, now_ns, 0, detail)
            self.raised.append(AlarmRaised(now_ns, kind, subject, detail))
        episode.last_ns = now_ns
        episode.occasions += 1
        self._keep(kind, subject, episode, None)

    def _end(self, kind: str, subject: str, now_ns: int) -> None:
        episode = self._open.pop((kind, subject), None)
        if episode is not None:
            self._keep(kind, subject, episode, now_ns)

    def _keep(self, kind: str, subject: str, episode: Episode, cleared_ns: int | None) -> None:
        self._rows[kind, subject, episode.raised_ns] = (
            kind, subject, episode.raised_ns, episode.last_ns, cleared_ns, episode.occasions, episode.detail,
        )  # fmt: skip

    def write(self) -> None:
        """Inside the transaction that stores the readings."""
        self._store.insert("alarms", list(self._rows.values()), replace=True)
        rows = [(meter, self._taken_ns[meter]) for meter in self._taken_changed]
        self._store.insert("silence", rows, replace=True)
        self._rows.clear()
        self._taken_changed.clear()
