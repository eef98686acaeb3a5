"""A broker in clear that lets everybody in, with defects that no setting of Mosquitto's brings about. One thread."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from sim.endpoint import mqtt_wire
from sim.endpoint.mqtt_wire import BadPacket, Packet, Publish
from sim.endpoint.topic_acl import matches
from sim.network.tcp_switch import _RESET


@dataclass(eq=False)
class Client:
    socket: socket.socket
    packets: mqtt_wire.Packets = field(default_factory=mqtt_wire.Packets)
    id: str = ""
    topics: list[str] = field(default_factory=list)
    published: int = 0


class Fragile:
    """`defect`: "malformed" (what is not MQTT ends every session), "resets" (and so does the fifth reset), "flood"
    (of client b, a bystander, the sixth message and all behind it are lost), "half" (a message that was cut
    is delivered as it is)."""

    def __init__(self, defect: str) -> None:
        self.defect = defect
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.clients: list[Client] = []
        self.resets = 0
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.ended = threading.Event()

    def serve(self) -> None:
        while not self.ended.is_set():
            for key, _ in self.selector.select(0.05):
                if key.data is None:
                    with contextlib.suppress(OSError):
                        plain, _ = self.listener.accept()
                        client = Client(plain)
                        self.clients.append(client)
                        self.selector.register(plain, selectors.EVENT_READ, client)
                elif key.data in self.clients:
                    self.read(key.data)

    def read(self, client: Client) -> None:
        try:
            data = client.socket.recv(1 << 16)
        except OSError:
            data = b""
            self.resets += 1
            if self.defect == "half" and client.id and client.packets._held:
                topic = f"fence/{client.id}"
                self.kept = Publish(topic, bytes(client.packets._held)[4 + len(topic) + 2 :], 2, b"\0\1")
            if self.defect == "resets" and self.resets >= 5:
                self.end_all()
        if not data:
            self.end(client)
            return
        try:
            for packet in client.packets.feed(data):
                self.take(client, packet)
        except (BadPacket, IndexError):
            if self.defect == "malformed":
                self.end_all()
            self.end(client)

    def take(self, client: Client, packet: Packet) -> None:
        kind = packet.kind
        if kind == mqtt_wire.CONNECT and not client.id:
            client.id = packet.client_id()
            client.socket.sendall(b"\x20\x02\0\0")
        elif kind == mqtt_wire.SUBSCRIBE and packet.flags == 2:
            at, codes = 2, b""
            while at < len(packet.body):
                topic, at = mqtt_wire._text(packet.body, at)
                client.topics.append(topic)
                at, codes = at + 1, codes + b"\1"
            client.socket.sendall(Packet(mqtt_wire.SUBACK, 0, packet.packet_id + codes).encode())
            kept = getattr(self, "kept", None)
            if kept is not None and any(matches(one, kept.topic) for one in client.topics):
                client.socket.sendall(mqtt_wire.publish(kept).encode())
        elif kind == mqtt_wire.PUBLISH and packet.flags & 6 != 6:
            self.publish(client, packet.publish())
        elif kind == mqtt_wire.DISCONNECT:
            self.end(client)
        elif kind not in (mqtt_wire.PUBACK, mqtt_wire.PINGREQ):
            raise BadPacket("unexpected")

    def publish(self, client: Client, message: Publish) -> None:
        client.published += 1
        if message.packet_id is not None:
            client.socket.sendall(Packet(mqtt_wire.PUBACK, 0, message.packet_id).encode())
        if self.defect == "flood" and client.id == "b" and client.published > 5:
            return
        for one in list(self.clients):
            if any(matches(topic, message.topic) for topic in one.topics):
                with contextlib.suppress(OSError):
                    one.socket.sendall(mqtt_wire.publish(message).encode())

    def end(self, client: Client) -> None:
        if client in self.clients:
            self.clients.remove(client)
            self.selector.unregister(client.socket)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.socket.close()

    def end_all(self) -> None:
        for client in list(self.clients):
            self.end(client)


@contextlib.contextmanager
def fragile(defect: str) -> Iterator[Fragile]:
    broker = Fragile(defect)
    thread = threading.Thread(target=broker.serve, daemon=True)
    thread.start()
    try:
        yield broker
    finally:
        broker.ended.set()
        thread.join()
        broker.end_all()
        broker.listener.close()
        broker.selector.close()
