"""The portal of a running world: messages in, one transaction, acknowledgements out.

    messages ─► batch ─► intake ─► verdicts ─► readings, refusals, evidence, sightings, alarms in one store

Rules kept: a bundle is acknowledged after the commit that holds it and never before (a PUBACK is not custody); a take
that fails leaves store, checks and alarms as they were; no refused telegram is thrown away; a telegram that cannot be
handled is put aside alone and takes no other with it. Telegrams of all bundles of a take are stored in the order in
which the gateways say they heard them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.core import bundle
from sim.core.bundle import Columns
from sim.core.clock import Calendar
from sim.core.events import Event
from sim.core.parts import PartError
from sim.endpoint.port import Message
from sim.portal import messages as of_gateways
from sim.portal import reasons
from sim.portal.episodes import Alarms
from sim.portal.evidence_quota import EvidenceQuota
from sim.portal.intake import Earlier, Intake
from sim.portal.keyring import Keyring
from sim.portal.messages import Receptions
from sim.portal.meter_registry import Registry
from sim.portal.meter_table import MeterTable
from sim.portal.onboarding import Announced, announcements, overwrite
from sim.portal.opener import Opener
from sim.portal.portal_spec import PortalSpec
from sim.portal.quarantine import culprits
from sim.portal.reception_batch import LIMIT_NS
from sim.portal.store_port import (
    FreshnessRow,
    MeterRow,
    Ownership,
    Refusal,
    StoreError,
    fingerprint,
    open_store,
)
from sim.portal.verdict_rows import told, written

I64 = NDArray[np.int64]


class _Undone(Exception):
    """A trial is over, and its transaction is rolled back."""


class Portal:
    """One portal on one directory. `record` gets AlarmRaised and TelegramRefused after the commit that holds them.
    `sign` signs acknowledgements; without it gateways that verify them believe none.

    `counts` since this portal was opened: "stored", "copies", "duplicate bundles", "bad messages",
    "evidence dropped", and "refused: <reason>". Raises StoreError.
    """

    def __init__(
        self,
        spec: PortalSpec,
        directory: Path,
        calendar: Calendar,
        record: Callable[[Event], None],
        *,
        keyring: Keyring,
        registry: Registry,
        sign: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.spec = spec
        self._sign = sign
        self.registry = registry
        self.store = open_store(spec.store, directory)
        self.alarms = Alarms(spec, self.store, registry)
        self._evidence = EvidenceQuota(self.store)
        self.counts: Counter[str] = Counter()
        self._keyring, self._calendar = keyring, calendar
        self._record = record
        self._meter_table = self._meter_table_now()
        opener = Opener(spec, calendar, keyring, registry)
        self._intake = Intake(spec, calendar, self._meter_table, opener, kept_ns=0)
        self._remember()
        self.write_registry()

    def __repr__(self) -> str:
        return f"<Portal {self.store.name}, {len(self.registry)} meters>"

    # --- who is registered -----------------------------------------------------------------------------------------

    def write_registry(self) -> None:
        """Put the registry where the roles' views look. To be called again after it was changed."""
        with self.store.transaction():
            self.store.put_registry(
                [MeterRow(e.name, e.security, e.interval_s, e.flat, e.house) for e in self.registry],
                self.registry.tenancies,
                [Ownership(*one) for one in self.registry.landlords],
            )

    def _meter_table_now(self) -> MeterTable:
        self._version = (self.registry.version, self._keyring.version)
        self._entries = list(self.registry)
        gateways = sorted({name for entry in self.registry for name in entry.gateways})
        self._number = {name: place for place, name in enumerate(gateways)}
        return MeterTable.of(self.registry, self._keyring, gateways)

    @property
    def _installed(self) -> frozenset[str] | None:
        return self.registry.gateways if self.spec.gateway_list else None

    def _opened(self, messages: Sequence[Message], now_ns: int) -> of_gateways.Opened:
        drop = self.spec.drop_duplicates
        return of_gateways.opened(messages, self.store, now_ns, self._installed, drop_duplicates=drop)

    def _enrol(self) -> None:
        """Registry and keys may have changed since the last take."""
        if self._version != (self.registry.version, self._keyring.version):
            self._meter_table = self._meter_table_now()
            self._intake.enrol(self._meter_table)

    def _remember(self) -> None:
        """What the store remembers of each meter."""
        row = {entry.name: place for place, entry in enumerate(self._entries)}
        blobs = ((row[kept.meter], kept.layout, kept.state) for kept in self.store.freshness() if kept.meter in row)
        try:
            self._intake.freshness.remember(blobs)
        except ValueError as error:
            raise StoreError(f"{self.store.name}: {error}; begin with an empty store") from None

    # --- the two verbs -----------------------------------------------------------------------------------------------

    def take(self, messages: Sequence[Message], now_ns: int) -> list[Message]:
        """Take what arrived; returns the acknowledgements to publish, one message a gateway. Raises StoreError: then
        nothing of it was kept, nothing is acknowledged, and the same messages may be given again."""
        self._keyring.expire(self._calendar.at(now_ns))
        self._enrol()
        aside: dict[bytes, str] = {}
        while True:
            try:
                return self._take(messages, now_ns, aside)
            except (StoreError, PartError):
                raise
            except Exception as error:  # whatever arrives, the portal lives
                more = self._culprits(messages, now_ns, aside, _said(error))
                if not more:
                    raise
                aside |= more

    def _culprits(
        self, messages: Sequence[Message], now_ns: int, aside: Mapping[bytes, str], raised: str
    ) -> dict[bytes, str]:
        """Telegrams that cannot be handled, beside those that are aside already."""
        bundles = self._opened(messages, now_ns).bundles
        every = dict.fromkeys(raw for one in bundles for raw in one.telegrams if raw not in aside)

        def trial(some: Sequence[bytes]) -> str:
            wanted = set(some)
            try:
                with self.store.transaction():
                    self._judge(self._receptions([one.split(wanted.__contains__)[0] for one in bundles]), now_ns)
                    self.alarms.write()
                    raise _Undone
            except (_Undone, StoreError):
                return ""
            except Exception as error:
                return _said(error)
            finally:
                self._intake.back()
                self._intake.done()
                self.alarms.forget()

        return culprits(list(every), trial, raised) if every else {}

    def _take(self, messages: Sequence[Message], now_ns: int, aside: Mapping[bytes, str]) -> list[Message]:
        counts = self._intake.counts.copy()
        announced: Sequence[Announced] = ()
        try:
            with self.store.transaction():
                opened = self._opened(messages, now_ns)
                for gateway, detail in opened.conflicts:
                    self.alarms.conflict(gateway, now_ns, detail)
                for birth in opened.births:
                    self.alarms.born(birth, now_ns)
                for taken in opened.taken:
                    self.alarms.bundled(taken.gateway, taken.sequence, now_ns)
                self.store.add_messages(opened.taken)
                evidence = self._evidence.kept(opened.evidence) if self.spec.evidence_quota else opened.evidence
                self.store.add_evidence(evidence)
                put_aside, bundles = _apart(opened.bundles, aside, now_ns)
                announced = announcements(self.registry, ((raw, b.gateway) for b in bundles for raw in b.telegrams))
                for one in announced:
                    self.alarms.announced(one.entry.name, now_ns, one.detail)
                self.store.add_refusals(put_aside)
                events = [*map(told, put_aside), *self._judge(self._receptions(bundles), now_ns)]
                self.alarms.write()
        except BaseException:
            self._intake.back()
            self.alarms.forget()
            self._evidence.forget()
            raise
        finally:
            self._intake.done()
        if announced and self.spec.onboarding == "overwrite":
            overwrite(self.registry, announced)
            self.write_registry()
        self.counts.update(self._intake.counts - counts)
        if put_aside:
            self.counts[f"refused: {reasons.QUARANTINED}"] += len(put_aside)
        for what, count in (
            ("duplicate bundles", opened.duplicates), ("bad messages", opened.bad),
            ("evidence dropped", len(opened.evidence) - len(evidence)),
        ):  # fmt: skip
            if count:
                self.counts[what] += count
        self._tell(events)
        return [self._acknowledgement(bundle.Ack(name, tuple(taken))) for name, taken in opened.acks.items()]

    def _acknowledgement(self, ack: bundle.Ack) -> Message:
        signed = ack if self._sign is None else ack.signed(self._sign)
        return Message(bundle.ACK.format(gateway=ack.gateway), signed.encode())

    def _receptions(self, bundles: Sequence[Columns]) -> Receptions:
        return of_gateways.receptions(bundles, self._number)

    def _judge(self, heard: Receptions, now_ns: int) -> Sequence[Event]:
        """Verdicts into the store, and to the alarms; returns what the history is told."""
        if not heard.telegrams:
            return []
        known = {raw: fingerprint(raw) for raw in dict.fromkeys(heard.telegrams)}  # most are heard by several gateways
        marks = [known[raw] for raw in heard.telegrams]
        mark: I64 = np.frombuffer(bytes.fromhex("".join(one[:16] for one in marks)), dtype=np.int64)
        earlier = self._earlier(marks)
        taken = self._intake.take(heard.batch, now_ns, mark=mark.copy(), stored=earlier, words=True)
        rows = written(self._intake, self._entries, heard, marks, taken)
        store = self.store
        self.alarms.took(rows.accepted, now_ns)  # an alarm that asks the store hears what was there before
        store.add_readings(rows.readings)
        store.add_refusals(rows.refusals)
        store.add_sightings(rows.sightings)
        names = self._entries
        store.put_freshness([FreshnessRow(names[row].name, layout, raw) for row, layout, raw in self._intake.changed()])
        for name, number in self._number.items():
            if number in taken.clocks:
                self.alarms.clock(name, taken.clocks[number], now_ns)
        for meter, gateway, words in rows.suspicious:
            self.alarms.refused(meter, gateway, now_ns, words)
        return rows.events

    def _earlier(self, marks: Sequence[str]) -> Earlier:
        """What earlier takes stored of the same bytes."""
        place = dict(zip(marks, range(len(marks)), strict=True))
        known = [(place[mark], one) for mark, found in self.store.known(place.keys()).items() for one in found]
        for _, one in known:
            self._number.setdefault(one.gateway, len(self._number))
        received = np.array([one.received_ns for _, one in known], dtype=np.int64)
        return Earlier(
            np.array([at for at, _ in known], dtype=np.int64),
            np.array([self._number[one.gateway] for _, one in known], dtype=np.int64),
            np.clip(received, -LIMIT_NS, LIMIT_NS),
        )

    def watch(self, now_ns: int) -> None:
        """Let time pass: silent meters, ends of alarms. The world calls this at the end of each window."""
        try:
            with self.store.transaction():
                self.alarms.watch(now_ns)
                self.alarms.write()
        except BaseException:
            self.alarms.forget()
            raise
        self._tell([])

    def close(self) -> None:
        """The same directory opened again is the same portal."""
        self.store.close()

    def _tell(self, events: Sequence[Event]) -> None:
        for event in [*events, *self.alarms.raised()]:
            self._record(event)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _apart(
    bundles: Sequence[Columns], aside: Mapping[bytes, str], now_ns: int
) -> tuple[list[Refusal], Sequence[Columns]]:
    """Refusals of the telegrams that are to be put aside, and the bundles without them."""
    if not aside:
        return [], bundles
    parts = [one.split(lambda raw: raw not in aside) for one in bundles]
    rows = [
        Refusal(
            "", one.gateway, received_ns, now_ns, reasons.QUARANTINED, aside[raw], fingerprint(raw), raw,
            level if math.isfinite(level) else None,
        )
        for _, one in parts
        for raw, received_ns, level in zip(one.telegrams, one.received_ns, one.rssi_dbm, strict=True)
    ]  # fmt: skip
    return rows, [kept for kept, _ in parts]
