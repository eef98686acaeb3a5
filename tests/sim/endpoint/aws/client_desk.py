"""A connection to the companion with both its ends in hand, and the packets that a client says in tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sim.endpoint.aws.account import Account, Certificate
from sim.endpoint.aws.client_packets import encoded
from sim.endpoint.aws.connection import Connection
from sim.endpoint.aws.fleet_policies import fleet_policies
from sim.endpoint.aws.policies import Policy
from sim.endpoint.aws.rule_actions import Actions
from sim.endpoint.mqtt_wire import CONNECT, PUBLISH, SUBSCRIBE, Packet, Packets


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def connect(client_id: str = "gw1", *, clean: bool = True, keep_alive_s: int = 60, will: str = "", retain: bool = False,
            level: int = 4, expiry_s: int | None = None) -> Packet:  # fmt: skip
    flags = 0x02 * clean | (0x04 | 0x20 * retain if will else 0)
    body = text("MQTT") + bytes([level, flags]) + keep_alive_s.to_bytes(2, "big")
    if level == 5:
        body += encoded([(0x11, expiry_s.to_bytes(4, "big"))] if expiry_s is not None else [])
    body += text(client_id)
    if will:
        body += (b"\0" if level == 5 else b"") + text(will) + text("gone")
    return Packet(CONNECT, 0, body)


def publish(topic: str = "gw/gw1/up", payload: bytes = b"x", *, qos: int = 1, flags: int = 0, level: int = 4) -> Packet:
    body = text(topic) + (b"\0\x07" if qos else b"") + (b"\0" if level == 5 else b"") + payload
    return Packet(PUBLISH, qos << 1 | flags, body)


def subscribe(*filters: str, qos: int = 1) -> Packet:
    return Packet(SUBSCRIBE, 2, b"\0\x01" + b"".join(text(one) + bytes([qos]) for one in filters))


@dataclass
class Desk:
    """A connection with both its ends in hand. `now_s` stands still until it is moved."""

    directory: Path
    policies: dict[str, tuple[Policy, ...]] = field(default_factory=dict)
    rates: bool = False
    now_s: float = 100.0
    said: list[tuple[str, str, str]] = field(default_factory=list)
    client: bytearray = field(default_factory=bytearray)
    broker: bytearray = field(default_factory=bytearray)
    closed: bool = False

    def __post_init__(self) -> None:
        documents = fleet_policies()
        self.account = Account(
            self.policies or {name: tuple(map(Policy, many)) for name, many in documents.items()},
            lambda *what: self.said.append(what),
            lambda: self.now_s,
            lambda: 1_700_000_000.0,
            Actions([], self.directory, lambda *_: None, lambda *_: None),
            enforce_rates=self.rates,
        )
        self.dial()

    def dial(self, name: str = "gw1") -> None:
        self.closed = False
        self.connection = Connection(
            self.account, Certificate("c" * 64, {"CommonName": (name,)}, {}), "127.0.0.1", self
        )

    def to_client(self, data: bytes) -> None:
        self.client += data

    def to_broker(self, data: bytes) -> None:
        self.broker += data

    def close(self) -> None:
        self.closed = True

    def say(self, *packets: Packet) -> Desk:
        for packet in packets:
            self.connection.client_frame(packet.encode())
        return self

    def hear(self, packet: Packet) -> list[Packet]:
        """What the client gets of a packet of the broker's."""
        self.client.clear()
        self.connection.broker_frame(packet.encode())
        return Packets().feed(bytes(self.client))

    @property
    def limits(self) -> list[str]:
        return [limit for _, limit, _ in self.said]

    @property
    def passed(self) -> list[Packet]:
        return Packets().feed(bytes(self.broker))

    @property
    def answered(self) -> list[Packet]:
        return Packets().feed(bytes(self.client))


def broke(desk: Desk, limit: str) -> bool:
    """The rule was enforced, the connection ended, and nothing reached the broker."""
    return desk.limits[-1:] == [limit] and desk.closed and not desk.passed


def wide(*actions: str) -> dict[str, tuple[Policy, ...]]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"*": (Policy({"Version": "2012-10-17", "Statement": [statement]}),)}
