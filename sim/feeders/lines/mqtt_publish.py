"""Each telegram as one MQTT message to a broker that a product listens to, in clear or with certificates.

What is sent while there is no session is lost, as on the air; `problem` says so.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.core.settings import number
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.port import Address, EndpointError, Identity
from sim.endpoint.session import MqttSession
from sim.feeders.lines.port import Answer, LineError, LineKind, LineSpec

_TURN_S: Final = 0.02
WAITING_MOST: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttPublishSpec(LineSpec):
    """`topic`: of every message. `ca`, `certificate`, `key`: PEM files; without `ca` it speaks in clear."""

    kind: str = "mqtt_publish"
    host: str = "localhost"
    port: int = number(1883, low=1, high=65_535)
    topic: str
    client_id: str = "wmbench-telegrams"
    ca: str = ""
    certificate: str = ""
    key: str = ""


class MqttPublish:
    """See port.Line. A thread of its own turns the session's event loop."""

    broken = ""

    def __init__(self, spec: MqttPublishSpec) -> None:
        self.place = f"{spec.host}:{spec.port}"
        self._spec = spec
        self._waiting: deque[bytes] = deque()
        self._session: MqttSession | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def problem(self) -> str | None:
        session = self._session
        if session is None or session.connected:
            return None
        why = session.log[-1][1] if session.log else "not yet connected"
        return f"{self.place}: no session: {why}; see that its broker runs"

    def open(self, answer: Answer) -> None:
        spec = self._spec
        files = [Path(one) if one else None for one in (spec.certificate, spec.key, spec.ca)]
        loop = EventLoop()
        try:
            self._session = MqttSession(loop, Identity(spec.client_id, *files), Address(spec.host, spec.port))
        except EndpointError as error:
            raise LineError(str(error)) from None
        self._ended.clear()
        self._thread = threading.Thread(target=self._turn, args=(loop, self._session), name="mqtt line", daemon=True)
        self._thread.start()

    def attach(self, descriptor: int) -> None:
        os.close(descriptor)

    def send(self, data: bytes) -> int:
        session = self._session
        if session is None or not session.connected or len(self._waiting) >= WAITING_MOST:
            return 0
        self._waiting.append(data)
        return len(data)

    def close(self) -> None:
        self._ended.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        self._session = None

    def _turn(self, loop: EventLoop, session: MqttSession) -> None:
        while not self._ended.is_set():
            loop.settle(lambda: bool(self._waiting) and session.connected, _TURN_S)
            while self._waiting and session.connected:
                try:
                    session.publish(self._spec.topic, self._waiting.popleft())
                except EndpointError:
                    break
        loop.settle(lambda: not session.unacknowledged, 1.0)
        session.close()
        loop.close()


def _make(spec: MqttPublishSpec, _directory: Path, _bits_per_s: int | None) -> MqttPublish:
    return MqttPublish(spec)


LINE = LineKind("mqtt_publish", "MQTT, one message a telegram", MqttPublishSpec, _make)
