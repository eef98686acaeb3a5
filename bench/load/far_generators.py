"""Generators of a load on workers of a dask cluster, one process a worker: `load --scheduler tcp://HOST:8786`.

The cluster begins them and tells when a worker is gone; orders and answers go through a TCP connection of each to this
machine. Each has a clock of its own: how far it is beside the controller's is measured by round trips, of which the
shortest counts, before a trial begins and again when it is over. The begin is given in the worker's time, and times
that come back are brought to the controller's. Half of the shortest round trip is what they may be wrong by, and what
the clock moved meanwhile is added to that.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from bench import cluster
from bench.load.brokers import Broker
from bench.load.far_orders import CODE, WHAT_TIME, FarOrder, Hello, Machine
from bench.load.far_process import AUTHORITIES, attend, prepared
from bench.load.load_orders import Generated, GeneratorOrder
from bench.run_errors import CannotRun
from bench.spawned import Pipe
from sim.core.clock import wall_s, wall_sleep

ROUND_TRIPS: Final = 30
ANSWER_S: Final = 20.0
BEGIN_S: Final = 120.0
"""For a worker to begin a process: its machine may be busy, and loads the simulation first."""
HANDSHAKE_S: Final = 5
END_S: Final = 20.0
LOOK_S: Final = 0.05


class Reading(NamedTuple):
    """`beside_s`: the other clock's time minus the controller's at the same instant, `uncertain_s` at most wrong."""

    beside_s: float
    uncertain_s: float


def read_clock(pipe: Pipe, place: str) -> Reading:
    """Raises CannotRun, EOFError, OSError."""
    best = Reading(0.0, float("inf"))
    for _ in range(ROUND_TRIPS):
        asked_s = wall_s()
        pipe.send(WHAT_TIME)
        if not pipe.poll(ANSWER_S):
            raise CannotRun(f"the generator on worker {place} did not tell its time within {ANSWER_S:g} s")
        theirs_s, half_s = pipe.recv(), (wall_s() - asked_s) / 2
        if half_s < best.uncertain_s:
            best = Reading(theirs_s - asked_s - half_s, half_s)
    return best


class FarPipe:
    """See bench.spawned.Pipe: on this side of it all times are the controller's."""

    def __init__(self, connection: Pipe, place: str, own: bool) -> None:
        self._connection, self._place, self._own = connection, place, own
        self._clock = Reading(0.0, 0.0)
        self._has: set[str] = set()

    def send(self, obj: Any, /) -> None:
        if isinstance(obj, GeneratorOrder):
            obj = self._packed(obj)
        elif isinstance(obj, float):
            obj += self._clock.beside_s
        self._connection.send(obj)

    def recv(self) -> Any:
        said = self._connection.recv()
        if said == "ready":
            self._clock = read_clock(self._connection, self._place)
        elif isinstance(said, Generated):
            self._brought_here(said, read_clock(self._connection, self._place))
        return said

    def poll(self, timeout: float | None = 0.0, /) -> bool:
        return self._connection.poll(timeout)

    def close(self) -> None:
        self._connection.close()

    def _brought_here(self, told: Generated, after: Reading) -> None:
        before = self._clock
        told.handled_s = told.handled_s - before.beside_s
        told.sent_s = told.sent_s - before.beside_s
        moved_s = abs(after.beside_s - before.beside_s)
        told.uncertain_s = max(before.uncertain_s, moved_s + after.uncertain_s)
        if moved_s > before.uncertain_s + after.uncertain_s:
            told.clock_moved = (
                f"the clock of worker {self._place} moved by {1e3 * moved_s:.3f} ms in the trial, and was known to "
                f"{1e3 * before.uncertain_s:.3f} ms"
            )

    def _packed(self, order: GeneratorOrder) -> FarOrder:
        files: dict[str, bytes] = {}
        for one in order.identities.values():
            assert one.certificate is not None and one.key is not None and one.authorities is not None
            named = {f"{one.client_id}.crt": one.certificate, f"{one.client_id}.key": one.key,
                     AUTHORITIES: one.authorities}  # fmt: skip
            files |= {name: path.read_bytes() for name, path in named.items() if name not in {*self._has, *files}}
        self._has |= set(files)
        identities = {number: one.client_id for number, one in order.identities.items()}
        return FarOrder(replace(order, identities={}), identities, files, self._own)


class FarGenerator:
    """`place`: its worker. `pid`: of its process, where that is seen from here."""

    def __init__(self, place: str, connection: Connection, hello: Hello, future: Any, own: bool) -> None:
        self.place = place
        self.pipe: Pipe = FarPipe(connection, place, own)
        here = Machine.this()
        self.pid = hello.pid if (here.boot, here.processes) == (hello.machine.boot, hello.machine.processes) else None
        self._future = future

    def ended(self) -> str:
        """In a sentence, of one that is gone."""
        said = ""
        with contextlib.suppress(Exception):  # of a worker that is gone nothing comes
            said = self._future.result(timeout=3).strip()
        last = f'; the last that it wrote: "{said.splitlines()[-1]}"' if said else ""
        return (
            f"the generator on worker {self.place} is gone, or its worker or the way to it{last}; start the worker "
            "again, or take fewer --workers"
        )


