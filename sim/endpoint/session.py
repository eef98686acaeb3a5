"""One client's connection to a real broker: paho-mqtt on the event loop.

Rules kept here. A session is connected when CONNACK (and SUBACK, if it subscribes) came, not when connect() returned:
under TLS 1.3 a refused client certificate shows only as a later disconnect. Nothing is published before that, so
nothing leaks to a server that was not accepted. Each connection is a fresh paho client: what an old one had in flight
is forgotten here, because custody is the gateway's and not the network library's. Refused or dropped, a session dials
again with a back-off that doubles from BACKOFF_S to BACKOFF_MAX_S and starts over after a connection that lasted.
"""

from __future__ import annotations

import select
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sim.core import clock
from sim.endpoint.client import ConnectedClient, TooManyUnacknowledged
from sim.endpoint.event_loop import DIAL_DEADLINE_S, EventLoop
from sim.endpoint.port import Address, EndpointError, Identity, Message, NotConnected, Session, Tap
from sim.endpoint.session_state import SessionState
from sim.endpoint.tls_connect import ConnectFailed, TlsConnect, reason_of, tls_context
from sim.endpoint.websocket_connect import WebSocketConnect

BACKOFF_S = 0.05
BACKOFF_MAX_S = 0.5  # lockstep waits for it
SESSION_EXPIRY_S = 3_600
AT_SUBSCRIBE = "closed by the server when it subscribed"
KEEPALIVE_S = 600  # a world may compute for minutes between two turns of the event loop


