"""What AWS's rules cost: bundles through the companion and through Mosquitto alone, with mutual TLS and policies on.

    python -m bench.perf.aws_rate [--connections 1000] [--messages 40000] [--bytes 1024] [--rounds 3]
    python -m bench.perf.aws_rate --delay [--seconds 60] [--rounds 3]

Saturation: one `mosquitto_pub -l -q 1` a connection publishes as fast as it may, one `mosquitto_sub -q 1` takes (see
c_client); by turns against either endpoint. Printed are messages a second of the wall, and processor time a message of
the companion, of the broker behind or alone, and of the generator. Companion and broker are one thread each: what they
could carry with a core each is one over the time of the slower one, `could_per_s`; the wall's figure is that of a
machine on which generator, companion and broker share the cores.

Delay: 1 000 sessions of ours publish a bundle each, spread over a minute, which is the offered load of 1 000 gateways
with a bundle every 60 s; from publishing to arrival at the portal, by turns against either, of each the quieter round.
Every bundle is to come, or it ends with a sentence.

Goals: a saturation of at least 0.7 of Mosquitto's, a p99 within twice of its. Exit code 1 where one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.perf.c_client import NoCClient, Publishers, names, taking
from bench.perf.path import process_s
from sim.core.clock import NS_PER_S, wall_ns, wall_s
from sim.endpoint.kinds.aws_local import AwsLocal
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.port import EndpointError

KINDS: Final[tuple[type[Mosquitto], ...]] = (Mosquitto, AwsLocal)
LEAST_RATIO: Final = 0.7
MOST_TIMES: Final = 2.0
_PASS_S: Final = 600.0
_UP_S: Final = 120.0


def text(size_bytes: int) -> bytes:
    """A payload without a line's end."""
    return (b"6e" * size_bytes)[:size_bytes]


@dataclass(frozen=True, slots=True)
class Rate:
    """Of one endpoint. Microseconds of processor time a message; `companion_us` 0 for Mosquitto alone."""

    endpoint: str
    connections: int
    messages: int
    per_s: float
    companion_us: float
    broker_us: float
    generator_us: float

    @property
    def could_per_s(self) -> float:
        """With a core each for companion and broker."""
        return 1e6 / max(self.companion_us, self.broker_us)


@contextmanager
def started(kind: type[Mosquitto]) -> Iterator[Mosquitto]:
    """Raises EndpointError."""
    with tempfile.TemporaryDirectory(prefix="wmbench-aws-rate-") as folder:
        broker = kind(Path(folder))
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def saturation(kind: type[Mosquitto], connections: int, messages: int, payload: bytes) -> Rate:
    """Raises NoCClient, EndpointError."""
    each = messages // connections
    with started(kind) as broker, taking(broker) as taker:
        clients = Publishers(broker, names(connections))
        front = broker.pid if isinstance(broker, AwsLocal) else None
        behind = broker.broker_pid if isinstance(broker, AwsLocal) else broker.pid
        try:
            clients.connect(taker)
            makers = [*clients.pids, taker.pid]

            def spent_s() -> list[float]:
                return [process_s(front) if front else 0.0, process_s(behind), sum(map(process_s, makers))]

            wanted, before_s, begin_s = taker.count + each * connections, spent_s(), wall_s()
            clients.publish(each, payload)
            taker.await_count(wanted, _PASS_S)
            took_s = wall_s() - begin_s
            used_us = [1e6 * (now - then) / (each * connections) for now, then in zip(spent_s(), before_s, strict=True)]
            return Rate(broker.name, connections, each * connections, each * connections / took_s, *used_us)
        finally:
            clients.stop()


def compared(
    connections: int, messages: int, payload: bytes, rounds: int, told: Callable[[Rate], None] = lambda _: None
) -> tuple[Rate, Rate]:
    """Mosquitto alone and the companion, by turns: of each the round in which it could carry most. Raises NoCClient,
    EndpointError."""
    best: dict[str, Rate] = {}
    for _ in range(rounds):
        for kind in KINDS:
            rate = saturation(kind, connections, messages, payload)
            told(rate)
            best[kind.name] = max(best.get(kind.name, rate), rate, key=lambda one: one.could_per_s)
    return best[Mosquitto.name], best[AwsLocal.name]


def delays_ms(kind: type[Mosquitto], connections: int, seconds: float, payload: bytes) -> list[float]:
    """Sorted; one bundle a connection. Raises EndpointError when one does not arrive."""
    with started(kind) as broker:
        portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
        sessions = [broker.connect(broker.identity(name)) for name in names(connections)]
        if not broker.settle(lambda: portal.connected and all(one.connected for one in sessions), _UP_S):
            raise EndpointError(f"{connections} sessions did not all connect within {_UP_S:.0f} s")
        begin_s, sent_ns = wall_s(), dict[str, int]()
        for number, one in enumerate(sessions):
            due_s = begin_s + seconds * number / connections
            broker.settle(lambda due_s=due_s: wall_s() >= due_s, seconds)  # type: ignore[misc]
            topic = f"gw/{one.client_id}/up"
            sent_ns[topic] = wall_ns()
            one.publish(topic, payload)
            broker.loop.turn(0.0)
        if not broker.settle(lambda: len(portal.inbox) == connections, 30.0):
            raise EndpointError(f"{len(portal.inbox)} of {connections} bundles came to the portal")
        return sorted((one.arrived_ns - sent_ns[one.topic]) * 1e3 / NS_PER_S for one in portal.inbox)


@dataclass(frozen=True, slots=True)
class Delay:
    """Of one endpoint: from publishing to arrival."""

    endpoint: str
    bundles: int
    p99_ms: float


def delayed(
    connections: int, seconds: float, payload: bytes, rounds: int, told: Callable[[Delay], None] = lambda _: None
) -> tuple[Delay, Delay]:
    """Mosquitto alone and the companion, by turns: of each the round with the lowest p99. Raises EndpointError."""
    best: dict[str, Delay] = {}
    for _ in range(rounds):
        for kind in KINDS:
            found = delays_ms(kind, connections, seconds, payload)
            one = Delay(kind.name, len(found), found[len(found) * 99 // 100])
            told(one)
            best[kind.name] = min(best.get(kind.name, one), one, key=lambda delay: delay.p99_ms)
    return best[Mosquitto.name], best[AwsLocal.name]


def _tell(rate: Rate) -> None:
    print(json.dumps(asdict(rate) | {"could_per_s": round(rate.could_per_s)}), flush=True)


def _tell_delay(delay: Delay) -> None:
    print(json.dumps(asdict(delay)), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--bytes", type=int, default=1_024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", action="store_true")
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    payload = text(asked.bytes)
    try:
        if asked.delay:
            plain, ruled = delayed(asked.connections, asked.seconds, payload, asked.rounds, _tell_delay)
            times = ruled.p99_ms / plain.p99_ms
            print(json.dumps({"times_p99": round(times, 2), "at_most": MOST_TIMES, "reached": times <= MOST_TIMES}))
            return 0 if times <= MOST_TIMES else 1
        alone, aws = compared(asked.connections, asked.messages, payload, asked.rounds, _tell)
        ratios = {"wall": aws.per_s / alone.per_s, "a_core_each": aws.could_per_s / alone.could_per_s}
        figures = {f"ratio_{name}": round(value, 2) for name, value in ratios.items()}
        reached = ratios["a_core_each"] >= LEAST_RATIO
        print(json.dumps(figures | {"cores": os.cpu_count(), "at_least": LEAST_RATIO, "reached": reached}))
        return 0 if reached else 1
    except (NoCClient, EndpointError) as error:
        print(f"wmbench: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