@contextmanager
def on_cluster(scheduler: str, count: int, most: int, broker: Broker) -> Iterator[list[FarGenerator]]:
    """So many generators (0: one a worker, `most` at most), gone at the end. Raises CannotRun: what cluster.connected
    says, fewer workers than that, other code, one that does not begin, one that cannot reach this broker."""
    if scheduler.startswith(("tls://", "wss://")):
        raise CannotRun(
            f"--scheduler {scheduler}: gateways' keys would go to the generators without TLS, which that cluster "
            "promises; name a tcp:// scheduler on a network of your own"
        )
    with cluster.connected(scheduler) as (_, client), ExitStack() as closing:
        every = spread(cluster.workers(client))
        if count > len(every):
            raise CannotRun(
                f"--scheduler {scheduler}: it has {len(every)} workers, and --workers {count} takes one each; start "
                f"more, or take --workers {len(every)}"
            )
        chosen = every[: count or most]
        futures: list[Any] = []
        begun: dict[str, Any] = {}
        closing.callback(_await_ends, client, futures, begun)
        doors = [closing.enter_context(contextlib.closing(Door(scheduler, worker))) for worker in chosen]
        for door in doors:
            futures.append(client.submit(
                attend, door.host, door.port, door.key, workers=[door.worker], allow_other_workers=False, pure=False,
                retries=0, key=f"wmbench-generator-{client.id}-{door.port}",
            ))  # fmt: skip
        made = []
        for door, future in zip(doors, futures, strict=True):
            connection = door.entered(future)
            closing.callback(connection.close)
            begun[door.worker] = future
            made.append(_checked(scheduler, door.worker, connection, future, broker))
        yield made


def _checked(scheduler: str, worker: str, connection: Connection, future: Any, broker: Broker) -> FarGenerator:
    hello = connection.recv() if connection.poll(BEGIN_S) else None
    if not isinstance(hello, Hello):
        raise CannotRun(f"--scheduler {scheduler}: the generator on worker {worker} says nothing that is understood")
    cluster.refuse_other_code(scheduler, worker, hello.code, cluster.code_digest(CODE))
    here = Machine.this()
    if broker.loopback and (here.boot, here.network) != (hello.machine.boot, hello.machine.network):
        raise CannotRun(
            f"--scheduler {scheduler}: worker {worker} is on another machine and cannot reach a broker on this one's "
            "loopback; name one that both reach, with --broker HOST:PORT --i-own-this"
        )
    return FarGenerator(worker, connection, hello, future, broker.own)


def spread(workers: Sequence[str]) -> list[str]:
    """In an order whose first ones are on as many hosts as there are."""
    seen: dict[str, int] = {}
    ranked = []
    for worker in workers:
        host = worker.rpartition(":")[0]
        seen[host] = seen.get(host, 0) + 1
        ranked.append((seen[host], worker))
    return [worker for _, worker in sorted(ranked)]


def _await_ends(client: Any, futures: Sequence[Any], begun: Mapping[str, Any]) -> None:
    """Of tasks whose processes were left: when this returns, nothing of them is there any more. `begun`: by worker."""
    there, end_s = set(cluster.workers(client)), wall_s() + END_S
    while wall_s() < end_s and not all(future.done() for worker, future in begun.items() if worker in there):
        wall_sleep(LOOK_S)
    if futures:
        client.cancel(list(futures), force=True)


class Door:
    """Where one worker's process comes in: at this machine's address on the way to that worker, with a key that only
    the cluster is told."""

    def __init__(self, scheduler: str, worker: str) -> None:
        self.scheduler, self.worker = scheduler, worker
        self.key = bytes(multiprocessing.current_process().authkey)  # drawn anew for each process of the controller
        try:
            to = urlsplit(worker)
            family, _, _, _, where = socket.getaddrinfo(to.hostname, to.port, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, socket.SOCK_DGRAM) as way:
                way.connect(where)  # nothing is sent
                self.host = str(way.getsockname()[0])
            self._socket = socket.create_server((self.host, 0), family=family)
        except (OSError, ValueError) as error:
            raise CannotRun(f"--scheduler {scheduler}: there is no way to its worker {worker} ({error})") from None
        self.port = int(self._socket.getsockname()[1])

    def close(self) -> None:
        self._socket.close()

    def entered(self, future: Any) -> Connection:
        """Raises CannotRun."""
        self._socket.settimeout(0.2)
        end_s = wall_s() + BEGIN_S
        while wall_s() < end_s:
            try:
                came, _ = self._socket.accept()
            except TimeoutError:
                if future.done():
                    raise self._failed(future) from None
                continue
            if (connection := self._known(came)) is not None:
                return connection
        raise CannotRun(
            f"--scheduler {self.scheduler}: worker {self.worker} began no generator in {BEGIN_S:g} s: is it busy with "
            f"something else, and does it reach {self.host}?"
        )

    def _known(self, came: socket.socket) -> Connection | None:
        """None of one that has not the key."""
        came.settimeout(None)
        prepared(came)
        came.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", HANDSHAKE_S, 0))
        connection = Connection(came.detach())
        try:
            deliver_challenge(connection, self.key)
            answer_challenge(connection, self.key)
        except (multiprocessing.AuthenticationError, OSError, EOFError):
            connection.close()
            return None
        with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 0))
        return connection

    def _failed(self, future: Any) -> CannotRun:
        where = f"--scheduler {self.scheduler}: worker {self.worker}"
        try:
            said = future.result(timeout=5).strip()
        except ImportError as error:
            return cluster.cannot_import(self.scheduler, error)
        except Exception as error:  # whatever it raised there
            return CannotRun(f"{where} began no generator ({type(error).__name__}: {error}); {cluster.WORKERS_NEED}")
        last = said.splitlines()[-1] if said else "it wrote nothing"
        return CannotRun(f'{where} began no generator, which ended with "{last}"; does it reach {self.host}?')
