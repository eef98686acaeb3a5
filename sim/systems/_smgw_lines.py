"""The WAN of a world with smart meter gateways: a line for each, what waits for it at either end, and who taps it.

A gateway tells what its housing noticed and what became of firmware, fetches rule sets and firmware that wait, asks for
new certificates, and gives containers, in this order. Without dummies the administrator wakes it when something waits
for it; with them he need not, since it asks at each of its times. Its time comes over a connection of its own that
passes at fixed times, and is none of these bytes.
"""

from __future__ import annotations

import json
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sim.core.clock import NS_PER_S, Steps, ns
from sim.core.events import RuleSetTaken
from sim.pki.party_certificates import ADMINISTRATOR, Certificate, PrivateKey
from sim.pki.server_certificate import NO_CHECK_TIME
from sim.pki.sm_triples import slot_of
from sim.smart_metering.administrator import Alarm
from sim.smart_metering.wan import answers, tls
from sim.smart_metering.wan.http_messages import Question, Reply
from sim.smart_metering.wan.talk import Errand
from sim.smart_metering.wan.world_line import Ends, Pace, Passing, WorldLine
from sim.smgw.refusals import RuleError

if TYPE_CHECKING:
    from sim.smart_metering.smart_gateway import SmartGateway
    from sim.systems._smgw_renewal import Renewals
    from sim.systems._smgw_running import Smgw
    from sim.systems.port import Ground



@dataclass
class Order:
    """A rule set that waits at the administrator. `due_s`: of values on demand (TAF 6). `taken`: None before its
    gateway has fetched it."""

    receiver: str
    taf: int
    due_s: int | None = None
    taken: bool | None = None

    def told(self) -> dict[str, object]:
        return {"receiver": self.receiver, "taf": self.taf} | ({} if self.due_s is None else {"due": self.due_s})


