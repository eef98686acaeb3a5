"""A conversation in cells, whatever carries them: the gateway's side asks, the other side answers.

Paced, every cell of the gateway is answered by exactly one: what has nothing to say says a dummy. So how many cells
pass says how often the gateway's clock struck, and nothing else. Not paced, a question's cells go at once, and so do
its answer's; no dummy passes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from sim.smart_metering.wan.http_messages import (
    Answer,
    Question,
    Reply,
    read_request,
    read_response,
    request,
    response,
)
from sim.smart_metering.wan.tls import WanError
from sim.smgw.cells import BadCell, CellKind, Joiner, dummy, encode, kind_of


class Errand(NamedTuple):
    """A question that waits, and what its answer does: False, and it goes on waiting."""

    question: Question
    done: Callable[[Reply], bool]


Carry = Callable[[bytes], list[bytes]]
"""A cell there -> the cells that came back."""


class Asking:
    """The side that asks, one question at a time. `called`: the other side said that something waits there.
    `message_bytes`: of whole questions and answers."""

    def __init__(self, cell_bytes: int) -> None:
        self._cell_bytes = cell_bytes
        self._joiner = Joiner(cell_bytes)
        self._out: deque[bytes] = deque()
        self.waits = False
        """For an answer: no other question may be put."""
        self.called = False
        self.message_bytes = 0
        self._errand: Errand | None = None

    def ask(self, asked: Question, carry: Carry) -> Reply:
        """Not paced: all cells of the question now. Raises WanError (message)."""
        self.put(asked)
        found: Reply | None = None
        for cell in self.cells():
            for back in carry(cell):
                found = self.take(back) or found
        if found is None:
            raise WanError("message", "a whole question was not answered")
        return found

    def strike(self, count: int, due: Callable[[], Errand | None], carry: Carry) -> None:
        """Paced: so many cells, of what is due or dummies; each is answered by one. What is refused waits for another
        time. Raises WanError (message)."""
        refused = False
        for _ in range(count):
            if self._errand is None and not refused and (errand := due()) is not None:
                self._errand = errand
                self.put(errand.question)
            for back in carry(self.next()):
                reply = self.take(back)
                if reply is not None and self._errand is not None:
                    errand, self._errand = self._errand, None
                    refused = not errand.done(reply)

    def put(self, asked: Question) -> None:
        if self.waits:
            raise ValueError("one question at a time")
        message = request(asked)
        self.message_bytes += len(message)
        self._out.extend(encode(message, self._cell_bytes))
        self.waits = True

    def cells(self) -> list[bytes]:
        """All that is left of the question."""
        out = list(self._out)
        self._out.clear()
        return out

    def next(self) -> bytes:
        """One cell: of the question, or a dummy."""
        return self._out.popleft() if self._out else dummy(self._cell_bytes)

    def take(self, cell: bytes) -> Reply | None:
        """A cell that came. Raises WanError (message)."""
        try:
            message = self._joiner.take(cell)
            self.called |= kind_of(cell) is CellKind.CALL
        except BadCell as error:
            raise WanError("message", str(error)) from None
        if message is None:
            return None
        self.waits = False
        self.message_bytes += len(message)
        return read_response(message)


class Answering:
    """The side that answers. `something_waits`: for who asks, who is told so by a dummy of another kind."""

    def __init__(
        self, cell_bytes: int, party: str, answer: Answer, *, paced: bool,
        something_waits: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self._cell_bytes, self._party, self._answer, self._paced = cell_bytes, party, answer, paced
        self._something_waits = something_waits
        self._joiner = Joiner(cell_bytes)
        self._out: deque[bytes] = deque()

    def take(self, cell: bytes) -> list[bytes]:
        """A cell that came -> cells that go back. Raises WanError (message): then this conversation is over."""
        try:
            message = self._joiner.take(cell)
        except BadCell as error:
            raise WanError("message", str(error)) from None
        if message is not None:
            method, path, body = read_request(message)
            reply = self._answer(self._party, method, path, body)
            self._out.extend(encode(response(reply), self._cell_bytes))
        if not self._paced:
            out = list(self._out)
            self._out.clear()
            return out
        if self._out:
            return [self._out.popleft()]
        return [dummy(self._cell_bytes, CellKind.CALL if self._something_waits() else CellKind.DUMMY)]
