"""What a client says, of MQTT 3.1.1 and 5, as far as AWS's rules look at it. Pure; the framing is mqtt_wire's.

Clause numbers are those of the OASIS standards (mqtt-v3.1.1, mqtt-v5.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.endpoint.mqtt_wire import BadPacket, Packet, measured, text

V5: Final = 5
_NUMBERS: Final = {  # properties of fixed length (mqtt-v5.0, 2.2.2.2): identifier -> bytes
    0x01: 1, 0x02: 4, 0x11: 4, 0x13: 2, 0x17: 1, 0x18: 4, 0x19: 1, 0x21: 2, 0x22: 2, 0x23: 2, 0x24: 1, 0x25: 1,
    0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
_TEXTS: Final = frozenset({0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F})
USER, SUBSCRIPTION_ID = 0x26, 0x0B
SESSION_EXPIRY, ASSIGNED_ID, KEEP_ALIVE = 0x11, 0x12, 0x13
RECEIVE_MOST, ALIAS_MOST, ALIAS, QOS_MOST, PACKET_MOST, HAS_SUBSCRIPTION_IDS = 0x21, 0x22, 0x23, 0x24, 0x27, 0x29

Properties = list[tuple[int, bytes]]  # identifier, its value as bytes


@dataclass(frozen=True, slots=True)
class Connect:
    """3.1. `will`: topic, QoS, RETAIN."""

    level: int
    clean: bool
    keep_alive_s: int
    properties: Properties
    client_id: str
    will: tuple[str, int, bool] | None
    user_name: str | None
    will_bytes: bytes  # as they stand, will properties included

    def forwarded(self, keep_alive_s: int, properties: Properties) -> Packet:
        """For the broker behind: without user name and password."""
        flags = (0x02 if self.clean else 0) | (
            0x04 | self.will[1] << 3 | (0x20 if self.will[2] else 0) if self.will else 0
        )
        name = b"\x00\x04MQTT" if self.level >= 4 else b"\x00\x06MQIsdp"
        body = name + bytes([self.level, flags]) + keep_alive_s.to_bytes(2, "big")
        if self.level == V5:
            body += encoded(properties)
        return Packet(1, 0, body + text(self.client_id) + self.will_bytes)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """3.8. Filters with the QoS asked for; `shared`: the filter behind $share/NAME/."""

    packet_id: bytes
    filters: tuple[tuple[str, int], ...]


def connect(packet: Packet) -> Connect:
    """Raises BadPacket."""
    read = _Reader(packet.body)
    name, level = read.text(), read.number(1)
    if (name, level) not in (("MQTT", 4), ("MQTT", V5), ("MQIsdp", 3)):
        raise BadPacket("a CONNECT of no known protocol version")
    flags, keep_alive_s = read.number(1), read.number(2)
    properties = read.properties() if level == V5 else []
    client_id, start = read.text(), read.at
    will = None
    if flags & 0x04:
        if level == V5:
            read.properties()
        will = (read.text(), flags >> 3 & 3, bool(flags & 0x20))
        read.binary()
    will_bytes = packet.body[start : read.at]
    user_name = read.text() if flags & 0x80 else None
    if flags & 0x40:
        read.binary()
    return Connect(level, bool(flags & 0x02), keep_alive_s, properties, client_id, will, user_name, will_bytes)


def publish(packet: Packet, level: int) -> tuple[str, int, Properties, int]:
    """(topic, where the packet id stands, properties, where the payload begins). Raises BadPacket."""
    read = _Reader(packet.body)
    topic = read.text()
    at = read.at
    if packet.flags & 0x06:
        read.number(2)
    properties = read.properties() if level == V5 else []
    return topic, at, properties, read.at


def subscribe(packet: Packet, level: int) -> Subscribe:
    """Of SUBSCRIBE. Raises BadPacket."""
    read = _Reader(packet.body)
    packet_id = read.take(2)
    if level == V5:
        read.properties()
    filters = []
    while not read.done:
        filters.append((read.text(), read.number(1) & 3))
    if not filters:
        raise BadPacket("a SUBSCRIBE without a filter")
    return Subscribe(packet_id, tuple(filters))


def unsubscribe(packet: Packet, level: int) -> tuple[str, ...]:
    """The filters. Raises BadPacket."""
    read = _Reader(packet.body)
    read.number(2)
    if level == V5:
        read.properties()
    filters = []
    while not read.done:
        filters.append(read.text())
    return tuple(filters)


def connack(packet: Packet, level: int) -> tuple[int, int, Properties]:
    """(flags, code, properties). Raises BadPacket."""
    read = _Reader(packet.body)
    return read.number(1), read.number(1), read.properties() if level == V5 and not read.done else []


def encoded(properties: Properties) -> bytes:
    """A property list with its length."""
    return measured(b"".join(bytes([identifier]) + value for identifier, value in properties))


def number(properties: Properties, identifier: int) -> int | None:
    """The value of a numeric property, None where it is not there."""
    return next((int.from_bytes(value, "big") for one, value in properties if one == identifier), None)


class _Reader:
    def __init__(self, body: bytes) -> None:
        self.body, self.at = body, 0

    @property
    def done(self) -> bool:
        return self.at >= len(self.body)

    def take(self, count: int) -> bytes:
        found = self.body[self.at : self.at + count]
        if len(found) < count:
            raise BadPacket("a packet ends in the middle of a field")
        self.at += count
        return found

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def binary(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        try:
            text = self.binary().decode()
        except UnicodeDecodeError:
            raise BadPacket("a string is not UTF-8") from None
        if "\0" in text:
            raise BadPacket("a string with a null character")
        return text

    def length(self) -> int:
        value = 0
        for shift in (0, 7, 14, 21):
            digit = self.number(1)
            value |= (digit & 0x7F) << shift
            if not digit & 0x80:
                return value
        raise BadPacket("a length of more than four bytes")

    def properties(self) -> Properties:
        size = self.length()
        end, found = self.at + size, []
        while self.at < end:
            identifier = self.number(1)
            start = self.at
            if identifier in _NUMBERS:
                self.take(_NUMBERS[identifier])
            elif identifier in _TEXTS:
                self.binary()
            elif identifier == USER:
                self.binary()
                self.binary()
            elif identifier == SUBSCRIPTION_ID:
                self.length()
            else:
                raise BadPacket(f"no property {identifier}")
            found.append((identifier, self.body[start : self.at]))
        if self.at != end:
            raise BadPacket("properties longer than they say")
        return found
