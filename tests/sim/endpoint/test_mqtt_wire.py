"""MQTT packets against bytes written down by hand from the standard's figures."""

from __future__ import annotations

import pytest

from sim.endpoint import mqtt_wire
from sim.endpoint.mqtt_wire import BadPacket, Packet, Packets, Publish

CONNECT = bytes.fromhex("10 0f 0004 4d515454 04 02 003c 0003 677731".replace(" ", ""))  # 3.1, client id gw1
PUBLISH_QOS_0 = bytes.fromhex("30 07 0003 612f62 6869".replace(" ", ""))  # 3.3, topic a/b, payload hi
PUBLISH_QOS_1 = bytes.fromhex("32 07 0003 612f62 000a".replace(" ", ""))  # figure 3.11, packet identifier 10
SUBSCRIBE = bytes.fromhex("82 0e 000a 0003 612f62 01 0003 632f64 02".replace(" ", ""))  # figure 3.23


def test_packets_of_the_standard() -> None:
    [connect] = Packets().feed(CONNECT)
    assert (connect.name, connect.client_id()) == ("CONNECT", "gw1")
    [plain] = Packets().feed(PUBLISH_QOS_0)
    assert plain.publish() == Publish("a/b", b"hi", 0, None)
    [sure] = Packets().feed(PUBLISH_QOS_1)
    assert sure.publish() == Publish("a/b", b"", 2, b"\x00\x0a")
    [subscribe] = Packets().feed(SUBSCRIBE)
    assert subscribe.topics_asked() == 2 and subscribe.packet_id == b"\x00\x0a"


@pytest.mark.parametrize("step", [1, 2, 7, 1_000])
def test_any_cut_gives_the_same_packets_and_the_same_bytes(step: int) -> None:
    stream = CONNECT + PUBLISH_QOS_1 + SUBSCRIBE + PUBLISH_QOS_0
    packets, got = Packets(), list[Packet]()
    for at in range(0, len(stream), step):
        got += packets.feed(stream[at : at + step])
    assert [packet.name for packet in got] == ["CONNECT", "PUBLISH", "SUBSCRIBE", "PUBLISH"]
    assert b"".join(packet.encode() for packet in got) == stream
    assert mqtt_wire.publish(got[1].publish()).encode() == PUBLISH_QOS_1


@pytest.mark.parametrize(
    ("length", "digits"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (2_097_151, "ffff7f")],
)
def test_the_remaining_length_of_table_2_4(length: int, digits: str) -> None:
    encoded = Packet(3, 0, bytes(length)).encode()
    assert encoded[1 : len(encoded) - length].hex() == digits
    assert Packets().feed(encoded) == [Packet(3, 0, bytes(length))]


def test_noise_is_refused() -> None:
    with pytest.raises(BadPacket, match="four bytes"):
        Packets().feed(b"\x30\xff\xff\xff\xff\x01")
    with pytest.raises(BadPacket, match="limit"):
        Packets(limit_bytes=100).feed(b"\x30\x65")
    for broken in (b"", b"\x00", b"\x00\x05ab", b"\x00\x02\xff\xfe"):
        with pytest.raises(BadPacket):
            Packet(3, 0, broken).publish()
