"""Endpoints for tests, with the waits and faults several of them need."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.core import clock
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.mosquitto_program import Found, NotFound, find_mosquitto
from sim.endpoint.port import Address, Endpoint, Session


def found_mosquitto() -> Found:
    found = find_mosquitto()
    if isinstance(found, NotFound):
        pytest.skip(f"no Mosquitto: {found.reason}")
    return found


def make(directory: Path, **how: Any) -> Mosquitto:
    found = found_mosquitto()
    return Mosquitto(directory, program=found.program, environment=found.environment, **how)


def until(endpoint: Endpoint, done: Callable[[], bool], deadline_s: float = 10.0) -> None:
    assert endpoint.settle(done, deadline_s), "did not happen in time"


def states(session: Session) -> list[str]:
    return [state for state, _ in session.log]


class Ahead:
    """The wall clock plus `s` seconds, which a test may put forward instead of waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.s = 0.0
        real = clock.wall_s
        monkeypatch.setattr(clock, "wall_s", lambda: real() + self.s)


class CuttingProxy:
    """TCP on 127.0.0.1 in front of a broker. `deaf = True`: the broker's bytes stop reaching the client (a PUBACK
    that never comes). `cut()`: all connections end. `close()` leaves no thread: where one is left, whatever forks after
    it in this process has to start and import anew."""

    def __init__(self, upstream: Address) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = Address("localhost", self._listener.getsockname()[1])
        self.deaf = False
        self._upstream = upstream
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        for pair in self._pairs:
            for end in pair:
                _shut(end)
        self._pairs.clear()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # a thread that waits in accept is not woken by close
        self._threads[0].join()
        self._listener.close()
        self.cut()
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._upstream.host, self._upstream.port))
            except OSError:
                return
            self._pairs.append((client, server))
            for source, sink, down in ((client, server, False), (server, client, True)):
                relay = threading.Thread(target=self._relay, args=(source, sink, down), daemon=True)
                self._threads.append(relay)
                relay.start()

    def _relay(self, source: socket.socket, sink: socket.socket, down: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if not (down and self.deaf):
                    sink.sendall(data)
        for end in (source, sink):
            _shut(end)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was faster
        end.shutdown(socket.SHUT_RDWR)
