"""The load's generator in two processes beside Mosquitto's clients in C: QoS 1 messages a second with mutual TLS.

As bench.perf.c_client measures its own: the same messages, the same broker and taker, everything handed over at once,
from the first message to the last one taken. What the generator gives up for that is its pace and its custody, which
need a portal.

    python -m bench.perf.load_rate --connections 100 1000
"""

from __future__ import annotations

import contextlib
import sys
from typing import Final

import numpy as np

from bench.load import generator
from bench.load.fleet_bundles import Sent, name
from bench.load.load_orders import GeneratorOrder
from bench.load.schedule import Schedule
from bench.perf import c_client
from bench.perf.c_client import MESSAGES, PAYLOAD, Compared, taking
from bench.spawned import Spawned
from sim.core.clock import wall_s
from sim.endpoint.kinds.mosquitto import Mosquitto

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
    """See c_client.compared."""
    return c_client.compared(connections, rounds=rounds, messages=messages, rate=generator_per_s)


if __name__ == "__main__":
    sys.exit(c_client.main(__doc__, generator_per_s))
