"""The gateway's side of the wired bus: who is on it, a session with each meter that was paired, and their values.

`contact` goes round once: meters without an address get one; each paired meter is polled. A meter pushes its newest
row; rows between the last one that is stored and that one are asked for from its load profile, so what was missed while
a wire was cut, or one side had no power, is fetched later. Rows are stored in order of time, and committed before the
next thing is said. A value that runs backwards, that no house could use, or whose meter's clock differs from the
gateway's by more than the tolerance is stored and marked, and bills nothing.

A meter that was not paired gets an address and nothing else. One without a key of its own is sent its first one under
its maker's key, once it is seen. What cannot be is told by `record(what, meter, detail)`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Protocol

from sim.core.quoting import quoted
from sim.pki.authority import Pair
from sim.pki.link_certificates import LinkEnd, is_valid_at, made
from sim.smart_metering.lmn.tls_channel import LinkRefused, TlsChannel, context
from sim.smart_metering.lmn.wired_meter import DRAWN, name_of
from sim.smart_metering.lmn.wired_store import StoredRow, WiredStore
from sim.smgw.hdlc import Frame
from sim.smgw.lmn import exchange, first_key
from sim.smgw.lmn.bus import FIRST_KEY, SML, TLS, Bus, BusFull
from sim.smgw.lmn.bus_link import Primary
from sim.smgw.lmn.exchange import GRID, LOAD_PROFILE, Values
from sim.smgw.lmn.sml_stream import FileSplitter
from sim.smgw.metrology import Capture
from sim.smgw.obis_codes import Obis
from sim.smgw.refusals import BadFrame
from sim.smgw.rule_set import CAPTURE_S
from sim.smgw.status_words import Gateway

FORGETS: Final = 3
"""So often meters are told to forget their addresses: nobody acknowledges what is sent to all."""
ROUNDS_MOST: Final = 12
"""Of addressing in one contact."""
FRAMES_MOST: Final = 4_000
"""Of one visit: 10 000 rows take fewer."""
IDLE_MOST: Final = 3
"""So often a meter may say that it has nothing to say yet."""
BACK_MOST_S: Final = 100 * 86_400
"""How far back rows are asked for: as long as meters keep them."""
_TENTH_WH_W_S: Final = Decimal(360)


class Wire(Protocol):
    """The two wires, as the gateway has them."""

    def exchange(self, sent: Frame) -> Frame | None:
        """Send, and wait for one answer; None: nothing came, or something damaged."""

    def slots(self, sent: Frame, count: int) -> list[bytes]:
        """Send, and listen to so many slots: what was on the wire, without flags."""


Tell = Callable[[str, str, str], None]
"""(what, meter, detail)."""


@dataclass
class Paired:
    """A meter that the administrator named. `certificate`: DER, as it was exchanged authentically; b"": the gateway
    makes its key, under `makers`, the key that its maker gave it, and `counter` was used with that last."""

    server: bytes
    certificate: bytes = b""
    makers: bytes = b""
    counter: int = 0
    crc: str = "X25"

    @property
    def name(self) -> str:
        return name_of(self.server)


@dataclass
class _Visit:
    """A session with one meter."""

    meter: Paired
    link: Primary
    tls: TlsChannel | None
    files: FileSplitter = field(default_factory=FileSplitter)
    rows: list[Values] = field(default_factory=list)
    answered: set[bytes] = field(default_factory=set)
    begun: int = 0
    number: int = 0
    complete: bool = False
    """Nothing is missing between what is stored and what was said."""


@dataclass
class BusSetup:
    """`draw(n)`: n random bytes, for keys that are made here. `keep`: what changed of a pairing goes to the disk.
    `plain`: sessions without TLS, which is the weakness. `since`: when certificates made here begin."""

    own: Pair
    own_certificate: bytes
    draw: Callable[[int], bytes]
    since: datetime
    tell: Tell
    keep: Callable[[Paired], None] = lambda _: None
    period_s: int = 900
    plain: bool = False
    grid: bool = True


class WiredBus:
    """One gateway's. Raises nothing for what meters say."""

    def __init__(self, wire: Wire, store: WiredStore, setup: BusSetup, paired: list[Paired]) -> None:
        self._wire, self._store, self._setup = wire, store, setup
        self.paired = {one.server: one for one in paired}
        self.bus = Bus()
        self.counts: Counter[str] = Counter()
        """"sessions", "rows", "rows fetched", "grid lists", "refused: <reason>"."""
        self.agreed: dict[str, tuple[str, str]] = {}
        """Meter -> TLS version and suite."""
        self._visits: dict[bytes, _Visit] = {}
        self._captures: dict[tuple[bytes, Obis], Capture] = {}
        self._told: set[tuple[str, str]] = set()
        self._known = False

    @property
    def reached(self) -> frozenset[str]:
        """Meters with a session."""
        return frozenset(visit.meter.name for visit in self._visits.values())

    def contact(self, now_s: int) -> None:
        """Go round once. Raises what the store raises, and then nothing that came is acknowledged as stored."""
        self._addresses()
        self._call_missing()
        for meter in self.paired.values():
            if meter.server in self.bus.devices:
                self._visit(meter, now_s)

    # --- addresses --------------------------------------------------------------------------------------------------

    def _addresses(self) -> None:
        if not self._known:
            for _ in range(FORGETS):
                self._wire.slots(self.bus.forget(), 0)
            self._known = True
        for _ in range(ROUNDS_MOST):
            if self.bus.settled and self.paired.keys() <= self._visits.keys():
                return
            twice = set(self.bus.twice)
            asked = self.bus.ask()
            try:
                answers = self.bus.heard(self._wire.slots(asked, self.bus.slots))
            except BusFull as error:
                self._say("bus full", "", str(error))
                return
            for answer in answers:
                number = answer.information[2:]
                reply = self._wire.exchange(answer)
                if self.bus.confirmed(number, b"" if reply is None else reply.encode()) and number not in self.paired:
                    self._say("not paired", quoted(number.hex()), "it has an address, and nothing is asked of it")
            for number in self.bus.twice - twice:
                self._doubted(number)
            if self.bus.settled:
                return

    def _call_missing(self) -> None:
        """Paired meters that did not answer: each may have an address of a gateway before, or one that it took and
        whose confirmation was lost."""
        try:
            for number in [one for one in self.paired if one not in self.bus.devices]:
                reply = self._wire.exchange(self.bus.assign(number))
                self.bus.confirmed(number, b"" if reply is None else reply.encode())
        except BusFull as error:
            self._say("bus full", "", str(error))

    def _doubted(self, number: bytes) -> None:
        """A number that has an address gave itself again: the meter was without power, or there is a second one."""
        visit = self._visits.get(number)
        link = visit.link if visit is not None else Primary(self.bus.devices[number], TLS)
        link.heard(self._wire.exchange(link.next()))
        if link.silent:
            self.bus.twice.discard(number)
            self.bus.release(number)
            self._visits.pop(number, None)
        else:
            self._say("number twice", name_of(number), "a second meter gives the number of one that answers")

    # --- a visit ----------------------------------------------------------------------------------------------------

    def _visit(self, meter: Paired, now_s: int) -> None:
        if not meter.certificate and not self._setup.plain and not self._give_key(meter):
            return
        visit = self._visits.get(meter.server)
        if visit is None and meter.makers and not self._setup.plain and not self._took_key(meter, now_s):
            return
        visit = self._visits.get(meter.server)
        try:
            if visit is None or (visit.tls is not None and visit.tls.is_over(now_s)):
                visit = self._session(meter, now_s)
            visit.complete = False
            self._pump(visit)
            self._fetch(visit, now_s)
            visit.complete = True
            if self._setup.grid:
                self._ask(visit, GRID, exchange.asks_list(meter.server, self._number(visit), GRID, meter.crc))
        except LinkRefused as error:
            self.counts[f"refused: {error.reason}"] += 1
            if error.reason != "silent":
                self._say("session refused", meter.name, str(error))
                if visit is not None:
                    self._wire.exchange(visit.link.end())
            self._visits.pop(meter.server, None)
        finally:
            if visit is not None:
                self._keep(visit, now_s)

    def _session(self, meter: Paired, now_s: int) -> _Visit:
        device, setup = self.bus.devices[meter.server], self._setup
        old = self._visits.pop(meter.server, None)
        if old is not None:
            self._wire.exchange(old.link.end())
        if setup.plain:
            visit = _Visit(meter, Primary(device, SML), None)
        else:
            if not is_valid_at(meter.certificate, datetime.fromtimestamp(now_s, UTC)):
                raise LinkRefused("certificate", "it is not valid now; a new pair is due")
            made_context = context(setup.own, meter.certificate, server=False)
            channel = TlsChannel(made_context, meter.certificate, server=False, now_s=now_s)
            visit = _Visit(meter, Primary(device, TLS), channel)
            visit.link.say(channel.out())
        self._visits[meter.server] = visit
        self._pump(visit)
        if visit.tls is not None:
            if not visit.tls.up:
                raise LinkRefused("tls", "the handshake does not end")
            self.agreed[meter.name] = visit.tls.agreed
        self.counts["sessions"] += 1
        return visit

    def _pump(self, visit: _Visit, until: bytes | None = None) -> None:
        """Poll until the meter has nothing to say, or has answered with this list."""
        link, idle = visit.link, 0
        for _ in range(FRAMES_MOST):
            link.heard(self._wire.exchange(link.next()))
            if link.is_lost:
                raise LinkRefused("silent", "it does not answer")
            if link.up and visit.begun and link.begun != visit.begun:
                raise LinkRefused("begun", "the meter began anew")
            visit.begun = link.begun
            came = link.take()
            if came:
                self._heard(visit, visit.tls.feed(came) if visit.tls is not None else came)
            if visit.tls is not None:
                link.say(visit.tls.out())
            idle += link.idle and not link.has_more
            if (until is None and idle) or until in visit.answered:
                return
            if idle > IDLE_MOST:
                raise LinkRefused("no answer", "it has nothing to say to what it was asked")
        raise LinkRefused("endless", f"more than {FRAMES_MOST} frames in one visit")

    def _heard(self, visit: _Visit, plain: bytes) -> None:
        for one in visit.files.feed(plain):
            try:
                if isinstance(one, BadFrame):
                    raise one
                said = exchange.heard_by_gateway(one, visit.meter.server, visit.meter.crc)
            except BadFrame as error:
                self.counts[f"refused: {error.reason}"] += 1
                self._say("file refused", visit.meter.name, str(error))
                continue
            visit.answered.add(said.name)
            visit.rows += said.rows

    def _ask(self, visit: _Visit, name: bytes, file: bytes) -> None:
        visit.answered.clear()
        if visit.tls is not None:
            visit.tls.say(file)
            visit.link.say(visit.tls.out())
        else:
            visit.link.say(file)
        self._pump(visit, name)

    @staticmethod
    def _number(visit: _Visit) -> int:
        visit.number += 1
        return visit.number

    def _fetch(self, visit: _Visit, now_s: int) -> None:
        """Rows between the last one that is stored and the newest that the meter has said."""
        meter, period_s = visit.meter, self._setup.period_s
        last_s = self._store.last_s(meter.name, DRAWN)
        pushed = [row.at_s for row in visit.rows if _is_registers(row)]
        until_s = min(pushed, default=now_s + period_s) - period_s
        from_s = max(last_s + period_s, now_s - BACK_MOST_S)
        while from_s <= until_s:
            before = len(visit.rows)
            file = exchange.asks_profile(meter.server, self._number(visit), from_s, until_s, meter.crc)
            self._ask(visit, LOAD_PROFILE, file)
            found = visit.rows[before:]
            self.counts["rows fetched"] += len(found)
            newest_s = max((row.at_s for row in found), default=until_s)
            if newest_s < from_s:
                return
            from_s = newest_s + period_s

    # --- values -----------------------------------------------------------------------------------------------------

    def _keep(self, visit: _Visit, now_s: int) -> None:
        """Judge and store what was said, in order of time."""
        rows = sorted(visit.rows, key=lambda row: row.at_s)
        visit.rows.clear()
        # A list that was asked for in this visit shows by how much the two clocks differ.
        off_s = next((row.at_s - now_s for row in rows if not _is_registers(row)), 0)
        next_s = self._store.last_s(visit.meter.name, DRAWN) + self._setup.period_s
        out = []
        for row in rows:
            if row.at_s > now_s + max(self._setup.period_s, CAPTURE_S):
                self._say("time refused", visit.meter.name, f"a row of {row.at_s}, {row.at_s - now_s} s from now")
                continue
            if _is_registers(row):
                if not visit.complete and next_s >= self._setup.period_s and row.at_s > next_s:
                    break  # what lies before it is fetched first, the next time
                next_s = row.at_s + self._setup.period_s
            for entry in row.entries:
                word = self._judged(visit.meter.server, row, entry, off_s)
                out.append(StoredRow(visit.meter.name, row.at_s, entry, row.status, word))
            self.counts["rows" if _is_registers(row) else "grid lists"] += 1
        if out:
            self._store.put(out)

    def _judged(self, server: bytes, row: Values, entry: exchange.Entry, off_s: int) -> int:
        if not entry.obis.is_register:
            return int(Gateway.MARK)
        key = server, entry.obis
        capture = self._captures.get(key)
        if capture is None:
            capture = self._captures[key] = Capture(entry.obis, CAPTURE_S, _TENTH_WH_W_S)
        _, word = capture.take(row.at_s, Decimal(entry.value), meter=row.status, clock_off_s=off_s)
        return word

    # --- a first key ------------------------------------------------------------------------------------------------

    def _took_key(self, meter: Paired, now_s: int) -> bool:
        """A meter whose confirmation may be lost: if a session comes about, it has the key that was sent last, and its
        maker's has no use left; if none does, it is sent another."""
        try:
            self._session(meter, now_s)
        except LinkRefused:
            self._visits.pop(meter.server, None)
            return self._give_key(meter)
        self._settle_key(meter)
        return True

    def _settle_key(self, meter: Paired) -> None:
        meter.makers = b""
        self._setup.keep(meter)

    def _give_key(self, meter: Paired) -> bool:
        """Make the meter's key and send it under its maker's. Counter and certificate are kept before anything is
        sent."""
        if not meter.makers:
            self._say("no key", meter.name, "neither its certificate nor its maker's key is here")
            return False
        end = self._made(meter)
        meter.counter += 1
        meter.certificate = end.certificate
        self._setup.keep(meter)
        message = first_key.sent(
            meter.makers, meter.counter, meter.server,
            first_key.FirstKey(end.private, end.certificate, self._setup.own_certificate),
        )  # fmt: skip
        link = Primary(self.bus.devices[meter.server], FIRST_KEY)
        link.say(len(message).to_bytes(2, "big") + message)
        answer = b""
        for _ in range(FRAMES_MOST):
            link.heard(self._wire.exchange(link.next()))
            answer += link.take()
            if link.is_lost or (link.idle and not link.has_more) or len(answer) >= 20:
                break
        self._wire.exchange(link.end())
        if not first_key.is_confirmed(meter.makers, meter.counter, meter.server, message, answer):
            self._say("key not taken", meter.name, "it did not confirm its first key")
            return False
        self._settle_key(meter)
        return True

    def _made(self, meter: Paired) -> LinkEnd:
        return made(meter.name, self._setup.draw, self._setup.since)

    def _say(self, what: str, meter: str, detail: str) -> None:
        """Once each: a meter that goes on is no news."""
        self.counts[what] += 1
        if (what, meter) not in self._told:
            self._told.add((what, meter))
            self._setup.tell(what, meter, detail)


def _is_registers(row: Values) -> bool:
    return any(one.obis == DRAWN for one in row.entries)
