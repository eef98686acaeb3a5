"""Cells over a TLS socket, from either side. One cell is one TLS record; a record that is none ends the connection."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final

from sim.core.clock import wall_s
from sim.smart_metering.wan.http_messages import Answer, Question, Reply
from sim.smart_metering.wan.talk import Answering, Asking, Errand
from sim.smart_metering.wan.tls import WanError, party

PACED_IDLE_S: Final = 3_600.0
"""How long a server waits for the next of a gateway's times."""


class CellAsker:
    """A client's side. Raises WanError (message), and OSError of its socket. What waited for an answer when a
    connection ended is forgotten: whoever asked asks again."""

    def __init__(self, cell_bytes: int, *, paced: bool) -> None:
        self._cell_bytes, self._paced = cell_bytes, paced
        self._asking = Asking(cell_bytes)
        self._of: ssl.SSLSocket | None = None

    def ask(self, connection: ssl.SSLSocket, question: Question) -> Reply:
        """At once, whatever it takes."""
        asking = self._on(connection)
        if self._paced:
            found: list[Reply] = []

            def done(reply: Reply) -> bool:
                found.append(reply)
                return True

            waiting = [Errand(question, done)]
            while not found:
                asking.strike(1, lambda: waiting.pop() if waiting else None, lambda cell: [self._turn(cell)])
            return found[0]
        asking.put(question)
        for cell in asking.cells():
            connection.sendall(cell)
        while (reply := asking.take(self._read(connection))) is None:
            pass
        return reply

    def strike(self, connection: ssl.SSLSocket, count: int, due: Callable[[], Errand | None]) -> None:
        """See Asking.strike."""
        self._on(connection).strike(count, due, lambda cell: [self._turn(cell)])

    def _on(self, connection: ssl.SSLSocket) -> Asking:
        if connection is not self._of:
            self._of, self._asking = connection, Asking(self._cell_bytes)
        return self._asking

    def _turn(self, cell: bytes) -> bytes:
        assert self._of is not None, "a connection was named"
        self._of.sendall(cell)
        return self._read(self._of)

    def _read(self, connection: ssl.SSLSocket) -> bytes:
        cell = read_cell(connection, self._cell_bytes)
        if cell is None:
            raise ConnectionResetError("the other side ended the session")
        return cell


def read_cell(connection: ssl.SSLSocket, cell_bytes: int) -> bytes | None:
    """One cell; None where the connection ended. Raises OSError."""
    cell = bytearray()
    while len(cell) < cell_bytes:
        piece = connection.recv(cell_bytes - len(cell))
        if not piece:
            return None
        cell += piece
    return bytes(cell)


def answer_in_cells(
    connection: ssl.SSLSocket, answer: Answer, cell_bytes: int, *, paced: bool, ends_s: float
) -> None:
    """A server's side of one connection, until it ends or its time is over."""
    if paced:
        connection.settimeout(PACED_IDLE_S)
    answering = Answering(cell_bytes, party(connection), answer, paced=paced)
    while wall_s() < ends_s:
        try:
            cell = read_cell(connection, cell_bytes)
            if cell is None:
                return
            for back in answering.take(cell):
                connection.sendall(back)
        except (OSError, WanError, TimeoutError):
            return
