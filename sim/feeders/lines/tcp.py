"""A dongle behind the network: we listen, as a serial server does, and the gateway dials. One at a time."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass

from sim.core.settings import number
from sim.feeders.lines._descriptor import Descriptor, OverDescriptor
from sim.feeders.lines.port import Answer, LineError, LineKind, LineSpec


@dataclass(frozen=True, slots=True)
class TcpSpec(LineSpec):
    """Where we listen: the loopback, unless the inventory says otherwise. `port` 0: a free one."""

    kind: str = "tcp"
    address: str = "127.0.0.1"
    port: int = number(0, low=0, high=65_535)


class TcpLine(OverDescriptor):
    """See port.Line. `greeting`: what each who dials is told first."""

    def __init__(self, spec: TcpSpec, greeting: bytes = b"") -> None:
        super().__init__()
        self._spec = spec
        self._greeting = greeting
        self._port = spec.port
        self._server: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def place(self) -> str:
        return f"{self._spec.address}:{self._port}"

    @property
    def problem(self) -> str | None:
        if self._server is None:
            return f"{self.place} is unplugged"
        descriptor = self._descriptor
        if descriptor is None or descriptor.away:
            return f"nobody has dialled {self.place}; point the gateway at this address"
        if descriptor.held:
            return f"the gateway does not read from {self.place}: {descriptor.held} bytes wait; see what it is at"
        return None

    def open(self, answer: Answer) -> None:
        try:
            self._server = socket.create_server((self._spec.address, self._port), backlog=1)
        except (OSError, OverflowError) as error:
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            raise LineError(f"cannot listen on {self.place}: {why}; stop what uses it or name another port") from None
        self._port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, args=(self._server, answer), name="tcp line", daemon=True)
        self._thread.start()

    def _accept(self, server: socket.socket, answer: Answer) -> None:
        while self._server is server:
            try:
                client, _ = server.accept()
            except OSError:  # closed, which is how it ends
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            descriptor = Descriptor(client.detach(), answer)
            if self._greeting:
                descriptor.send(self._greeting)
            before, self._descriptor = self._descriptor, descriptor
            if before is not None:  # it dialled anew: the old connection is dead, known to us or not
                before.close()

    def close(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        if self._thread is not None:
            self._thread.join()
        super().close()


LINE = LineKind("tcp", "TCP server, as in front of a serial port", TcpSpec, lambda spec, *_: TcpLine(spec))
