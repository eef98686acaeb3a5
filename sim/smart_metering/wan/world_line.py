"""A gateway's line to its administrator inside a world: real TLS 1.2, records and all, and no socket.

Both ends are OpenSSL's; what one writes is handed to the other at the same instant of world time, and to whoever taps
the line. Whether a session may begin or go on is the administrator's to say, by the world's clock; a new one is a full
handshake. What passes in TLS is a message as it is, or cells (sim.smgw.cells):

    cells have a size     "padding": each record has one length
    cells at fixed times  "dummies": so many cells each time, whatever waits; what waits longer has to wait

What is to be asked is looked for when it can be asked, so nothing is lost when a session ends amid a message.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple

from sim.smart_metering.wan.http_messages import (
    Answer,
    Question,
    Reply,
    read_request,
    read_response,
    request,
    response,
)
from sim.smart_metering.wan.talk import Answering, Asking, Errand
from sim.smgw.module.port import ModuleError

_APPLICATION: Final = 23
_PIECE_BYTES: Final = 1 << 16


class Passing(NamedTuple):
    """What passes on the WAN at an instant: bytes of a gateway's connection, or one datagram. `outward`: it comes from
    the gateway."""

    time_ns: int
    gateway: str
    outward: bool
    data: bytes
    datagram: bool = False


class Pace(NamedTuple):
    """`cell_bytes`: 0, sizes as they come. `cells`: how many each time; 0, a question goes when there is one."""

    cell_bytes: int = 0
    cells: int = 0


class Ends(NamedTuple):
    """What the two sides know. `session`: (world time) -> a mark of the session that is open or opens now, None where
    there is none. `contexts`: (gateway's, administrator's), asked when a session begins; raises ModuleError. `answer`:
    the administrator's. `something_waits`: at the administrator, for this gateway. `due`: the gateway's next errand;
    asking changes nothing."""

    session: Callable[[int], int | None]
    contexts: Callable[[], tuple[ssl.SSLContext, ssl.SSLContext]]
    answer: Answer
    something_waits: Callable[[], bool]
    due: Callable[[], Errand | None]


class WorldLine:
    """`tell`: shown what passes. `record_bytes`: of application records both ways, headers counted; `message_bytes`:
    what was in them of questions and answers; `longest_wait_ns`: of an errand, from `look` on."""

    def __init__(self, gateway: str, party: str, pace: Pace, ends: Ends, tell: Callable[[Passing], None]) -> None:
        self._gateway, self._party, self._pace, self._ends, self._tell = gateway, party, pace, ends, tell
        self._tls: _Tls | None = None
        self._mark: int | None = None
        self._since_ns: int | None = None
        self.called = False
        """The administrator said that something waits."""
        self.record_bytes = self.message_bytes = self.handshakes = self.longest_wait_ns = 0

    # --- when it carries --------------------------------------------------------------------------------------------

    def look(self, now_ns: int) -> None:
        """Something may wait now. What need not wait for its time is carried."""
        if self._since_ns is None and self._ends.due() is not None:
            self._since_ns = now_ns
        if self._pace.cells:
            return
        while (errand := self._ends.due()) is not None and (tls := self._session(now_ns)) is not None:
            if not self._timed(errand, now_ns).done(self._asked(tls, errand.question)):
                return

    def strike(self, now_ns: int) -> None:
        """It is time for its cells."""
        tls = self._session(now_ns)
        if tls is None:
            return
        before = tls.asking.message_bytes

        def due() -> Errand | None:
            self.called |= tls.asking.called
            tls.asking.called = False
            errand = self._ends.due()
            return None if errand is None else self._timed(errand, now_ns)

        tls.asking.strike(self._pace.cells, due, tls.there_and_back)
        self.message_bytes += tls.asking.message_bytes - before

    def _timed(self, errand: Errand, now_ns: int) -> Errand:
        """The same, and how long it waited is noted."""

        def done(reply: Reply) -> bool:
            if not errand.done(reply):
                return False
            if self._since_ns is not None:
                self.longest_wait_ns = max(self.longest_wait_ns, now_ns - self._since_ns)
            self._since_ns = None if self._ends.due() is None else now_ns
            return True

        return Errand(errand.question, done)

    def hang_up(self) -> None:
        """The gateway ends its session; the next question is in another one."""
        self._tls = self._mark = None

    # --- how --------------------------------------------------------------------------------------------------------

    def _session(self, now_ns: int) -> _Tls | None:
        mark = self._ends.session(now_ns)
        if mark is None:
            self._tls = None
        elif self._tls is None or mark != self._mark:
            try:
                client, server = self._ends.contexts()
            except ModuleError:
                self._tls = None
                return None
            self._mark, self.handshakes = mark, self.handshakes + 1
            pace = self._pace
            answering = Answering(
                pace.cell_bytes, self._party, self._ends.answer, paced=bool(pace.cells),
                something_waits=self._ends.something_waits,
            )  # fmt: skip
            self._tls = _Tls(client, server, Asking(pace.cell_bytes), answering)
            self._tls.shake(lambda outward, data: self._pass(now_ns, outward, data))
        if self._tls is not None:
            self._tls.tell = lambda outward, data: self._pass(now_ns, outward, data)
        return self._tls

    def _asked(self, tls: _Tls, question: Question) -> Reply:
        if self._pace.cell_bytes == 0:
            asked = read_request(tls.carry(True, request(question)))
            reply = self._ends.answer(self._party, *asked)
            self.message_bytes += len(request(question)) + len(response(reply))
            return read_response(tls.carry(False, response(reply)))
        before = tls.asking.message_bytes
        found = tls.asking.ask(question, tls.there_and_back)
        self.message_bytes += tls.asking.message_bytes - before
        return found

    def _pass(self, now_ns: int, outward: bool, data: bytes) -> None:
        self.record_bytes += _application_bytes(data)
        self._tell(Passing(now_ns, self._gateway, outward, data))


class _Tls:
    """Two ends of a session; what one says is at once with the other."""

    def __init__(
        self, client: ssl.SSLContext, server: ssl.SSLContext, asking: Asking, answering: Answering
    ) -> None:
        # A tap stands between the ends, so each direction is two queues.
        to_server, to_client, out_client, out_server = (ssl.MemoryBIO() for _ in range(4))
        self._client = client.wrap_bio(to_client, out_client, server_side=False)
        self._server = server.wrap_bio(to_server, out_server, server_side=True)
        self._in, self._out = {True: to_server, False: to_client}, {True: out_client, False: out_server}
        self.asking, self.answering = asking, answering
        self.tell: Callable[[bool, bytes], None] = lambda outward, data: None

    def shake(self, tell: Callable[[bool, bytes], None]) -> None:
        self.tell = tell
        open_ends = [(True, self._client), (False, self._server)]
        while open_ends:
            left = []
            for outward, end in open_ends:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    left.append((outward, end))
                self._move(outward)
            open_ends = left

    def there_and_back(self, cell: bytes) -> list[bytes]:
        """A cell there; cells as they came back."""
        return [self.carry(False, back) for back in self.answering.take(self.carry(True, cell))]

    def carry(self, outward: bool, data: bytes) -> bytes:
        """What one end says, as the other reads it."""
        speaker, hearer = (self._client, self._server) if outward else (self._server, self._client)
        speaker.write(data)
        self._move(outward)
        heard = bytearray()
        with contextlib.suppress(ssl.SSLWantReadError):
            while True:
                heard += hearer.read(_PIECE_BYTES)
        return bytes(heard)

    def _move(self, outward: bool) -> None:
        data = self._out[outward].read()
        if data:
            self.tell(outward, data)
            self._in[outward].write(data)


def _application_bytes(data: bytes) -> int:
    at, found = 0, 0
    while at + 5 <= len(data):
        length = 5 + int.from_bytes(data[at + 3 : at + 5], "big")
        found += length if data[at] == _APPLICATION else 0
        at += length
    return found
