"""Alarms as episodes: raised once, cleared when over, kept across restarts; and all alarms of one portal together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sim.core.bundle import Birth
from sim.core.events import AlarmRaised
from sim.core.meant import did_you_mean
from sim.core.part_errors import PartError, calling_part
from sim.portal.alarm import Accepted, Around, alarm_ids, alarms_in_order
from sim.portal.meter_registry import Registry
from sim.portal.portal_spec import PortalSpec
from sim.portal.silence import Silence
from sim.portal.store_port import AlarmRow, Store


@dataclass(slots=True)
class Episode:
    raised_ns: int
    last_ns: int
    occasions: int
    detail: str


class Episodes:
    """What stands. `raised` holds what became an alarm since the last commit; the portal records it afterwards. Kinds
    that are not `on` are never raised. Raises PartError for a kind that there is not, at the alarm's line."""

    def __init__(self, on: Collection[str], store: Store) -> None:
        self._on, self._known, self._store = frozenset(on), frozenset(alarm_ids()), store
        self.raised: list[AlarmRaised] = []
        self._open: dict[str, dict[str, Episode]] = {}
        self._rows: dict[tuple[str, str, int], AlarmRow] = {}

    def forget(self) -> None:
        """Back to what is committed: after a rollback, and at the start."""
        self.raised, self._rows, self._open = [], {}, {}
        for row in self._store.standing_alarms():
            episode = Episode(row.raised_ns, row.last_ns, row.occasions, row.detail)
            self._open.setdefault(row.kind, {})[row.subject] = episode

    def standing(self, kind: str) -> dict[str, Episode]:
        """Subject -> episode of one kind."""
        if kind not in self._open:
            self._check(kind)
        return self._open.get(kind, {})

    def _check(self, kind: str) -> None:
        if kind not in self._known:
            raise PartError(f"{calling_part()}there is no alarm '{kind}'{did_you_mean(kind, self._known)}")

    def occur(self, kind: str, subject: str, now_ns: int, detail: str) -> None:
        """An occasion: the first makes an alarm, a thousand of them are one episode."""
        if kind not in self._on:
            self._check(kind)
            return
        episode = self.standing(kind).get(subject)
        if episode is None:
            episode = self._open.setdefault(kind, {})[subject] = Episode(now_ns, now_ns, 0, detail)
            self.raised.append(AlarmRaised(now_ns, kind, subject, detail))
        episode.last_ns = now_ns
        episode.occasions += 1
        self._keep(kind, subject, episode, None)

    def end(self, kind: str, subject: str, now_ns: int) -> None:
        """It is over, if it stood."""
        episode = self.standing(kind).pop(subject, None)
        if episode is not None:
            self._keep(kind, subject, episode, now_ns)

    def end_quiet(self, kind: str, quiet_ns: int, now_ns: int) -> None:
        """Those of a kind that had no occasion for longer than this."""
        for subject, episode in list(self.standing(kind).items()):
            if now_ns - episode.last_ns > quiet_ns:
                self.end(kind, subject, now_ns)

    def _keep(self, kind: str, subject: str, episode: Episode, cleared_ns: int | None) -> None:
        self._rows[kind, subject, episode.raised_ns] = AlarmRow(
            kind, subject, episode.raised_ns, episode.last_ns, cleared_ns, episode.occasions, episode.detail
        )

    def write(self) -> None:
        """Inside the transaction that stores the readings."""
        self._store.put_alarms(list(self._rows.values()))
        self._rows.clear()


class Alarms:
    """All alarms of one portal."""

    def __init__(self, spec: PortalSpec, store: Store, registry: Registry) -> None:
        self.episodes = Episodes(spec.alarms, store)
        self._silence = Silence(spec, store, registry)
        around = Around(spec, registry, store, self.episodes, self._silence)
        self._watchers = [alarm.watcher(around) for alarm in alarms_in_order()]
        self.forget()

    def forget(self) -> None:
        self.episodes.forget()
        self._silence.forget(self.episodes.standing("gap"))
        for watcher in self._watchers:
            watcher.forget()

    def open(self, kind: str) -> dict[str, str]:
        """Subject -> detail of the alarms of one kind that stand."""
        return {subject: episode.detail for subject, episode in self.episodes.standing(kind).items()}

    def raised(self) -> list[AlarmRaised]:
        """What became an alarm since this was last asked."""
        raised, self.episodes.raised = self.episodes.raised, []
        return raised

    def took(self, accepted: Accepted, now_ns: int) -> None:
        self._silence.took(accepted.meters, now_ns)
        for watcher in self._watchers:
            watcher.took(accepted, now_ns)

    def refused(self, meter: str, gateway: str, now_ns: int, detail: str) -> None:
        for watcher in self._watchers:
            watcher.refused(meter, gateway, now_ns, detail)

    def announced(self, meter: str, now_ns: int, detail: str) -> None:
        for watcher in self._watchers:
            watcher.announced(meter, now_ns, detail)

    def clock(self, gateway: str, off_ns: int, now_ns: int) -> None:
        for watcher in self._watchers:
            watcher.clock(gateway, off_ns, now_ns)

    def bundled(self, gateway: str, sequence: int, now_ns: int) -> None:
        for watcher in self._watchers:
            watcher.bundled(gateway, sequence, now_ns)

    def conflict(self, gateway: str, now_ns: int, detail: str) -> None:
        for watcher in self._watchers:
            watcher.conflict(gateway, now_ns, detail)

    def born(self, birth: Birth, now_ns: int) -> None:
        for watcher in self._watchers:
            watcher.born(birth, now_ns)

    def watch(self, now_ns: int) -> None:
        self._silence.watch(now_ns)
        for watcher in self._watchers:
            watcher.watch(now_ns)

    def write(self) -> None:
        """Inside the transaction that stores the readings."""
        self.episodes.write()
        self._silence.write()
