"""A small portal for tests: acknowledges each bundle and birth once it noted it, and counts what came twice."""

from __future__ import annotations

from sim.core.bundle import ACK, BIRTH_NUMBER, Ack, BadBundle, Birth, Bundle, Taken, digest
from sim.endpoint.port import Endpoint, NotConnected, Session
from sim.pki.statements import StatementKey


class AckingPortal:
    def __init__(self, endpoint: Endpoint, statements: StatementKey | None = None) -> None:
        self.session: Session = endpoint.connect(
            endpoint.identity("portal"), subscribe=("gw/+/up", "gw/+/birth"), clean=False
        )
        self.bundles: dict[tuple[str, int], Bundle] = {}
        self.payloads: dict[tuple[str, int], bytes] = {}
        self.births: list[Birth] = []
        self.duplicates = 0
        self.altered = 0
        self.away = False
        self.statements = statements or StatementKey()
        self._owed: list[tuple[str, Taken]] = []

    def pump(self) -> None:
        inbox = self.session.inbox
        while inbox:
            message = inbox.popleft()
            if message.topic.endswith("/birth"):
                self.births.append(Birth.decode(message.payload))
                self._owed.append((self.births[-1].gateway, Taken(BIRTH_NUMBER, digest(message.payload))))
                continue
            try:
                bundle = Bundle.decode(message.payload)
            except BadBundle:
                continue
            name = (bundle.gateway, bundle.sequence)
            if name in self.bundles:
                self.duplicates += 1
                self.altered += self.payloads[name] != message.payload
            self.bundles[name], self.payloads[name] = bundle, message.payload
            self._owed.append((bundle.gateway, Taken(bundle.sequence, digest(message.payload))))
        if self._owed and self.session.connected and not self.away:
            try:
                while self._owed:
                    gateway, taken = self._owed[0]
                    ack = Ack(gateway, (taken,))
                    self.session.publish(ACK.format(gateway=gateway), ack.signed(self.statements.sign).encode())
                    self._owed.pop(0)
            except NotConnected:
                pass
