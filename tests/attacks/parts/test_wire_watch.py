"""A watcher of the wire finds nothing readable under TLS, and everything without: on packets that passed the loopback
between gateways, Mosquitto and portal of a small world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import wrpcap

from attacks.parts.wire_watch import Capture, Stream, found, tcp_streams, tls_bytes
from sim.core.bundle import ACK, BIRTH, UP, Bundle
from sim.core.clock import ns
from sim.endpoint import mqtt_wire
from sim.portal.store import fingerprint
from sim.world import World
from tests.small_worlds import dozen

# --- putting streams together -----------------------------------------------------------------------------------

PORT, CLIENT = 1_883, 40_000


def packet(seq: int, data: bytes, flags: str = "PA", *, back: bool = False) -> Ether:
    ports = {"sport": PORT, "dport": CLIENT} if back else {"sport": CLIENT, "dport": PORT}
    head = Ether() / IP(src="127.0.0.1", dst="127.0.0.1") / TCP(**ports, seq=seq % 2**32, flags=flags)
    return head / Raw(data) if data else head


def streams(folder: Path, *packets: Ether) -> dict[int, Stream]:
    wrpcap(str(folder / "made.pcap"), list(packets))
    return {stream.source[1]: stream for stream in tcp_streams(folder / "made.pcap", PORT)}


def test_segments_out_of_order_and_repeated_make_one_stream(tmp_path: Path) -> None:
    """Sequence numbers pass 2^32; each direction by itself; other ports are left out."""
    begin = 2**32 - 3
    stranger = Ether() / IP() / TCP(sport=5, dport=6, seq=1) / Raw(b"not ours")
    made = streams(
        tmp_path, packet(begin - 1, b"", "S"), packet(begin + 4, b"efgh"), packet(begin, b"abcd"),
        packet(begin + 2, b"cdef"), packet(begin, b"abcd"), packet(7, b"answer", back=True), stranger,
    )  # fmt: skip
    assert made[CLIENT].data == b"abcdefgh" and made[CLIENT].whole
    assert made[PORT].data == b"answer" and not made[PORT].whole, "its beginning is not in the capture"
    assert set(made) == {CLIENT, PORT}


def test_a_gap_is_not_whole(tmp_path: Path) -> None:
    made = streams(tmp_path, packet(9, b"", "S"), packet(10, b"ab"), packet(13, b"de"))
    assert (made[CLIENT].data, made[CLIENT].whole) == (b"abde", False)


def test_what_is_tls_and_what_is_not() -> None:
    def stream(data: bytes) -> Stream:
        return Stream(("a", 1), ("b", 2), data, True)

    hello, data = b"\x16\x03\x01\x00\x02ab", b"\x17\x03\x03\x00\x03xyz"
    assert tls_bytes(stream(hello + data)) == 3
    assert tls_bytes(stream(hello + data + b"gw/gw1/up")) is None
    assert tls_bytes(stream(hello + data[:-1])) is None
    assert tls_bytes(stream(mqtt_wire.Packet(mqtt_wire.PINGREQ, 0, b"").encode())) is None
    assert found([stream(b"..KEY..")], {"raw": b"KEY", "none": b"YEK"}) == {"raw"}
    assert found([stream(b"KEY".hex().upper().encode())], {"hex": b"KEY"}) == {"hex"}


# --- on the wire ------------------------------------------------------------------------------------------------


class Watched:
    """What passed on the loopback during a world, and what there was to find."""

    def __init__(self, folder: Path, *, tls: bool) -> None:
        spec = dozen(folder, endpoint__kind="mosquitto", endpoint__tls=tls)
        with World(spec, 1, folder / "world") as world:
            address = world.system.endpoint.address
            assert address is not None
            pcap = folder / "wire.pcap"
            # Sessions that began before the watch would have beginnings that it never saw: all are dialled anew.
            with Capture(pcap, address.port):
                sessions = [*world.system.sessions, *(gateway.session for gateway in world.gateways)]
                for session in sessions:
                    session.reroute(address)
                assert world.settle(lambda: all(session.connects == 2 for session in sessions), 10.0)
                world.run(ns(120.0))
            self.streams = tcp_streams(pcap, address.port)
            self.up = [stream for stream in self.streams if stream.target[1] == address.port]
            sent = [world.fleet.telegram(one.meter, one.k) for one in world.truth.sent()]
            self.telegrams = {fingerprint(telegram): telegram for telegram in sent}
            stored = {row.fingerprint for row in world.truth.readings}
            assert stored == set(self.telegrams) and len(stored) > 40
            ids = [gateway.id for gateway in world.gateways]
            topics = [topic.format(gateway=id_) for id_ in ids for topic in (UP, ACK, BIRTH)]
            self.topics = {topic: topic.encode() for topic in topics}
            keys = [key for meter in range(world.fleet.n) if (key := world.fleet.key(meter)) is not None]
            self.keys = {f"key {number}": key for number, key in enumerate(keys)}


@pytest.fixture(scope="module", params=[True, False], ids=["tls", "clear"])
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bool, Watched]]:
    try:
        yield request.param, Watched(tmp_path_factory.mktemp("wire"), tls=request.param)
    except PermissionError:
        pytest.skip("allowed: packets of the loopback can only be captured by root")


def test_the_capture_has_every_connection_whole(watched: tuple[bool, Watched]) -> None:
    _, wire = watched
    complete = [stream for stream in wire.up if stream.whole]
    assert len(complete) == 3, "two gateways and the portal"
    assert sum(len(stream.data) for stream in complete) > sum(map(len, wire.telegrams.values()))


def test_telegrams_pass_readable_only_without_tls(watched: tuple[bool, Watched]) -> None:
    tls, wire = watched
    assert found(wire.streams, wire.telegrams) == (set() if tls else set(wire.telegrams))
    assert found(wire.streams, wire.topics) == (set() if tls else set(wire.topics))


def test_no_key_passes_in_either(watched: tuple[bool, Watched]) -> None:
    _, wire = watched
    assert wire.keys and found(wire.streams, wire.keys) == set()


def test_under_tls_there_is_nothing_but_its_records(watched: tuple[bool, Watched]) -> None:
    tls, wire = watched
    whole = [stream for stream in wire.up if stream.whole]
    inside = [tls_bytes(stream) for stream in whole]
    if tls:
        assert None not in inside and sum(n or 0 for n in inside) > sum(map(len, wire.telegrams.values()))
    else:
        assert inside == [None] * len(whole)
        packets = [one for stream in whole for one in mqtt_wire.Packets().feed(stream.data)]
        published = [one.publish() for one in packets if one.kind == mqtt_wire.PUBLISH]
        bundles = [Bundle.decode(one.payload) for one in published if one.topic.endswith("/up")]
        assert {one.telegram for bundle in bundles for one in bundle.heard} == set(wire.telegrams.values())
