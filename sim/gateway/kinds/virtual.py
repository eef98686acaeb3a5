"""The simulated gateway: keyless, it carries telegrams from the air to the portal and answers for them on the way.

Rules kept here. Telegrams go on as the radio heard them: no key, no decoding, nothing of wmbus. A bundle closes when
its age, count or size asks for it, at exactly that instant of world time, however often the gateway is asked, so
windows do not change what is published. It is in the outbox before it is published, published only on a connection
that is up, after the birth, and deleted only on an acknowledgement that names its content and that the portal signed.
One that it did not sign is counted, and the next birth says so. A new connection means that everything unacknowledged
is published again. A birth is said again on its connection until the portal acknowledged it, each time after twice as
long: a broker that is killed forgets whom it had to give it to, and its PUBACK promised nothing.

Poison. A bundle that the broker drops in silence (too big, denied), or answers by closing the connection, must not
block the rest: see in_flight. After REFUSALS_MAX refusals it is quarantined, which is still on the disk. An absent
portal never brings a bundle there: silence alone is no refusal.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Self

from sim.core.bundle import (
    ACK,
    BIRTH,
    BIRTH_NUMBER,
    UP,
    Ack,
    BadBundle,
    Birth,
    Bundle,
    Row,
    Taken,
    digest,
    encoded,
)
from sim.core.clock import ns
from sim.core.events import (
    AcknowledgementRefused,
    BundleAcknowledged,
    BundleCarried,
    BundleClosed,
    BundleQuarantined,
    Event,
    SessionChanged,
)
from sim.endpoint.port import NotConnected, Session
from sim.gateway.bundling import (
    NOT_YET,
    NOTHING_OPEN,
    OpenBundle,
    Telegrams,
    admit,
    admitted_until,
    closed_by_age_ns,
    limits_of,
)
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.in_flight import InFlight
from sim.gateway.outbox import Outbox
from sim.gateway.port import GatewayFeature, InWorld, Waking, Way, Wiring
from sim.gateway.registry import GatewayKind
from sim.gateway.state_report import TOPIC as SHADOW
from sim.gateway.state_report import StateReport
from sim.gateway.thinning import Thinning
from sim.pki.statements import verifies

RETRY_S = 60.0
BIRTH_RETRY_MOST_S = 3_600.0


class VirtualGateway(InWorld):
    """See port.GatewayPort. `dial` opens a session that is subscribed to `ack_topic(id)`. `device` names the hardware:
    boots are `<device>.<count>`, so another device name tells a clone from the original. `portal_key`: see
    port.Wiring; without one no acknowledgement can be verified."""

    features: ClassVar[frozenset[GatewayFeature]] = frozenset(
        {"always awake", "birth", "bundling rule", "custody", "forwards_encrypted", "power_cut", "quarantine", "shadow"}
    )

    waking: Waking | None = None
    thinning: Thinning | None = None

    def __init__(
        self,
        id: str,
        spec: GatewaySpec,
        outbox_path: Path,
        dial: Callable[[], Session],
        record: Callable[[Event], None],
        *,
        portal_key: bytes | None = None,
        device: str | None = None,
        retry_s: float = RETRY_S,
        way: Way | None = None,
    ) -> None:
        self.id = id
        self.spec = spec
        self.device = device or id
        self._portal_key = portal_key
        self._path = outbox_path
        self._dial = dial
        self._record = record
        self._retry_ns = ns(retry_s)
        self._way = way
        self._offset_ns = ns(spec.clock_offset_s)
        self._topic = UP.format(gateway=id)
        self.limits = limits_of(spec, id)
        self._bundle = NOTHING_OPEN
        self._open: list[Row] = []
        self._on = False
        self._boot(0)

    @classmethod
    def wired(cls, gateway: str, spec: GatewaySpec, wiring: Wiring) -> Self:
        """As a world connects it: switched on, its outbox in the world's directory."""
        disk = wiring.directory / f"{gateway}.sqlite"
        return cls(gateway, spec, disk, wiring.dial, wiring.record, portal_key=wiring.portal_key, way=wiring.way)

    # --- power -------------------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        return self._on

    def power_on(self, now_ns: int) -> None:
        if not self._on:
            self._boot(now_ns)

    def _boot(self, now_ns: int) -> None:
        self.outbox = Outbox(self._path)
        self.boot = f"{self.device}.{self.outbox.power_on()}"
        self._in_flight = InFlight((), match=self.spec.match_acknowledgements)
        for sequence, payload in self.outbox.waiting():
            self._leave(now_ns, sequence, payload)
        self.session = self._dial()
        self._quarantined = {item.sequence: digest(item.payload) for item in self.outbox.quarantined()}
        self._connects_seen = self._log_seen = self._refused = self._refused_told = 0
        self._live = False  # the birth was said on the present connection
        self._report = StateReport(self.spec.firmware, self.boot) if self.spec.shadow else None
        self._birth = ""  # digest of the latest birth, until the portal acknowledged it
        self._birth_again_ns = self._birth_wait_ns = 0
        self._on = True

    def power_cut(self, now_ns: int) -> None:
        """The open bundle is gone, unless its age had closed it before; the outbox is not."""
        if not self._on:
            return
        self.close_due(now_ns)
        self._on = False
        if self._way is not None:
            self._way.cut(now_ns)
        self.session.cut()
        self._log_session(now_ns)
        self.outbox.power_cut()
        self._forget_open()

    def close(self) -> None:
        """Switch off in order. The open bundle is closed into the outbox by its owner (`flush`) or gone."""
        if self._on:
            self._on = False
            self.session.close()
            self.outbox.close()
            self._forget_open()

    # --- radio side --------------------------------------------------------------------------------------------

    def receive(self, telegram: bytes, received_ns: int, rssi_dbm: float) -> None:
        if not self._on:
            return
        self.close_due(received_ns)
        closes_before, bundle, closes_after = admit(self._bundle, self.limits, received_ns, len(telegram))
        if closes_before:
            self._close(received_ns)
        self._bundle = bundle
        if self._report is not None:
            self._report.heard(telegram, self.clock_ns(received_ns))
        self._open.append((telegram, self.clock_ns(received_ns), rssi_dbm))
        if closes_after:
            self._close(received_ns)

    def receive_all(
        self, telegrams: Sequence[bytes], received_ns: Sequence[int], rssi_dbm: Sequence[float]
    ) -> Iterator[int]:
        """What `receive` does with each, which here is asked only of those that open a bundle or close one."""
        if not self._on:
            return
        offset_ns, report, at = self._offset_ns, self._report, 0
        of_rule = Telegrams.of(received_ns, list(map(len, telegrams)), self.limits)
        while at < len(telegrams):
            if self._open:
                begin = at
                at, self._bundle = admitted_until(self._bundle, self.limits, of_rule, begin, self.closed_by_age_ns)
                heard_ns = [time_ns + offset_ns for time_ns in received_ns[begin:at]]
                self._open += zip(telegrams[begin:at], heard_ns, rssi_dbm[begin:at], strict=True)
                if report is not None:
                    for telegram, time_ns in zip(telegrams[begin:at], heard_ns, strict=True):
                        report.heard(telegram, time_ns)
            if at < len(telegrams):
                yield at
                self.receive(telegrams[at], received_ns[at], rssi_dbm[at])
                at += 1

    def close_due(self, now_ns: int) -> None:
        closed_ns = self.closed_by_age_ns(self._bundle, now_ns)
        if closed_ns != NOT_YET:
            self._close(closed_ns)

    def closed_by_age_ns(self, bundle: OpenBundle, now_ns: int) -> int:
        """See bundling. A kind that closes bundles at other instants overrides this one method, within what
        `admitted_until` says of it."""
        return closed_by_age_ns(bundle, self.limits, now_ns)

    def flush(self, now_ns: int) -> None:
        """Close the open bundle now, whatever its age (the end of a run)."""
        if self._open:
            self._close(now_ns)

    def _forget_open(self) -> None:
        self._open.clear()
        self._bundle = NOTHING_OPEN

    def set_clock(self, offset_s: float) -> None:
        """Somebody sets its clock: so many seconds ahead of the right time from now on."""
        self._offset_ns = ns(offset_s)

    def clock_ns(self, now_ns: int) -> int:
        """What its clock shows at this world time."""
        return now_ns + self._offset_ns

    def _close(self, now_ns: int) -> None:
        """Into the outbox, which is synced before it is published."""
        heard, closed_ns = self._open, self.clock_ns(now_ns)
        count = len(heard)
        sequence, payload = self.outbox.store(lambda number: encoded(self.id, number, closed_ns, heard))
        self._forget_open()
        if self._in_flight.busy:
            self._report_due()
        self._leave(now_ns, sequence, payload)
        self._record(BundleClosed(now_ns, self.id, sequence, count, len(payload)))

    def _leave(self, now_ns: int, sequence: int, payload: bytes) -> None:
        """A bundle that is in the outbox begins its way to the broker."""
        if self._way is None:
            self._in_flight.add(sequence, payload)
        else:
            self._way.send(now_ns, sequence, payload)

    def _take_carried(self, now_ns: int) -> None:
        """What has come to the broker's end may be published."""
        for one in self._way.arrived(now_ns) if self._way is not None else ():
            self._record(BundleCarried(now_ns, self.id, one.sequence, one.sent_ns, one.arrives_ns))
            self._in_flight.add(one.sequence, one.payload)

    # --- network side ------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> tuple[int, ...]:
        return self._in_flight.waiting

    @property
    def quarantined(self) -> tuple[int, ...]:
        return tuple(sorted(self._quarantined))

    @property
    def open_bundle(self) -> tuple[bytes, ...]:
        return tuple(telegram for telegram, _, _ in self._open)

    def custody(self) -> frozenset[int]:
        if self._on:
            way = () if self._way is None else self._way.under_way
            return frozenset(self._quarantined).union(self._in_flight.waiting, way)
        with contextlib.closing(Outbox(self._path)) as disk:
            stored = [sequence for sequence, _ in disk.waiting()]
            return frozenset(stored).union(item.sequence for item in disk.quarantined())

    def on_disk(self) -> frozenset[bytes]:
        with contextlib.closing(Outbox(self._path)) as disk:
            payloads = [payload for _, payload in disk.waiting()] + [item.payload for item in disk.quarantined()]
        return frozenset(heard.telegram for payload in payloads for heard in Bundle.decode(payload).heard)

    def pump(self, now_ns: int) -> None:
        if not self._on:
            return
        session, in_flight = self.session, self._in_flight
        self.outbox.sync()
        self._take_carried(now_ns)
        if len(session.log) != self._log_seen:
            self._log_session(now_ns)
        if session.inbox:
            self._take_acknowledgements(now_ns)
        if self._live and session.connects == self._connects_seen:
            in_flight.published_until(session.unacknowledged)
        if self._live and (not session.connected or session.connects != self._connects_seen):
            self._live = False
            in_flight.connection_ended()
        if not session.connected:
            return
        try:
            if not self._live or (self._refused and not self._refused_told):
                self._live, self._connects_seen, self._refused_told = True, session.connects, self._refused
                self._birth_wait_ns = self._retry_ns
                self._say_birth(now_ns)
                self._report_due()
            elif self._birth and now_ns >= self._birth_again_ns:
                self._birth_wait_ns = min(2 * self._birth_wait_ns, ns(BIRTH_RETRY_MOST_S))
                self._say_birth(now_ns)
            if in_flight.busy:
                in_flight.late(now_ns - self._retry_ns)
                self._quarantine_refused(now_ns)
                while leaving := in_flight.next(now_ns):
                    for _, payload in leaving:
                        session.publish(self._topic, payload)
            if self._report is not None and self._report.due:
                in_flight.other_published()
                said = self._report.said(backlog=len(in_flight.waiting), quarantined=len(self._quarantined))
                session.publish(SHADOW.format(gateway=self.id), said)
        except NotConnected:
            pass  # lost while publishing: everything is in the outbox, the next connection sends it again

    def _say_birth(self, now_ns: int) -> None:
        """Raises NotConnected."""
        payload = Birth(self.id, self.boot, self.session.connects, self._refused).encode()
        self._birth, self._birth_again_ns = digest(payload), now_ns + self._birth_wait_ns
        self._in_flight.other_published()
        self.session.publish(BIRTH.format(gateway=self.id), payload)

    def _take_acknowledgements(self, now_ns: int) -> None:
        inbox, own = self.session.inbox, ACK.format(gateway=self.id)
        taken: list[Taken] = []
        while inbox:
            message = inbox.popleft()
            if message.topic == own:
                with contextlib.suppress(BadBundle):  # not from a portal of this version: no acknowledgement
                    taken += self._of_portal(Ack.decode(message.payload), now_ns)
        if Taken(BIRTH_NUMBER, self._birth) in taken:
            self._birth = ""
        late = [one.sequence for one in taken if self._quarantined.get(one.sequence) == one.digest]
        known = self._in_flight.acknowledged(taken)
        for sequence in late:
            self._quarantined.pop(sequence, None)
        self.outbox.acknowledged(known + late)
        for sequence in known + late:
            self._record(BundleAcknowledged(now_ns, self.id, sequence))
        if known or late:
            self._report_due()

    def _of_portal(self, ack: Ack, now_ns: int) -> tuple[Taken, ...]:
        """What it acknowledges; nothing where the portal did not sign it for this gateway."""
        signed = ack.gateway == self.id and verifies(self._portal_key, ack.signature, ack.statement)
        if signed or not self.spec.verify_acks:
            return ack.taken
        self._refused += 1
        self._record(AcknowledgementRefused(now_ns, self.id, len(ack.taken)))
        return ()

    def _report_due(self) -> None:
        if self._report is not None:
            self._report.due = True

    def _quarantine_refused(self, now_ns: int) -> None:
        for sequence, reason, mark in self._in_flight.take_refused():
            self.outbox.quarantine(sequence, reason)
            self._quarantined[sequence] = mark
            self._record(BundleQuarantined(now_ns, self.id, sequence, reason))

    def _log_session(self, now_ns: int) -> None:
        session = self.session
        new = zip(session.log[self._log_seen :], session.log_ns[self._log_seen :], strict=True)
        for (state, reason), wall_ns in new:
            self._record(SessionChanged(now_ns, session.client_id, state, reason, wall_ns))
        self._log_seen = len(session.log)



KIND = GatewayKind(
    id="virtual",
    title="Simulated keyless gateway with custody in SQLite",
    features=VirtualGateway.features,
    spec=GatewaySpec,
    make=VirtualGateway.wired,
)
