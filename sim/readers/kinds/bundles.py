"""Our own gateways' bundles: this reader is their portal, and acknowledges what it was given."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from sim.core.bundle import ACK, UP, Ack, BadBundle, Bundle, Taken, digest
from sim.core.clock import Calendar, wall_ns
from sim.endpoint.port import Endpoint, EndpointError, Message, NotConnected, Session
from sim.endpoint.topic_acl import PORTAL
from sim.pki.authority import PkiError
from sim.pki.statements import StatementKey
from sim.readers.port import Delivered, Reader, ReaderError, ReaderKind, ReaderSpec, ReadGround, no_session

_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class BundlesSpec(ReaderSpec):
    """`acknowledge` False: a portal that never answers."""

    kind: str = "bundles"
    acknowledge: bool = True


class BundlesReader:
    """See port.Reader. `acknowledged`: bundles that were, each time."""

    place = ""

    def __init__(self, spec: BundlesSpec, endpoint: Endpoint, statements: StatementKey) -> None:
        self._spec, self._endpoint, self._statements = spec, endpoint, statements
        self._session: Session | None = None
        self.acknowledged = 0

    @property
    def problem(self) -> str | None:
        return no_session(self._session, "bundles")

    def start(self) -> None:
        endpoint = self._endpoint
        try:
            self._session = endpoint.connect(
                endpoint.identity(PORTAL), subscribe=(UP.format(gateway="+"),), clean=False
            )
        except EndpointError as error:
            raise ReaderError(str(error)) from None
        session = self._session
        if not endpoint.settle(lambda: session.connected, _CONNECT_S):
            raise ReaderError(str(self.problem))

    def take(self) -> list[Delivered]:
        session, rows = self._session, []
        while session is not None and session.inbox:
            rows += self._rows(session, session.inbox.popleft())
        return rows

    def _rows(self, session: Session, message: Message) -> list[Delivered]:
        arrived_ns = message.arrived_ns or wall_ns()
        try:
            bundle = Bundle.decode(message.payload)
        except BadBundle as error:
            row = Delivered(
                message.topic, message.payload, arrived_ns, unreadable=str(error), retained=message.retained
            )
            return [row]
        if self._spec.acknowledge:
            with contextlib.suppress(NotConnected):  # it sends the bundle again, and then it is
                mark = Taken(bundle.sequence, digest(message.payload))
                ack = Ack(bundle.gateway, (mark,)).signed(self._statements.sign)
                session.publish(ACK.format(gateway=bundle.gateway), ack.encode())
                self.acknowledged += 1
        return [
            Delivered(
                message.topic, message.payload, arrived_ns, heard.telegram, rssi_dbm=heard.rssi_dbm,
                stamp=_UNIX.at(heard.received_ns), stamp_of="reception", retained=message.retained,
            )
            for heard in bundle.heard
        ]  # fmt: skip

    def stop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


_UNIX = Calendar.since_1970()


def _make(spec: BundlesSpec, ground: ReadGround) -> Reader:
    if ground.endpoint is None:
        raise ReaderError("bundles come over a broker, and listen.broker is false")
    try:
        return BundlesReader(spec, ground.endpoint, StatementKey.kept(ground.portal_key))
    except PkiError as error:
        raise ReaderError(str(error)) from None


KIND = ReaderKind("bundles", "Bundles of our own gateways, acknowledged", BundlesSpec, _make)
