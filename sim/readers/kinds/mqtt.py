"""What a gateway publishes, as its inventory describes it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sim.core.clock import wall_ns
from sim.endpoint.port import Endpoint, EndpointError, Session
from sim.endpoint.topic_acl import READER
from sim.readers.message_content import Content, ContentSpec
from sim.readers.port import Delivered, Reader, ReaderError, ReaderKind, ReadGround, no_session

_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSpec(ContentSpec):
    """`topic`: patterns with + and #. What the broker had kept (retained) is marked, for it is no delivery."""

    kind: str = "mqtt"
    topic: tuple[str, ...]


class MqttReader:
    """See port.Reader. Its session stays when the broker is away, so what comes at QoS 1 meanwhile is not lost here."""

    place = ""

    def __init__(self, spec: MqttSpec, endpoint: Endpoint, client_id: str) -> None:
        self.content = Content(spec)
        self._topics, self._endpoint, self._client_id = spec.topic, endpoint, client_id
        self._session: Session | None = None

    @property
    def problem(self) -> str | None:
        return no_session(self._session, ", ".join(self._topics))

    def start(self) -> None:
        try:
            identity = dataclasses.replace(self._endpoint.identity(READER), client_id=self._client_id)
            self._session = self._endpoint.connect(identity, subscribe=self._topics, clean=False)
        except EndpointError as error:
            raise ReaderError(str(error)) from None
        session = self._session
        if not self._endpoint.settle(lambda: session.connected, _CONNECT_S):
            raise ReaderError(str(self.problem))
        refused = [reason for state, reason in session.log if state == "refused"]
        if refused:
            raise ReaderError(f"the broker: {refused[-1]}; name the topic in listen.topics")

    def take(self) -> list[Delivered]:
        session, rows = self._session, []
        while session is not None and session.inbox:
            one = session.inbox.popleft()
            came_ns = one.arrived_ns or wall_ns()
            rows += self.content.rows(one.topic, one.payload, came_ns, retained=one.retained)
        return rows

    def stop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


def _make(spec: MqttSpec, ground: ReadGround) -> Reader:
    if ground.endpoint is None:
        raise ReaderError("messages come over a broker, and listen.broker is false")
    if not spec.topic:
        raise ReaderError("read.topic names no topic; + is any level, # the rest")
    return MqttReader(spec, ground.endpoint, ground.client_id)


KIND = ReaderKind("mqtt", "What it publishes over MQTT", MqttSpec, _make)
