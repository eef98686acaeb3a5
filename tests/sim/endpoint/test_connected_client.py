"""What goes past paho: publishes in one piece, PUBACKs in whatever pieces they come. Against a server made by hand."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from sim.endpoint.client import ConnectedClient, TooManyUnacknowledged
from sim.endpoint.mqtt_wire import CONNECT, PUBLISH, Packets

CONNACK = bytes.fromhex("20020000")
PINGRESP = bytes.fromhex("d000")
SUBACK = bytes.fromhex("9003000901")


def puback(number: int) -> bytes:
    return b"\x40\x02" + number.to_bytes(2, "big")


class Wire:
    """A client and the other end of its socket; `acknowledged`: how often it was told."""

    def __init__(self) -> None:
        ours, self.other = socket.socketpair()
        ours.setblocking(False)
        self.other.settimeout(10)
        self.acknowledged = 0
        self.wanted: list[bool] = []
        self.packets = Packets()
        self.client = ConnectedClient("gw1", ours, clean=True)
        self.client.acknowledged = self._count
        self.client.on_socket_register_write = lambda *_: self.wanted.append(True)
        self.client.on_socket_unregister_write = lambda *_: self.wanted.append(False)
        self.client.connect_async("localhost", 1, 600)
        self.client.reconnect()
        self.client.loop_write()
        assert self.packets.feed(self.other.recv(4_096))[0].kind == CONNECT
        self.say(CONNACK)

    def _count(self) -> None:
        self.acknowledged += 1

    def say(self, data: bytes) -> None:
        """To the client, which reads all of it."""
        self.other.sendall(data)
        self.client.loop_read()
        while self.client.more:
            self.client.loop_read()


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.client.drop()
    made.other.close()


def test_what_is_put_goes_out_in_one_piece_and_in_order(wire: Wire) -> None:
    wire.wanted.clear()
    for number in range(3):
        wire.client.put("gw/gw1/up", b"x" * number, retain=number == 2)
    assert wire.wanted == [True], "one asks to be written for all"
    wire.client.loop_write()
    assert wire.wanted == [True, False]
    packets = wire.packets.feed(wire.other.recv(4_096))
    said = [packet.publish() for packet in packets]
    assert [packet.kind for packet in packets] == [PUBLISH] * 3
    assert [(one.topic, one.payload, one.flags) for one in said] == [
        ("gw/gw1/up", b"", 2), ("gw/gw1/up", b"x", 2), ("gw/gw1/up", b"xx", 3),
    ]  # fmt: skip
    assert len({one.packet_id for one in said}) == 3


def test_a_subscription_goes_out_behind_what_was_put_before(wire: Wire) -> None:
    wire.client.put("gw/gw1/up", b"first")
    wire.client.subscribe("gw/gw1/ack", 1)
    wire.client.loop_write()
    assert [packet.name for packet in wire.packets.feed(wire.other.recv(4_096))] == ["PUBLISH", "SUBSCRIBE"]


def test_much_goes_out_without_being_asked_for_twice(wire: Wire) -> None:
    payload = b"y" * 50_000
    for _ in range(4):
        wire.client.put("gw/gw1/up", payload)
    wire.other.setblocking(False)
    came = []
    for _ in range(10_000):
        wire.client.loop_write()
        try:
            came += wire.packets.feed(wire.other.recv(1 << 20))
        except BlockingIOError:
            continue
        if len(came) == 4:
            break
    assert [packet.publish().payload for packet in came] == [payload] * 4


@pytest.mark.parametrize("between", [b"", PINGRESP, SUBACK])
def test_each_puback_counts_once_however_it_is_cut(wire: Wire, between: bytes) -> None:
    for _ in range(4):
        wire.client.put("gw/gw1/up", b"x")
    wire.client.loop_write()
    numbers = [int.from_bytes(packet.publish().packet_id or b"", "big")
               for packet in wire.packets.feed(wire.other.recv(4_096))]  # fmt: skip
    stream = puback(numbers[0]) + between + puback(numbers[1]) + puback(numbers[1]) + puback(60_000)
    wire.say(stream)
    assert wire.acknowledged == 2
    rest = puback(numbers[2]) + between + puback(numbers[3])
    for at in range(len(rest)):
        wire.say(rest[at : at + 1])
    assert wire.acknowledged == 4


def test_numbers_that_wait_are_not_given_again(wire: Wire) -> None:
    for _ in range(65_535):
        wire.client.put("a", b"")
    with pytest.raises(TooManyUnacknowledged):
        wire.client.put("a", b"")
    wire.other.setblocking(False)
    wire.packets = Packets()
    wire.client._unacknowledged.remove(4_711)
    before = len(wire.client._out_packet)
    wire.client.put("a", b"last")
    wire.client._piece()
    assert len(wire.client._out_packet) == before + 1
    assert wire.client._out_packet[-1]["packet"].endswith((4_711).to_bytes(2, "big") + b"last")


@pytest.mark.parametrize("topic", ["", "gw/+/up", "gw/#", "x" * 65_536])
def test_what_mqtt_cannot_carry_is_refused(wire: Wire, topic: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        wire.client.put(topic, b"")
    wire.client.loop_write()
    wire.other.setblocking(False)
    with pytest.raises(BlockingIOError):
        wire.other.recv(1)


def test_a_server_that_closes_is_noticed(wire: Wire) -> None:
    lost = []
    wire.client.on_disconnect = lambda *_: lost.append(True)
    wire.other.shutdown(socket.SHUT_WR)
    wire.client.loop_read()
    assert lost == [True]
