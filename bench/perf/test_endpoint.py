"""What a thousand connections to the broker cost, as a ratio to bare TLS handshakes of the same certificates."""

from __future__ import annotations

import contextlib
import ssl
import time
from pathlib import Path
from typing import Any

from bench.perf.path import broker_s, process_s
from sim.endpoint.kinds.aws_local import AwsLocal
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.tls_connect import tls_context

CLIENTS = 1_000


def handshake_s(broker: Mosquitto, rounds: int = 100) -> float:
    """Processor seconds of both ends of a TLS handshake without a socket."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = broker.authority.server()
    server.load_cert_chain(own.certificate, own.key)
    server.load_verify_locations(broker.authority.certificate)
    server.verify_mode = ssl.CERT_REQUIRED
    identity = broker.identity("bare")
    begin_s = time.process_time()
    for _ in range(rounds):
        client = tls_context(identity, verify=True)
        assert client is not None
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        ends = [client.wrap_bio(down, up, server_hostname="localhost"), server.wrap_bio(up, down, server_side=True)]
        while ends:
            for end in list(ends):
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()
                    ends.remove(end)
    return (time.process_time() - begin_s) / rounds


def test_a_thousand_gateways_connect_by_mutual_tls(benchmark: Any, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    broker.start()
    try:
        identities = [broker.identity(f"gw{number}") for number in range(CLIENTS)]
        took_s = 0.0

        def connect() -> None:
            nonlocal took_s
            begin_s = time.process_time() + broker_s(broker)
            sessions = [broker.connect(one, subscribe=(f"gw/{one.client_id}/ack",)) for one in identities]
            assert broker.settle(lambda: all(session.connected for session in sessions), 60)
            took_s = time.process_time() + broker_s(broker) - begin_s

        benchmark.pedantic(connect, rounds=1)
        times = took_s / (CLIENTS * handshake_s(broker))
    finally:
        broker.stop()
    benchmark.extra_info.update(times_a_bare_handshake=times)
    assert times < 3  # 1.3


def test_the_rules_of_aws_cost_a_bundle_less_than_twice_the_broker(benchmark: Any, tmp_path: Path) -> None:
    """Processor time of companion and broker behind it, as a ratio to Mosquitto's own with TLS and access list."""
    each: dict[str, float] = {}

    def pass_on(kind: type[Mosquitto]) -> None:
        broker = kind(tmp_path / kind.name)
        broker.start()
        try:
            portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
            sessions = [broker.connect(broker.identity(f"gw{number}")) for number in range(100)]
            assert broker.settle(lambda: portal.connected and all(one.connected for one in sessions), 60)
            pids = [broker.pid, broker.broker_pid] if isinstance(broker, AwsLocal) else [broker.pid]
            begin_s = sum(map(process_s, pids))
            for _ in range(20):
                for one in sessions:
                    for _ in range(5):
                        one.publish(f"gw/{one.client_id}/up", b"x" * 1_024)
                broker.loop.turn(0)
            assert broker.settle(lambda: len(portal.inbox) == 10_000, 120)
            each[kind.name] = sum(map(process_s, pids)) - begin_s
        finally:
            broker.stop()

    def both() -> None:
        pass_on(Mosquitto)
        pass_on(AwsLocal)

    benchmark.pedantic(both, rounds=1)
    times = each["aws_local"] / each["mosquitto"]
    benchmark.extra_info.update(each, times_mosquitto=times)
    assert times < 2  # 1.4
