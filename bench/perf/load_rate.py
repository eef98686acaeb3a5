"""The load's generator in two processes beside Mosquitto's clients in C: QoS 1 messages a second with mutual TLS.

As bench.perf.c_client measures its own: the same messages, the same broker and taker, everything handed over at once,
from the first message to the last one taken. What the generator gives up for that is its pace and its custody, which
need a portal.

    python -m bench.perf.load_rate --connections 100 1000
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from bench.load import generator
from bench.load.fleet_bundles import Sent, name
from bench.load.load_orders import GeneratorOrder
from bench.load.schedule import Schedule
from bench.perf.c_client import MESSAGES, PAYLOAD, Compared, NoCClient, c_per_s, taking
from bench.spawned import Spawned
from sim.core.clock import wall_s
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.port import EndpointError

WORKERS: Final = 2
_PASS_S: Final = 180.0
_LEAD_S: Final = 0.1


def generator_per_s(broker: Mosquitto, connections: int, messages: int = MESSAGES, workers: int = WORKERS) -> float:
    """Messages a second of so many processes. Raises NoCClient, EndpointError."""
    each = messages // connections
    gateway = np.tile(np.arange(connections), each)
    schedule = Schedule(gateway, np.repeat(np.arange(each) + 1, connections), np.zeros(len(gateway)))
    assert broker.address is not None
    with contextlib.ExitStack() as closing, taking(broker) as taker:
        crew = []
        for worker in range(workers):
            process = Spawned(generator.serve)
            closing.callback(process.stop)
            crew.append(process)
            mine = range(worker, connections, workers)
            process.pipe.send(GeneratorOrder(
                Sent(connections), schedule, np.flatnonzero(gateway % workers == worker),
                {one: broker.identity(name(one)) for one in mine}, broker.address, custody=False, payload=PAYLOAD,
            ))  # fmt: skip
        for process in crew:
            if isinstance(said := process.pipe.recv(), BaseException):
                raise said
        wanted, begin_s = taker.count + each * connections, wall_s() + _LEAD_S
        for process in crew:
            process.pipe.send(begin_s)
        taker.await_count(wanted, _PASS_S)
        took_s = wall_s() - begin_s
        for process in crew:
            process.pipe.send(None)
        for process in crew:
            if isinstance(said := process.pipe.recv(), BaseException):
                raise said
        return each * connections / took_s


def compared(connections: int, *, rounds: int = 3, messages: int = MESSAGES) -> Compared:
    """By turns against one broker, the best of the rounds of each. Raises NoCClient, EndpointError."""
    with tempfile.TemporaryDirectory(prefix="wmbench-load-rate-") as folder:
        broker = Mosquitto(Path(folder))
        broker.start()
        try:
            theirs, ours = [], []
            for _ in range(rounds):
                theirs.append(c_per_s(broker, connections, messages))
                ours.append(generator_per_s(broker, connections, messages))
            return Compared(connections, messages // connections * connections, max(theirs), max(ours))
        finally:
            broker.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--connections", type=int, nargs="+", default=[100, 1_000])
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    try:
        for connections in asked.connections:
            found = compared(connections, rounds=asked.rounds, messages=asked.messages)
            print(json.dumps(asdict(found) | {"ratio": round(found.ratio, 3)}), flush=True)
    except (NoCClient, EndpointError) as error:
        print(f"wmbench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
