"""Messages in, readings out, acknowledgements back: one transaction a take.

Rules kept: a bundle is acknowledged after the commit that holds it and never before (a PUBACK is not custody); a
bundle that comes again is dropped and acknowledged again; the same sequence with other content is two devices under
one name: kept as evidence, judged telegram by telegram like any other bundle (a bundle proves nothing about its
telegrams, so neither is preferred) and acknowledged, because both are committed. What is no bundle is kept with a
reason and never acknowledged. Nothing that arrives can stop the portal, and no refused telegram is thrown away.

Telegrams of all bundles of a take are judged in the order in which the gateways say they heard them. Equal bytes heard
by another gateway within two seconds are the same transmission: a copy, counted and not judged. That tolerance is
between gateways' clocks; it is no defence, and a replay ten seconds later is judged.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sim.core import bundle
from sim.core.bundle import BadBundle, Bundle
from sim.core.clock import NS_PER_S, Calendar
from sim.core.events import Event, TelegramRefused
from sim.endpoint.port import Message
from sim.portal import reasons
from sim.portal.alarms import Alarms
from sim.portal.freshness import Freshness
from sim.portal.judge import Judge, Verdict
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import Registry
from sim.portal.portal_spec import PortalSpec
from sim.portal.store import Evidence, Reading, Refusal, Store, fingerprint

COPY_TOLERANCE_NS = 2 * NS_PER_S

_SIGHTING = """
    INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (meter, gateway) DO UPDATE SET taken = taken + excluded.taken, copies = copies + excluded.copies,
        refused = refused + excluded.refused, received_ns = excluded.received_ns, stored_ns = excluded.stored_ns,
        rssi_dbm = excluded.rssi_dbm
"""


class _Take:
    """What one take gathers before it is written."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.bundles: list[Bundle] = []
        self.acks: dict[str, dict[int, None]] = {}
        self.messages: list[tuple[str, int, str, int]] = []
        self.known: dict[tuple[str, int], set[str]] = {}
        self.evidence: list[Evidence] = []
        self.readings: list[Reading] = []
        self.refusals: list[Refusal] = []
        self.sightings: dict[tuple[str, str], list[Any]] = {}
        self.counts: Counter[str] = Counter()
        self.events: list[Event] = []

    def sight(self, meter: str, gateway: str, column: int, received_ns: int, rssi_dbm: float | None) -> None:
        """`column`: 2 taken, 3 copies, 4 refused."""
        row = self.sightings.get((meter, gateway))
        if row is None:
            row = self.sightings[meter, gateway] = [meter, gateway, 0, 0, 0, received_ns, self.now_ns, rssi_dbm]
        row[column] += 1
        row[5] = received_ns
        row[7] = rssi_dbm


