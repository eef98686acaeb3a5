"""The path from a real gateway to the broker as something that can fail: a TCP relay in front of the broker.

Three ways: `lead` passes bytes on, to the broker or to whoever sits on the path; `refuse` closes the port, so that a
client is refused at once; `swallow` is a black hole: connections stay and are accepted, and nothing passes in either
direction until the path leads somewhere again. It runs on a thread of its own, and sees bytes, not what they mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import struct
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from sim.endpoint.port import Address, EndpointError
from sim.network.loop_thread import LoopThread

_READ_BYTES: Final = 65_536
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST
_DEADLINE_S: Final = 5.0


class TcpSwitch:
    """Listens from its making until `stop`. Raises EndpointError. `dialled`: clients that came through."""

    def __init__(self, upstream: Address, host: str = "127.0.0.1", port: int = 0) -> None:
        self.dialled = 0
        self._upstream = upstream
        self._host, self._port = host, port
        self._listener = self._listen()
        self._port = self._listener.getsockname()[1]
        self._sockets: set[socket.socket] = set()
        self._accepting: asyncio.Task[None] | None = None
        self._passing = asyncio.Event()
        self._passing.set()
        self._thread = LoopThread("tcp switch", ending=self._reset)
        self._thread.start()
        self._do(self._accept_anew())

    @property
    def port(self) -> int:
        return self._port

    def lead(self, upstream: Address | None = None) -> None:
        """Bytes pass again. To another address than before: what there is of connections is reset."""

        async def change() -> None:
            if upstream is not None and upstream != self._upstream:
                self._upstream = upstream
                self._reset()
            self._passing.set()
            await self._accept_anew()

        self._do(change())

    def refuse(self) -> None:
        """Nobody listens, and connections are reset."""

        async def change() -> None:
            accepting, self._accepting = self._accepting, None
            if accepting is not None:
                await _over([accepting])
            self._listener.close()
            self._reset()

        self._do(change())

    def swallow(self) -> None:
        """A black hole."""

        async def change() -> None:
            self._passing.clear()

        self._do(change())

    def cut(self) -> None:
        """Every connection is reset, once."""

        async def change() -> None:
            self._reset()

        self._do(change())

    def stop(self) -> None:
        """Idempotent; leaves no thread and no port."""
        self._thread.stop()
        self._listener.close()

    # --- below ----------------------------------------------------------------------------------------------------

    def _listen(self) -> socket.socket:
        try:
            listener = socket.create_server((self._host, self._port), backlog=128)
        except OSError as error:
            raise EndpointError(f"port {self._port} of {self._host}: {_why(error)}") from None
        listener.setblocking(False)
        return listener

    def _do(self, change: Coroutine[Any, Any, None]) -> None:
        self._thread.do(change, _DEADLINE_S)

    def _reset(self) -> None:
        for one in list(self._sockets):
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    async def _accept_anew(self) -> None:
        if self._accepting is None:
            if self._listener.fileno() < 0:
                self._listener = self._listen()
            self._accepting = self._thread.spawn(self._accept(self._listener))

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = await self._thread.loop.sock_accept(listener)
            self.dialled += 1
            self._sockets.add(client)  # a reset before it is served is for it too
            self._thread.spawn(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        server = socket.socket()
        server.setblocking(False)
        self._sockets |= {client, server}
        halves: list[asyncio.Task[None]] = []
        try:
            await self._passing.wait()
            await self._thread.loop.sock_connect(server, ("127.0.0.1", self._upstream.port))
            ways = ((client, server), (server, client))
            halves += (self._thread.spawn(self._pass_on(*ends)) for ends in ways)
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass  # the client sees a closed connection
        finally:
            self._sockets -= {client, server}
            await _over(halves)
            client.close()
            server.close()

    async def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := await self._thread.loop.sock_recv(source, _READ_BYTES):
                await self._passing.wait()
                await self._thread.loop.sock_sendall(sink, data)


async def _over(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancelled, and at their end. A socket that is closed while a task still waits for it leaves its number with the
    loop, and the next connection, which gets that number, breaks."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _why(error: OSError) -> str:
    """Cause and way out."""
    if error.errno is not None and error.errno < 0:  # of getaddrinfo
        return "there is no such address; `ip address` shows those of this machine"
    if error.errno == errno.EADDRNOTAVAIL:
        return "that is no address of this machine; `ip address` shows those it has"
    if error.errno == errno.EACCES:
        return "this user may not listen there; name a port above 1023"
    said = os.strerror(error.errno) if error.errno else str(error)
    return f"{said}; stop the program that has it, or name another"
