"""Backhauls as data: what a gateway's way to the broker carries, how late, and what it adds to a message's bytes.

    backhauls()             id -> backhaul: one TOML file each in sim/network/backhauls
    backhaul("nb-iot")      the backhaul; UnknownPart names those there are

The model is of MQTT with QoS 1 over TLS 1.3 over TCP over IPv4, as our gateways send: a message is one PUBLISH and its
PUBACK, cut into TLS records and TCP segments; each way's bytes are counted as the carrier counts them, IP headers
included. A segment that is lost travels again. What is under way at once grows by the rule of slow start (RFC 5681, ten
segments at first, RFC 6928) until the path is full. tests/sim/network/test_backhaul.py holds bytes and times against
real sockets through a network namespace with tc's netem.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from sim.core.parts import UnknownPart, nearest
from sim.core.settings import build, number, read_toml

FOLDER: Final = Path(__file__).parent / "backhauls"
TCP_IP_BYTES: Final = 52  # IPv4 20, TCP 20, timestamps 12
RECORD_BYTES: Final = 22  # TLS 1.3: header 5, content type 1, tag 16
RECORD_MOST_BYTES: Final = 16_384
PUBACK_BYTES: Final = 4
FIRST_SEGMENTS: Final = 10
SMALL_PACKETS: Final = 6  # of a TLS handshake: records that go alone, and their acknowledgements; as counted


class Sent(NamedTuple):
    """Bytes with all headers, and IP packets, each way."""

    up_bytes: int
    down_bytes: int
    up_packets: int
    down_packets: int

    @property
    def bytes(self) -> int:
        return self.up_bytes + self.down_bytes


@dataclass(frozen=True, slots=True)
class Backhaul:
    """A file of sim/network/backhauls. `latency_ms`: one way, without what is sent. `loss`: of packets, each way.
    `handshake_up_bytes` and `handshake_down_bytes`: of TLS records alone, with a certificate each way; left out, as
    counted between mosquitto_pub and Mosquitto with this bench's certificates (P-256, one level, two session tickets).
    `assumed`: keys for which no source was opened, to be told with every answer."""

    title: str
    source: str
    dated: date
    up_bit_s: float = number(1e6, low=100.0, high=1e11)
    down_bit_s: float = number(1e6, low=100.0, high=1e11)
    latency_ms: float = number(50.0, low=0.0, high=60_000.0)
    loss: float = number(0.0, low=0.0, high=0.5)
    mtu_bytes: int = number(1_500, low=576, high=9_000)
    handshake_up_bytes: int = number(1_345, low=0, high=100_000)
    handshake_down_bytes: int = number(2_700, low=0, high=100_000)
    keepalive_s: float = number(60.0, low=1.0, high=86_400.0)
    assumed: tuple[str, ...] = ()
    id: str = ""

    @property
    def segment_bytes(self) -> int:
        """Of TCP's payload."""
        return self.mtu_bytes - TCP_IP_BYTES

    @property
    def round_trip_s(self) -> float:
        return 2 * self.latency_ms / 1000

    def message(self, payload_bytes: int, topic_bytes: int) -> Sent:
        """One message and its acknowledgement."""
        up = self._stream(self.message_stream_bytes(payload_bytes, topic_bytes))
        down = self._stream(PUBACK_BYTES + RECORD_BYTES)
        return self._with_acks(up, down)

    def connection(self) -> Sent:
        """TCP's and TLS's handshake, CONNECT and CONNACK of a usual length, and the end."""
        up = self._stream(self.handshake_up_bytes + RECORD_BYTES + 40)
        down = self._stream(self.handshake_down_bytes + RECORD_BYTES + 4)
        both = self._with_acks(up, down)
        up_more, down_more = 4 + SMALL_PACKETS, 3 + SMALL_PACKETS  # SYN, ACK, FIN, ACK; SYN-ACK, FIN, ACK
        return Sent(both.up_bytes + up_more * TCP_IP_BYTES, both.down_bytes + down_more * TCP_IP_BYTES,
                    both.up_packets + up_more, both.down_packets + down_more)  # fmt: skip

    def keepalive(self) -> Sent:
        """One PINGREQ and its answer."""
        one = self._stream(2 + RECORD_BYTES)
        return self._with_acks(one, one)

    def arrives_s(self, payload_bytes: int, topic_bytes: int) -> float:
        """From a message's first byte to its last byte at the other end, on a connection that stands and is idle."""
        sent = self._stream(self.message_stream_bytes(payload_bytes, topic_bytes))[0]
        return self.latency_ms / 1000 + 8 * sent / self.up_bit_s + self._waits_s(sent)

    def message_stream_bytes(self, payload_bytes: int, topic_bytes: int) -> int:
        """Of a PUBLISH in its TLS records."""
        remaining = 4 + topic_bytes + payload_bytes
        mqtt = 1 + max(1, math.ceil(remaining.bit_length() / 7)) + remaining
        return mqtt + math.ceil(mqtt / RECORD_MOST_BYTES) * RECORD_BYTES

    def connects_s(self) -> float:
        """To a CONNACK: TCP, TLS 1.3 and MQTT take a round trip each, and their bytes their time. A client that waits
        for acknowledgements before it sends more (Nagle's rule) takes up to two more."""
        sent = self.connection()
        return 3 * self.round_trip_s + 8 * (sent.up_bytes / self.up_bit_s + sent.down_bytes / self.down_bit_s)

    def carries_bytes_s(self) -> float:
        """Upstream, of TCP's payload, when there is always something to send."""
        share = self.segment_bytes / self.mtu_bytes
        return self.up_bit_s / 8 * share * (1 - self.loss)

    def _stream(self, size: int) -> tuple[int, int]:
        """(bytes on the wire, packets) of a stream's piece of so many bytes, those sent again included."""
        packets = math.ceil(size / self.segment_bytes / (1 - self.loss))
        return round(size / (1 - self.loss)) + packets * TCP_IP_BYTES, packets

    def _with_acks(self, up: tuple[int, int], down: tuple[int, int]) -> Sent:
        """Each way's data is acknowledged every other segment; the answer takes the last acknowledgement with it."""
        acks_down, acks_up = max(0, up[1] // 2 - down[1]), max(1, down[1] // 2)
        return Sent(up[0] + acks_up * TCP_IP_BYTES, down[0] + acks_down * TCP_IP_BYTES, up[1] + acks_up,
                    down[1] + acks_down)  # fmt: skip

    def _waits_s(self, wire_bytes: int) -> float:
        """What slow start adds: while what may be under way is less than the path holds, the sender waits for
        acknowledgements."""
        window, sent, waited = FIRST_SEGMENTS * self.mtu_bytes, 0, 0.0
        while sent + window < wire_bytes:
            waited += max(0.0, self.round_trip_s - 8 * window / self.up_bit_s)
            sent += window
            window *= 2
        return waited


@cache
def backhauls() -> Mapping[str, Backhaul]:
    """Raises SpecError."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        table, place = read_toml(path)
        found[path.stem] = build(Backhaul, {"id": path.stem, **table}, place)
    return found


def backhaul(id_: str) -> Backhaul:
    """Raises UnknownPart."""
    known = backhauls()
    if id_ not in known:
        raise UnknownPart(f"there is no backhaul {id_!r}; there are {', '.join(nearest(id_, known))}")
    return known[id_]