class Portal:
    """One portal on one directory. `record` gets AlarmRaised and TelegramRefused after the commit that holds them.

    `counts` since this portal was opened: "stored", "copies", "duplicate bundles", "bad messages", and
    "refused: <reason>". Raises StoreError.
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
    ) -> None:
        self.spec = spec
        self.registry = registry
        self.store = Store(directory)
        self.alarms = Alarms(spec, self.store, registry)
        self.counts: Counter[str] = Counter()
        self._freshness = Freshness(spec, self.store)
        self._judge = Judge(spec, calendar, keyring, registry, self._freshness)
        self._record = record
        self.write_registry()

    def __repr__(self) -> str:
        return f"<Portal {self.store.path}, {len(self.registry)} meters>"

    def write_registry(self) -> None:
        """Put the registry where the roles' views look. To be called again after it was changed."""
        with self.store.transaction():
            for table in ("meters", "tenancies", "ownerships"):
                self.store.connection.execute(f"DELETE FROM {table}")
            self.store.insert("meters", [(e.name, e.security, e.interval_s, e.flat, e.house) for e in self.registry])
            self.store.insert(
                "tenancies", [(t.tenant, t.flat, t.from_ns, t.until_ns) for t in self.registry.tenancies]
            )
            self.store.insert("ownerships", self.registry.landlords)

    # --- the two verbs -----------------------------------------------------------------------------------------------

    def take(self, messages: Sequence[Message], now_ns: int) -> list[Message]:
        """Take what arrived; returns the acknowledgements to publish, one message a gateway. Raises StoreError: then
        nothing of it was kept, nothing is acknowledged, and the same messages may be given again."""
        take = _Take(now_ns)
        try:
            with self.store.transaction():
                for message in messages:
                    self._open(message, take)
                self._judge_all(take)
                self._write(take)
        except BaseException:
            self._freshness.forget()
            self.alarms.forget()
            raise
        self.counts.update(take.counts)
        self._tell(take.events)
        return [
            Message(bundle.ACK.format(gateway=gateway), bundle.encode_ack(gateway, list(sequences)))
            for gateway, sequences in take.acks.items()
        ]

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

    def _tell(self, events: list[Event]) -> None:
        raised, self.alarms.raised = self.alarms.raised, []
        for event in [*events, *raised]:
            self._record(event)

    # --- messages --------------------------------------------------------------------------------------------------

    def _open(self, message: Message, take: _Take) -> None:
        parts = message.topic.split("/")
        if len(parts) != 3 or parts[0] != "gw" or parts[2] not in ("up", "birth"):
            self._refuse_message(message, take, reasons.BAD_MESSAGE, "not a topic of a gateway")
            return
        try:
            if parts[2] == "birth":
                gateway, boot, connects = bundle.decode_birth(message.payload)
                boot.encode()
                opened = None
            else:
                opened = Bundle.decode(message.payload)
                gateway = opened.gateway
            gateway.encode()
        except (BadBundle, OverflowError, UnicodeEncodeError) as error:
            # OverflowError: a signal strength of 400 digits; UnicodeEncodeError: half a surrogate pair in a name.
            self._refuse_message(message, take, reasons.BAD_MESSAGE, str(error))
            return
        if gateway != parts[1]:
            self._refuse_message(message, take, reasons.OTHER_GATEWAY, f"body says {gateway}")
        elif opened is None:
            self.alarms.born(gateway, boot, connects, take.now_ns)
        else:
            self._open_bundle(message, opened, take)

    def _open_bundle(self, message: Message, opened: Bundle, take: _Take) -> None:
        place = (opened.gateway, opened.sequence)
        digest = bundle.digest(message.payload)
        known = take.known.get(place)
        if known is None:
            rows = self.store.query("SELECT digest FROM messages WHERE gateway = ? AND sequence = ?", place)
            known = take.known[place] = {row[0] for row in rows}
        take.acks.setdefault(opened.gateway, {})[opened.sequence] = None
        if digest in known:
            take.counts["duplicate bundles"] += 1
            return
        if known:
            detail = f"sequence {opened.sequence} came with {len(known) + 1} contents"
            take.evidence.append(
                Evidence(take.now_ns, message.topic, reasons.TWIN_BUNDLE, detail, message.payload)
            )
            self.alarms.conflict(opened.gateway, take.now_ns, detail)
        known.add(digest)
        take.messages.append((*place, digest, take.now_ns))
        take.bundles.append(opened)

    @staticmethod
    def _refuse_message(message: Message, take: _Take, reason: str, detail: str) -> None:
        take.counts["bad messages"] += 1
        # What a stranger sent may hold what SQLite cannot store as text.
        topic, detail = (text.encode("utf-8", "backslashreplace").decode() for text in (message.topic, detail))
        take.evidence.append(Evidence(take.now_ns, topic, reason, detail, message.payload))

    # --- telegrams -------------------------------------------------------------------------------------------------

    def _judge_all(self, take: _Take) -> None:
        heard = sorted(
            (one.received_ns, opened.gateway, opened.sequence, index, one.telegram, one.rssi_dbm)
            for opened in take.bundles
            for index, one in enumerate(opened.heard)
        )
        marks = [fingerprint(row[4]) for row in heard]
        stored = self.store.taken(set(marks))
        judge = self._judge
        for (received_ns, gateway, _, _, telegram, rssi), mark in zip(heard, marks, strict=True):
            rssi_dbm = rssi if math.isfinite(rssi) else None
            before = stored.get(mark)
            if before is not None and _is_copy(before, gateway, received_ns):
                take.counts["copies"] += 1
                take.sight(before[0][2], gateway, 3, received_ns, rssi_dbm)
                continue
            verdict = judge.judge(telegram, gateway, received_ns, take.now_ns)
            if verdict.reason == reasons.LATE and before is not None:
                verdict.reason = reasons.REPLAYED_LATE
            if verdict.reason is None or verdict.reason == reasons.LATE:
                judge.remember(verdict)
                stored.setdefault(mark, []).append((gateway, received_ns, verdict.meter))
            if verdict.reason is None:
                self._accept(verdict, gateway, received_ns, mark, rssi_dbm, take)
            else:
                self._refuse(verdict, gateway, received_ns, mark, rssi_dbm, telegram, take)

    def _accept(
        self, verdict: Verdict, gateway: str, received_ns: int, mark: str, rssi_dbm: float | None, take: _Take
    ) -> None:
        take.counts["stored"] += 1
        take.readings.append(verdict.reading(gateway, received_ns, take.now_ns, mark, rssi_dbm))
        take.sight(verdict.meter, gateway, 2, received_ns, rssi_dbm)
        self.alarms.took(verdict.meter, take.now_ns, verdict.tampering)

    def _refuse(
        self, verdict: Verdict, gateway: str, received_ns: int, mark: str, rssi_dbm: float | None, telegram: bytes,
        take: _Take,
    ) -> None:  # fmt: skip
        reason, meter = str(verdict.reason), verdict.meter
        take.counts[f"refused: {reason}"] += 1
        late = verdict.late_values() if reason == reasons.LATE else ()
        take.refusals.append(
            Refusal(
                meter, gateway, received_ns, take.now_ns, reason, verdict.detail, mark, telegram, rssi_dbm, *late
            )
        )
        take.sight(meter, gateway, 4, received_ns, rssi_dbm)
        take.events.append(TelegramRefused(take.now_ns, meter, gateway, reason, mark))
        if reason in reasons.STALE or reason in reasons.FORGED:
            self.alarms.refused(verdict.subject, take.now_ns, f"{reason}: {verdict.detail}")

    def _write(self, take: _Take) -> None:
        insert = self.store.insert
        insert("messages", take.messages)
        insert("evidence", take.evidence)
        insert("readings", take.readings)
        insert("refusals", take.refusals)
        self.store.connection.executemany(_SIGHTING, [tuple(row) for row in take.sightings.values()])
        self._freshness.write()
        self.alarms.write()


def _is_copy(before: list[tuple[str, int, str]], gateway: str, received_ns: int) -> bool:
    for other, when_ns, _ in before:
        if other != gateway and -COPY_TOLERANCE_NS <= received_ns - when_ns <= COPY_TOLERANCE_NS:
            return True
    return False
