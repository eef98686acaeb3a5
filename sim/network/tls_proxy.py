"""A man in the middle: a real TLS server on 127.0.0.1 between a gateway and the broker.

The proxy shows a server certificate (a rogue authority's, one of the right authority for another name, an expired one)
and may have a device's stolen certificate. With the stolen one it relays to the real broker; without it the broker
refuses it, so it plays the broker itself (`upstream=None`). A client that checks the server breaks the handshake off,
and no byte of MQTT passes. From a client that does not check, the proxy sees every packet in clear, and may change
publishes (`alter`) or swallow them with a PUBACK of its own, which the gateway cannot distinguish from the broker's.
Where it plays the broker it may answer a publish with one of its own (`answer`).

It runs on a thread of its own, because it is no part of the world but stands on a wire of it. What it saw is in
`connections`, appended in order; `intercepted` of a live connection grows while it is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.endpoint import mqtt_wire
from sim.endpoint.mqtt_wire import BadPacket, Packet, Packets
from sim.endpoint.port import Address, EndpointError
from sim.endpoint.tls_connect import reason_of
from sim.network.loop_thread import LoopThread
from sim.pki.authority import Pair

Alter = Callable[[str, bytes], bytes | None]
Answer = Callable[[str, bytes], tuple[str, bytes] | None]
Reply = Callable[[Packet], Packet | None]
HANDSHAKE_DEADLINE_S = 5.0
_ANSWER_LOOK_S, _ANSWER_LOOKS = 0.005, 1_000


@dataclass(frozen=True, slots=True)
class Intercepted:
    """One PUBLISH of a client: what it said and what went on (None: swallowed)."""

    topic: str
    payload: bytes
    passed_on: bytes | None

    @property
    def altered(self) -> bool:
        """What was passed on differs from what came."""
        return self.payload != self.passed_on


@dataclass(slots=True)
class Connection:
    """What became of one client that dialled."""

    handshake: str = "under way"  # or "accepted", or why the client (or we) broke it off
    upstream: str = ""  # "accepted", "played", or why the broker would not have us
    client_id: str = ""
    bytes_up: int = 0  # MQTT bytes in clear, from the client
    bytes_down: int = 0
    packets: list[tuple[str, str]] = field(default_factory=list)  # ("up" | "down", packet name), in order
    intercepted: list[Intercepted] = field(default_factory=list)
    open: bool = True

    @property
    def accepted(self) -> bool:
        """The client completed the TLS handshake."""
        return self.handshake == "accepted"


class TlsProxy:
    """`start`, point a session's `address` at it, `stop`. `late_puback_s`: how long a PUBACK of the broker is held.
    `reply`: what it says to a packet where it plays the broker; that of one that takes everything unless given. Raises
    EndpointError."""

    def __init__(
        self,
        server: Pair,
        upstream: Address | None,
        *,
        stolen: Pair | None = None,
        alter: Alter | None = None,
        answer: Answer | None = None,
        port: int = 0,
        late_puback_s: float = 0.0,
        reply: Reply | None = None,
    ) -> None:
        self.connections: list[Connection] = []
        self.alter = alter
        self._late_puback_s = late_puback_s
        self._reply = reply or _answer
        self._answer = answer
        self._upstream = upstream
        self._server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server_context.load_cert_chain(server.certificate, server.key)
        self._client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client_context.check_hostname = False
        self._client_context.verify_mode = ssl.CERT_NONE
        if stolen is not None:
            self._client_context.load_cert_chain(stolen.certificate, stolen.key)
        try:
            self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        except OSError as error:
            raise EndpointError(f"port {port} for the man in the middle: {error.strerror}; choose another") from None
        self._listener.setblocking(False)
        self.address = Address("localhost", self._listener.getsockname()[1])
        self._thread = LoopThread("tls proxy")

    @property
    def intercepted(self) -> list[Intercepted]:
        """The publishes of all connections."""
        return [publish for connection in self.connections for publish in connection.intercepted]

    def start(self) -> None:
        self._thread.loop.call_soon(lambda: self._thread.spawn(self._accept()))
        self._thread.start()

    def stop(self) -> None:
        """Cut every connection and listen no more. Idempotent."""
        self._thread.stop()
        self._listener.close()

    # --- one connection ----------------------------------------------------------------------------------------

    async def _accept(self) -> None:
        loop = self._thread.loop
        while True:
            sock, _ = await loop.sock_accept(self._listener)
            connection = Connection()
            self.connections.append(connection)
            self._thread.spawn(self._serve(loop, sock, connection))

    async def _serve(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, connection: Connection) -> None:
        writers: list[asyncio.StreamWriter] = []
        try:
            down_reader, down_writer = await self._handshake(loop, sock)
            writers.append(down_writer)
            connection.handshake = "accepted"
            if self._upstream is None:
                connection.upstream = "played"
                await self._play(down_reader, down_writer, connection)
                return
            up_reader, up_writer = await self._dial(self._upstream, connection)
            writers.append(up_writer)
            relays = [
                asyncio.ensure_future(self._relay_up(down_reader, up_writer, down_writer, connection)),
                asyncio.ensure_future(self._relay_down(up_reader, down_writer, connection)),
            ]
            try:
                await asyncio.wait(relays, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for relay in relays:
                    relay.cancel()
                await asyncio.gather(*relays, return_exceptions=True)
        except (OSError, BadPacket, TimeoutError) as error:
            reason = reason_of(error) or type(error).__name__
            if not connection.accepted:
                connection.handshake = reason
            elif not connection.upstream:
                connection.upstream = reason
        finally:
            connection.open = False
            for writer in writers:
                writer.transport.abort()
            with contextlib.suppress(OSError):
                sock.close()

    async def _handshake(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, sock, ssl=self._server_context, ssl_handshake_timeout=HANDSHAKE_DEADLINE_S
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def _dial(
        self, upstream: Address, connection: Connection
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(
            upstream.host,
            upstream.port,
            ssl=self._client_context,
            server_hostname=upstream.host,
            ssl_handshake_timeout=HANDSHAKE_DEADLINE_S,
        )
        await self._until_answered(reader, writer)
        return reader, writer

    async def _until_answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Under TLS 1.3 the server judges our certificate after our side of the handshake is done: it sends a ticket
        for later sessions, or the alert that says why not. What is written before that alert is read makes the server's
        socket reset the connection, and the reset takes the alert away. Raises ssl.SSLError for an alert."""
        secured = writer.get_extra_info("ssl_object")
        for _ in range(_ANSWER_LOOKS):
            refused = reader.exception()
            if refused is not None:
                raise refused
            if reader.at_eof() or (secured.session is not None and secured.session.has_ticket):
                return
            await asyncio.sleep(_ANSWER_LOOK_S)

    async def _relay_up(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        connection: Connection,
    ) -> None:
        packets = Packets()
        while data := await source.read(65_536):
            connection.bytes_up += len(data)
            for packet in packets.feed(data):
                passed_on, answer = self._look(packet, connection)
                if passed_on is not None:
                    sink.write(passed_on.encode())
                if answer is not None:
                    back.write(answer.encode())
            await sink.drain()

    async def _relay_down(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, connection: Connection
    ) -> None:
        packets = Packets()
        try:
            while data := await source.read(65_536):
                connection.bytes_down += len(data)
                for packet in packets.feed(data):
                    connection.packets.append(("down", packet.name))
                    if packet.kind == mqtt_wire.CONNACK:
                        code = packet.body[1] if len(packet.body) == 2 else -1
                        connection.upstream = "accepted" if code == 0 else f"CONNACK {code}"
                    data_out = packet.encode()  # whole packets, since answers of our own go between them
                    if packet.kind == mqtt_wire.PUBACK and self._late_puback_s:
                        asyncio.get_running_loop().call_later(self._late_puback_s, sink.write, data_out)
                    else:
                        sink.write(data_out)
                await sink.drain()
        except OSError as error:
            connection.upstream = connection.upstream or reason_of(error)
            raise
        connection.upstream = connection.upstream or "closed by the server"

    async def _play(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, connection: Connection) -> None:
        packets = Packets()
        while data := await source.read(65_536):
            connection.bytes_up += len(data)
            for packet in packets.feed(data):
                self._look(packet, connection)
                for answer in (self._reply(packet), self._own(packet)):
                    if answer is not None:
                        connection.packets.append(("down", answer.name))
                        connection.bytes_down += len(answer.encode())
                        sink.write(answer.encode())
            await sink.drain()

    def _own(self, packet: Packet) -> Packet | None:
        """A publish of ours, to answer one of the client's."""
        if self._answer is None or packet.kind != mqtt_wire.PUBLISH:
            return None
        said = packet.publish()
        own = self._answer(said.topic, said.payload)
        return None if own is None else mqtt_wire.publish(mqtt_wire.Publish(*own, 0, None))

    def _look(self, packet: Packet, connection: Connection) -> tuple[Packet | None, Packet | None]:
        """Note it; (what goes on to the broker, what we answer the client ourselves)."""
        connection.packets.append(("up", packet.name))
        if packet.kind == mqtt_wire.CONNECT:
            connection.client_id = packet.client_id()
        if packet.kind != mqtt_wire.PUBLISH:
            return packet, None
        publish = packet.publish()
        if self._upstream is None:
            payload = None
        else:
            payload = self.alter(publish.topic, publish.payload) if self.alter else publish.payload
        connection.intercepted.append(Intercepted(publish.topic, publish.payload, payload))
        if payload is None:
            return None, _answer(packet)
        if payload == publish.payload:
            return packet, None
        changed = mqtt_wire.Publish(publish.topic, payload, publish.flags, publish.packet_id)
        return mqtt_wire.publish(changed), None


def _answer(packet: Packet) -> Packet | None:
    """What a broker that takes everything says."""
    match packet.kind:
        case mqtt_wire.CONNECT:
            return Packet(mqtt_wire.CONNACK, 0, b"\x00\x00")
        case mqtt_wire.PUBLISH:
            packet_id = packet.publish().packet_id
            return Packet(mqtt_wire.PUBACK, 0, packet_id) if packet_id else None
        case mqtt_wire.SUBSCRIBE:
            return Packet(mqtt_wire.SUBACK, 0, packet.packet_id + b"\x01" * packet.topics_asked())
        case mqtt_wire.UNSUBSCRIBE:
            return Packet(mqtt_wire.UNSUBACK, 0, packet.packet_id)
        case mqtt_wire.PINGREQ:
            return Packet(mqtt_wire.PINGRESP, 0, b"")
    return None