class Lines:
    """`taps`: shown all that passes on the WAN of any gateway."""

    def __init__(self, system: Smgw, ground: Ground) -> None:
        self._system, self._ground = system, ground
        settings = system.settings
        self._pace = Pace(settings.padding_bytes, settings.dummy_cells if settings.dummy_every_s else 0)
        self._every_ns = ns(settings.dummy_every_s)
        self.lines: list[WorldLine] = []
        self.taps: list[Callable[[Passing], None]] = []
        self._orders: dict[str, list[Order]] = {}
        self._images: dict[str, bytes] = {}
        self._fetches: set[str] = set()
        """Gateways that know of an image."""
        self._answer = answers.administrator(
            self._hand_on, _Waiting(self._orders, self._images, system.renewals),
            lambda: ground.calendar.at(ground.clock.now_ns), self._alarmed, self._images, system.renewals.answer,
        )  # fmt: skip

    def start(self) -> None:
        for number, gateway in enumerate(self._system.gateways):
            self.lines.append(self._line(number, gateway))
        self._system.calls.taps.append(self._datagram)
        self._system.calls.woken = self._woken
        if self._pace.cells:
            self._ground.clock.process(self._strikes())

    def look(self, number: int) -> None:
        """Something of a gateway's may wait for the administrator."""
        waits = self._waits(self._system.gateways[number].id)
        if not (waits and not self._pace.cells and self._system.calls.call(number)):
            self.lines[number].look(self._ground.clock.now_ns)

    def send(self, number: int, what: Order | bytes) -> None:
        """A rule set or an image for a gateway, which fetches it now, or at the next of its times. Of images the last
        one waits."""
        id_ = self._system.gateways[number].id
        if isinstance(what, bytes):
            self._images[id_] = what
        else:
            self._orders.setdefault(id_, []).append(what)
        if self._system.gateways[number].up:
            self.look(number)

    def _woken(self, number: int) -> None:
        """It asks what there is."""
        self.lines[number].called = True
        self.lines[number].look(self._ground.clock.now_ns)

    def total(self, what: Callable[[WorldLine], int]) -> int:
        """Of all lines."""
        return sum(what(line) for line in self.lines)

    # --- building ---------------------------------------------------------------------------------------------------

    def _line(self, number: int, gateway: SmartGateway) -> WorldLine:
        ends = Ends(
            lambda now_ns: self._system.administrator.session_since(gateway.id, now_ns),
            lambda: (self._context(number, gateway), self._server),
            self._answer,
            lambda: self._waits(gateway.id),
            lambda: self._due(number, gateway),
        )
        return WorldLine(gateway.id, f"{gateway.id}.SMGW", self._pace, ends, self._tell)

    def _context(self, number: int, gateway: SmartGateway) -> ssl.SSLContext:
        triple = gateway.triple
        key = self._system.modules[number].key_for_tls(slot_of("TLS", triple.number))
        return self._made(triple.certificates["TLS"], key, server=False)

    @cached_property
    def _server(self) -> ssl.SSLContext:
        triple = self._system.root.registration.triples[ADMINISTRATOR]
        return self._made(triple.certificates["TLS"], self._system.root.key_of(triple, "TLS"), server=True)

    def _made(self, certificate: Certificate, key: PrivateKey, *, server: bool) -> ssl.SSLContext:
        """Files are gone again when OpenSSL has read them: it takes a key in no other way."""
        with tempfile.TemporaryDirectory(prefix="wmbench-line-") as folder:
            root = self._system.root
            pair = root.write_pair(certificate, key, Path(folder))
            made = tls.context(pair, root.write(Path(folder) / "root.crt"), server=server)
        made.verify_flags |= NO_CHECK_TIME  # the world's clock looks at dates, when a session begins
        return made

    # --- what passes ------------------------------------------------------------------------------------------------

    def _waits(self, gateway: str) -> bool:
        """Something at the administrator of which it does not know."""
        image = gateway in self._images and gateway not in self._fetches
        return bool(self._orders.get(gateway)) or image or self._system.renewals.waits(gateway)

    def _strikes(self) -> Steps:
        clock = self._ground.clock
        while True:
            yield clock.timeout(self._every_ns)
            for gateway, line in zip(self._system.gateways, self.lines, strict=True):
                if gateway.up:
                    line.strike(clock.now_ns)

    def _tell(self, passing: Passing) -> None:
        for tap in self.taps:
            tap(passing)

    def _datagram(self, number: int, datagram: bytes) -> None:
        id_ = self._system.gateways[number].id
        self._tell(Passing(self._ground.clock.now_ns, id_, False, datagram, datagram=True))

    # --- what waits at the gateway ----------------------------------------------------------------------------------

    def _due(self, number: int, gateway: SmartGateway) -> Errand | None:
        housing = self._system.housings[number]
        if noticed := housing.untold:
            epoch_s = int(self._ground.calendar.start.timestamp())
            body = json.dumps([[one.what, epoch_s + one.time_ns // NS_PER_S] for one in noticed]).encode()

            def told(reply: Reply) -> bool:
                if reply.status == 204:
                    housing.told(len(noticed))
                return reply.status == 204

            return Errand(Question("POST", f"/{gateway.id}.sm/alarms", body), told)
        if untold := self._system.firmware.of[number].untold:
            body = json.dumps([list(one) for one in untold]).encode()

            def reported(reply: Reply) -> bool:
                if reply.status == 204:
                    self._system.firmware.of[number].told(len(untold))
                return reply.status == 204

            return Errand(Question("POST", f"/{gateway.id}.sm/alarms", body), reported)
        line = self.lines[number]
        if line.called:

            def fetched(reply: Reply) -> bool:
                line.called = False
                told = json.loads(reply.body) if reply.status == 200 else []
                if any("firmware" in one for one in told):
                    self._fetches.add(gateway.id)
                if any("keys" in one for one in told):
                    self._system.renewals.heard(gateway.id)
                self._obey(gateway, self._ground.clock.now_ns)
                return True

            return Errand(Question("GET", f"/{gateway.id}.sm/rules"), fetched)
        if gateway.id in self._fetches:

            def arrived(reply: Reply) -> bool:
                self._fetches.discard(gateway.id)
                self._images.pop(gateway.id, None)
                if reply.status == 200:
                    self._system.firmware.begin(number, reply.body)
                return True

            return Errand(Question("GET", f"/{gateway.id}.sm/firmware"), arrived)
        if errand := self._system.renewals.due(number, gateway):
            return errand
        for place, (receiver, container) in gateway.outbox.items():

            def given(reply: Reply, place: int = place) -> bool:
                if reply.status == 204:
                    gateway.delivered(place, self._ground.clock.now_ns)
                return reply.status == 204

            return Errand(Question("POST", f"/{receiver}.sm/delivery", container), given)
        return None

    def _obey(self, gateway: SmartGateway, now_ns: int) -> None:
        for order in self._orders.pop(gateway.id, ()):
            order.taken = self._obeyed(gateway, order, now_ns)
            self._ground.record(RuleSetTaken(now_ns, gateway.id, order.receiver, order.taf, order.taken))

    @staticmethod
    def _obeyed(gateway: SmartGateway, order: Order, now_ns: int) -> bool:
        if order.due_s is not None:
            return gateway.snapshots.ask(order.receiver, order.due_s, now_ns)
        try:
            gateway.obey(order.receiver, order.taf, now_ns)
        except RuleError:
            gateway.counts["rule set refused"] += 1
            return False
        return True

    # --- what the administrator does ----------------------------------------------------------------------------------

    def _hand_on(self, receiver: str, gateway: str, container: bytes) -> None:
        if not self._system.administrator.relay(gateway, receiver, container, self._ground.clock.now_ns):
            raise tls.WanError("refused", "the receiver does not take it now")

    def _alarmed(self, gateway: str, noticed: list[tuple[str, int]]) -> None:
        epoch_s, now_ns = int(self._ground.calendar.start.timestamp()), self._ground.clock.now_ns
        alarms = self._system.administrator.alarms
        alarms += [Alarm(now_ns, gateway, what, (at_s - epoch_s) * NS_PER_S) for what, at_s in noticed]


class _Waiting(dict[str, object]):
    """Gateway -> rule sets that wait for it, as they are told; that firmware does, or that it is to have new keys."""

    def __init__(self, orders: dict[str, list[Order]], images: dict[str, bytes], renewals: Renewals) -> None:
        super().__init__()
        self._orders, self._images, self._renewals = orders, images, renewals

    def get(self, gateway: str, default: object = None) -> object:
        told = [one.told() for one in self._orders.get(gateway, [])]
        told += [{"firmware": True}] if gateway in self._images else []
        return [*told, {"keys": "new"}] if self._renewals.waits(gateway) else told
