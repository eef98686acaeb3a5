"""A generator's process on a worker of a cluster, and the task there that begins it and waits for its end.

Rules kept here: the process ends as soon as its controller or its worker does, whichever is first; keys of gateways are
in a folder of its own, which is gone with it, also where it is killed; it dials only what its controller may dial.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any, Final

from bench import cluster, run_directory
from bench.broker.broker_target import found_address
from bench.load import generator
from bench.load.far_orders import CODE, WHAT_TIME, FarOrder, Hello, Machine
from bench.load.load_orders import Generated, GeneratorOrder
from bench.load.processes import Used, Watch
from sim.core.clock import wall_s
from sim.endpoint.port import Identity

DIAL_S: Final = 20.0
IDLE_S: Final = 10
"""Until TCP asks whether the other end is there; three more questions, five seconds each."""
SAID_MOST: Final = 2_000
AUTHORITIES: Final = "authorities.pem"


def attend(host: str, port: int, key: bytes) -> str:
    """The task: a process of this worker whose controller listens there. What it wrote to its standard error."""
    with tempfile.TemporaryDirectory(prefix="wmbench-generator-") as folder:
        path = os.pathsep.join(filter(None, (str(run_directory.ROOT), os.environ.get("PYTHONPATH"))))
        with subprocess.Popen(
            [sys.executable, "-m", "bench.load.far_process"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL, cwd=folder, env=os.environ | {"PYTHONPATH": path},
        ) as process:  # fmt: skip
            assert process.stdin is not None and process.stderr is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps([host, port, key.hex(), folder]).encode() + b"\n")
                process.stdin.flush()  # and not closed: its end tells the process that this worker is gone
            said = process.stderr.read()
        return said.decode("utf-8", "replace")[-SAID_MOST:]


def main() -> None:
    """The process."""
    host, port, key, folder = json.loads(sys.stdin.readline())
    connection = dialled(host, port, bytes.fromhex(key))
    threading.Thread(target=_end_with, args=(connection.fileno(), Path(folder)), daemon=True).start()
    connection.send(Hello(cluster.code_digest(CODE), os.getpid(), Machine.this()))
    generator.serve(ClockedPipe(connection, Path(folder)))


def dialled(host: str, port: int, key: bytes) -> Connection:
    """A connection to who has the same key. Raises OSError, AuthenticationError."""
    made = socket.create_connection((host, port), DIAL_S)
    made.settimeout(None)
    prepared(made)
    connection = Connection(made.detach())
    answer_challenge(connection, key)
    deliver_challenge(connection, key)
    return connection


def prepared(made: socket.socket) -> None:
    """Small messages go at once, and an other end that is gone without a word is found out in half a minute."""
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, IDLE_S), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3)):
        made.setsockopt(socket.IPPROTO_TCP, option, value)


def _end_with(connection: int, folder: Path) -> None:
    """A thread: end this process, whatever it does, when the controller or the worker is gone."""
    waiting = select.poll()
    waiting.register(connection, select.POLLRDHUP)
    waiting.register(sys.stdin.fileno(), 0)  # POLLHUP and POLLERR come unasked
    waiting.poll()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


class ClockedPipe:
    """See bench.spawned.Pipe. Answers what the controller asks of the clock, keeps the files that come with an order,
    and adds to an answer what this process took."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self._connection, self._folder = connection, folder
        self._last_s = float("inf")
        self._watch: Watch | None = None
        self._used: Used | None = None

    def send(self, obj: Any, /) -> None:
        if isinstance(obj, Generated):
            self._look()
            obj.used, self._watch = self._used, None
        try:
            self._connection.send(obj)
        except ConnectionError as error:
            raise BrokenPipeError(str(error)) from None

    def recv(self) -> Any:
        try:
            while (said := self._connection.recv()) == WHAT_TIME:
                self._connection.send(wall_s())
        except ConnectionError as error:
            raise EOFError(str(error)) from None
        if isinstance(said, FarOrder):
            order = self._unpacked(said)
            due_s = order.schedule.due_s[order.rows]
            self._last_s = float(due_s[-1]) if len(due_s) else 0.0
            return order
        if isinstance(said, float):  # the begin, in this machine's time
            self._watch, self._used, self._last_s = Watch({"": [os.getpid()]}), None, said + self._last_s
        return said

    def poll(self, timeout: float | None = 0.0, /) -> bool:
        if self._used is None and wall_s() >= self._last_s:
            self._look()
        return self._connection.poll(timeout)

    def close(self) -> None:
        self._connection.close()

    def _look(self) -> None:
        if self._used is None and self._watch is not None:
            self._used = self._watch.used()[""]

    def _unpacked(self, far: FarOrder) -> GeneratorOrder:
        order, folder = far.order, self._folder
        found_address(order.address.host, order.address.port, own=far.own)  # a name may be another host's here
        for name, content in far.files.items():
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(content)
        identities = {
            number: Identity(client, folder / f"{client}.crt", folder / f"{client}.key", folder / AUTHORITIES)
            for number, client in far.identities.items()
        }
        return replace(order, identities=identities)


if __name__ == "__main__":
    main()
