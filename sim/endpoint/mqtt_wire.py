"""MQTT 3.1.1 packets as bytes: as much as a man in the middle has to understand. Pure, no socket.

Clause numbers are those of the OASIS standard (mqtt-v3.1.1).
"""

from __future__ import annotations

from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 10, 11, 12, 13, 14
NAMES = {
    1: "CONNECT", 2: "CONNACK", 3: "PUBLISH", 4: "PUBACK", 5: "PUBREC", 6: "PUBREL", 7: "PUBCOMP", 8: "SUBSCRIBE",
    9: "SUBACK", 10: "UNSUBSCRIBE", 11: "UNSUBACK", 12: "PINGREQ", 13: "PINGRESP", 14: "DISCONNECT",
}  # fmt: skip


class BadPacket(ValueError):
    """These bytes are not MQTT."""


@dataclass(frozen=True, slots=True)
class Publish:
    """3.3. `packet_id` is None for QoS 0."""

    topic: str
    payload: bytes
    flags: int  # DUP, QoS, RETAIN: the low half of the first byte
    packet_id: bytes | None


@dataclass(frozen=True, slots=True)
class Packet:
    """One control packet: its type (2.2.1), the flags beside it, and everything behind the fixed header."""

    kind: int
    flags: int
    body: bytes

    @property
    def name(self) -> str:
        return NAMES.get(self.kind, f"type {self.kind}")

    def encode(self) -> bytes:
        return bytes([self.kind << 4 | self.flags]) + measured(self.body)

    @property
    def packet_id(self) -> bytes:
        """Of PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE: the first two bytes of the body (2.3.1)."""
        return self.body[:2]

    def client_id(self) -> str:
        """Of a CONNECT (3.1.3.1). Raises BadPacket."""
        start = 2 + int.from_bytes(self.body[:2], "big") + 4  # protocol name, level, flags, keep-alive
        return _text(self.body, start)[0]

    def publish(self) -> Publish:
        """Raises BadPacket."""
        topic, end = _text(self.body, 0)
        if self.flags & 0x06 == 0:
            return Publish(topic, self.body[end:], self.flags, None)
        return Publish(topic, self.body[end + 2 :], self.flags, self.body[end : end + 2])

    def topics_asked(self) -> int:
        """How many topic filters a SUBSCRIBE holds (3.8.3). Raises BadPacket."""
        count, at = 0, 2
        while at < len(self.body):
            _, at = _text(self.body, at)
            count, at = count + 1, at + 1
        return count


def publish(message: Publish) -> Packet:
    body = text(message.topic) + (message.packet_id or b"") + message.payload
    return Packet(PUBLISH, message.flags, body)


def measured(body: bytes) -> bytes:
    """Behind its length of up to four bytes: seven bits a byte, least significant first (2.2.3)."""
    left, length = len(body), bytearray()
    while True:
        left, digit = left >> 7, left & 0x7F
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes(length) + body


def binary(data: bytes) -> bytes:
    """Behind its length of two bytes (1.5.3)."""
    return len(data).to_bytes(2, "big") + data


def text(value: str) -> bytes:
    """The same of a string in UTF-8."""
    return binary(value.encode())


class Packets:
    """Bytes in, packets out. `limit_bytes` bounds what is held for one packet."""

    def __init__(self, limit_bytes: int = 16 << 20) -> None:
        self._held = bytearray()
        self._limit_bytes = limit_bytes

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that are now complete. Raises BadPacket."""
        return [packet_of(one) for one in self.frames(data)]

    def frames(self, data: bytes) -> list[bytes]:
        """The packets that are now complete, each as its bytes stand. Raises BadPacket."""
        if self._held:
            self._held += data
            if not 0 < self._end(self._held, 0) <= len(self._held):
                return []
            data = bytes(self._held)
            self._held.clear()
        found, at, size = [], 0, len(data)
        while at < size:
            end = self._end(data, at)
            if not 0 < end <= size:
                self._held += data[at:]
                break
            found.append(data[at:end])
            at = end
        return found

    def _end(self, data: bytes | bytearray, at: int) -> int:
        """Of the packet that begins there; 0 where its length is not there yet."""
        length = 0
        for index in range(1, 5):
            if at + index >= len(data):
                return 0
            byte = data[at + index]
            length |= (byte & 0x7F) << 7 * (index - 1)
            if byte < 0x80:
                break
        else:
            raise BadPacket("a remaining length of more than four bytes")
        if length > self._limit_bytes:
            raise BadPacket(f"a packet of {length} bytes; the limit is {self._limit_bytes}")
        return at + index + 1 + length


def header_bytes(frame: bytes) -> int:
    """Of a whole packet's fixed header (2.2.3)."""
    at = 1
    while frame[at] & 0x80:
        at += 1
    return at + 1


def packet_of(frame: bytes) -> Packet:
    """A whole packet's bytes as a packet."""
    return Packet(frame[0] >> 4, frame[0] & 0x0F, frame[header_bytes(frame) :])


def _text(body: bytes, start: int) -> tuple[str, int]:
    """A string with two bytes of length before it (1.5.3), and where it ends."""
    end = start + 2 + int.from_bytes(body[start : start + 2], "big")
    if end > len(body) or len(body) < start + 2:
        raise BadPacket("a string is longer than its packet")
    try:
        return body[start + 2 : end].decode(), end
    except UnicodeDecodeError:
        raise BadPacket("a string is not UTF-8") from None