class MqttSession(SessionState):
    """See port.Session."""

    def __init__(
        self,
        loop: EventLoop,
        identity: Identity,
        address: Address,
        *,
        subscribe: tuple[str, ...] = (),
        verify: bool = True,
        clean: bool = True,
        keepalive_s: int = KEEPALIVE_S,
        taps: Sequence[Tap] = (),
        alpn: str = "",
        v5: bool = False,
        websocket: Callable[[], str] | None = None,
    ) -> None:
        """`v5`: MQTT 5 instead of 3.1.1. `websocket`: MQTT over a WebSocket, whose path and query this gives."""
        super().__init__(identity.client_id, subscribe)
        self._loop, self._address, self._clean, self._keepalive_s = loop, address, clean, keepalive_s
        self._taps = taps
        self._v5, self._websocket = v5, websocket
        try:
            self._context = tls_context(identity, verify=verify, alpn=alpn)
        except (OSError, ValueError) as error:
            raise EndpointError(
                f"{identity.client_id}: cannot load its certificate files ({reason_of(error)}); issue them again"
            ) from None
        self._dial: TlsConnect | WebSocketConnect | None = None
        self._client: ConnectedClient | None = None
        self._fd = -1
        self._subscribing = False  # CONNACK came, and SUBACK did not
        self._attempt = 0  # a timer or leave of an older attempt finds the number changed
        self._slot: Address | None = None  # whose leave to dial we hold
        self._closed = False
        self._backoff_s = BACKOFF_S
        self._since_s = 0.0
        self._ask_to_dial()

    # --- the port ----------------------------------------------------------------------------------------------

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if not self._connected or self._client is None:
            raise NotConnected(f"{self.client_id}: publish without a connection")
        self._unacknowledged += 1
        for tap in self._taps:
            tap(self.client_id, topic, payload)
        try:
            self._client.put(topic, payload, retain=retain)
        except ValueError as error:
            self._unacknowledged -= 1
            raise EndpointError(f"{self.client_id}: cannot publish to {topic!r}: {error}") from None
        except TooManyUnacknowledged:
            self._unacknowledged -= 1
            raise EndpointError(f"{self.client_id}: 65 535 publishes are unacknowledged; wait for some") from None

    def close(self) -> None:
        if self._closed:
            return
        if self._client is not None:
            self._client.on_disconnect = None
            self._client.disconnect()
        self._end("closed", "")

    def cut(self) -> None:
        if not self._closed:
            self._end("closed", "cut")

    def reroute(self, address: Address) -> None:
        """The network leads elsewhere from now on: what there is of a connection is reset, and dialled anew at once."""
        self._address = address
        if self._closed:
            return
        if self._dial is not None or self._client is not None:
            self._lost("connection reset on the path")
        self._backoff_s = BACKOFF_S
        self._ask_to_dial()

    def _listen(self, topic: str) -> None:
        self.topics.append(topic)
        if self._client is not None:
            self._client.subscribe(topic, 1)

    # --- dialling ----------------------------------------------------------------------------------------------

    def _ask_to_dial(self) -> None:
        self._attempt += 1
        attempt, where = self._attempt, self._address
        self._loop.queue_dial(where, lambda: self._begin(attempt, where))

    def _begin(self, attempt: int, where: Address) -> None:
        """The event loop allows this attempt."""
        if self._closed or attempt != self._attempt:
            self._loop.dial_ended(where)
            return
        self._slot = where
        self._loop.after(DIAL_DEADLINE_S, lambda: self._too_late(attempt))
        try:
            self._dial = (
                TlsConnect(where, self._context)
                if self._websocket is None
                else WebSocketConnect(where, self._context, self._websocket)
            )
        except ConnectFailed as failed:
            self._lost(str(failed))
            return
        self._fd = self._dial.socket.fileno()
        self._loop.watch(self._fd, self, self._dial.wants)

    def _too_late(self, attempt: int) -> None:
        if attempt == self._attempt and not self._connected and (self._dial or self._client):
            stage = self._dial.stage if self._dial else "CONNACK"
            self._lost(f"no answer within {DIAL_DEADLINE_S:.0f} s ({stage})")

    def _step_dial(self, dial: TlsConnect | WebSocketConnect) -> None:
        try:
            dial.step()
        except ConnectFailed as failed:
            self._lost(str(failed))
            return
        if not dial.done:
            self._loop.watch(self._fd, self, dial.wants)
            return
        self._dial = None
        client = ConnectedClient(self.client_id, dial.socket, clean=self._clean, v5=self._v5)
        client.username_pw_set(self.client_id)  # overruled by the certificate where the broker asks for one
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.acknowledged = self._on_acknowledged
        client.on_disconnect = self._on_disconnect
        client.on_socket_register_write = lambda *_: self._watch(select.EPOLLIN | select.EPOLLOUT)
        client.on_socket_unregister_write = lambda *_: self._watch(select.EPOLLIN)
        self._client = client
        self._watch(select.EPOLLIN)
        how: dict[str, Any] = {}
        if self._v5:  # where a session that is to stay says for how long
            how = {"clean_start": self._clean, "properties": Properties(PacketTypes.CONNECT)}  # type: ignore[no-untyped-call]
            how["properties"].SessionExpiryInterval = 0 if self._clean else SESSION_EXPIRY_S
        client.connect_async(self._address.host, self._address.port, self._keepalive_s, **how)
        client.reconnect()  # with a ready socket this only sends CONNECT

    def _watch(self, mask: int) -> None:
        if self._fd >= 0:
            self._loop.watch(self._fd, self, mask)

    # --- the event loop ---------------------------------------------------------------------------------------------

    def ready(self, mask: int) -> None:
        if self._dial is not None:
            self._step_dial(self._dial)
            return
        client = self._client
        if client is None:
            return
        if mask & select.EPOLLOUT:
            client.loop_write()
        if mask & ~select.EPOLLOUT:
            client.loop_read()
            while self._client is client and client.more:
                client.loop_read()

    def misc(self) -> None:
        if self._client is not None:
            self._client.loop_misc()

    # --- paho's callbacks (they run under paho's lock: they only note what happened) ---------------------------

    def _on_connect(self, client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            client.trouble = f"CONNACK: {code}"  # paho closes the connection next
        elif self.topics:
            self._subscribing = True
            client.subscribe([(topic, 1) for topic in self.topics])
        else:
            self._up()

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, codes: list[Any], _properties: Any) -> None:
        asked = self.topics[-1:] if self._connected else self.topics
        refused = [topic for topic, code in zip(asked, codes, strict=False) if code.is_failure]
        if refused:
            self.tell("refused", f"subscription to {', '.join(refused)}")
        if not self._connected:
            self._up()

    def _up(self) -> None:
        self._subscribing = False
        self.came_up()
        self._since_s = clock.wall_s()
        self._dial_over()

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.take(Message(message.topic, bytes(message.payload), message.retain, clock.wall_ns()))

    def _on_acknowledged(self) -> None:
        self._unacknowledged -= 1

    def _on_disconnect(self, client: mqtt.Client, *_: Any) -> None:
        if client is self._client:
            self._lost(self._client.trouble or (AT_SUBSCRIBE if self._subscribing else "closed by the server"))

    # --- endings -----------------------------------------------------------------------------------------------

    def _dial_over(self) -> None:
        if self._slot is not None:
            self._loop.dial_ended(self._slot)
            self._slot = None

    def _lost(self, reason: str) -> None:
        self.tell("dropped" if self._connected else "refused", reason)
        if self._connected and clock.wall_s() - self._since_s > BACKOFF_MAX_S:
            self._backoff_s = BACKOFF_S
        self._let_go()
        attempt = self._attempt
        self._loop.after(self._backoff_s, lambda: self._dial_again(attempt))
        self._backoff_s = min(2 * self._backoff_s, BACKOFF_MAX_S)

    def _dial_again(self, attempt: int) -> None:
        if attempt == self._attempt and not self._closed:
            self._ask_to_dial()

    def _end(self, state: str, reason: str) -> None:
        self._closed = True
        self._let_go()
        self.tell(state, reason)

    def _let_go(self) -> None:
        """Drop socket and client, whatever state they are in."""
        self.came_down()
        self._subscribing = False
        if self._fd >= 0:
            self._loop.forget(self._fd)
            self._fd = -1
        dial, self._dial = self._dial, None
        client, self._client = self._client, None
        if dial is not None:
            dial.close()
        if client is not None:
            client.drop()
        self._dial_over()


class Dialled:
    """Of port.Endpoint, what every kind has whose clients dial it: one event loop, the taps, the sessions it opened."""

    def __init__(self) -> None:
        self.loop = EventLoop()
        self.taps: list[Tap] = []
        self._sessions: weakref.WeakSet[MqttSession] = weakref.WeakSet()

    def settle(self, done: Callable[[], bool], deadline_s: float) -> bool:
        return self.loop.settle(done, deadline_s)

    def fence(self, session: Session) -> Callable[[], bool]:
        return session.fence()

    def _close_sessions(self) -> None:
        for session in list(self._sessions):
            session.close()
        self._sessions.clear()
