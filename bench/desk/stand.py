"""A gateway at work for one row: its box, a path to the broker that can fail, and the record of both sides.

What is fed and what is delivered is written to fed.jsonl and delivered.jsonl of the row's directory as it happens, so
that a run that was killed can be read. A delivery belongs to the oldest feeding of the same telegram that has none yet;
of a gateway that gives values alone, to the telegram with that meter's id and litres. Retained messages are no
deliveries.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from bench.desk.behind import Behind
from bench.desk.depth import Depth
from bench.desk.fed import Fed, TornFrames
from bench.desk.rows.port import Failed, Undecided
from bench.desk.traffic import Telegram, Traffic
from bench.desk.windows import Windows
from sim.core.clock import NS_PER_S, unix_ns, wall_ns, wall_s
from sim.core.vocabulary import Link
from sim.desk.box import Box, BoxError, broker_for
from sim.desk.inventory import GatewayEntry
from sim.endpoint.port import Address, EndpointError, Identity
from sim.feeders.iq_signal import radio_mode
from sim.feeders.kinds.codec import CodecFeeder
from sim.feeders.kinds.iq_feed import IqFeeder
from sim.feeders.port import Sent
from sim.network.tcp_switch import TcpSwitch
from sim.readers.port import Delivered

_TURN_S: Final = 0.02
_STOP_S: Final = 0.5
_WINDOW: Final = 64
_STUCK_S: Final = 5.0
_FULL_S: Final = 0.005
_ON_AIR_GAP_S: Final = 0.004
_TRIES: Final = 6
_RECOVERY_TRIES: Final = 18
"""A publisher that waits for a CONNACK hears of its broken connection by the keep alive: 60 s by default, and half of
it more (MQTT 3.1.1, 3.1.2.10). What was fed meanwhile may wait behind it."""
_STARTING = threading.Lock()
RSSI_DBM: Final = -68.5


class Stopped(Exception):
    """The check was interrupted."""


class Stand:
    """See the module. Use it with `with`. `arrived`: whose deliveries came, one after the other; `values`: all
    deliveries of values, whosever; `strangers`: deliveries of what was never fed; `unreadable`: what the reader could
    not read; `retained`: what the broker had kept. `spoke`: something that it was fed has come back."""

    def __init__(
        self, entry: GatewayEntry, directory: Path, depth: Depth, *, meters: int = 20,
        stop: threading.Event | None = None,
    ) -> None:  # fmt: skip
        self._stop = stop or threading.Event()
        self.entry, self.claims, self.depth = entry, entry.claims, depth
        self.directory = directory.resolve()
        self.traffic = Traffic(entry.claims, meters)
        self.fed: list[Fed] = []
        self.arrived: list[Fed] = []
        self.values: list[Delivered] = []
        self.strangers: list[Delivered] = []
        self.unreadable: list[Delivered] = []
        self.retained: list[Delivered] = []
        self.spoke = False
        self.switch: TcpSwitch | None = None
        self.broker: Behind | None = None
        self._torn = TornFrames(self.directory / "torn.jsonl")
        self._waiting: defaultdict[bytes, list[Fed]] = defaultdict(list)
        self._by_value: dict[tuple[str, int], bytes] = {}
        self._forgotten: frozenset[bytes] = frozenset()
        self._last_came_s = self._last_new_s = wall_s()
        self._running = contextlib.ExitStack()
        self._windows = Windows(entry.claims)
        self._mode: Link = entry.claims.modes[0]
        self._by_values = entry.claims.forwards == "decoded" and any(getattr(spec, "values", "") for spec in entry.read)

    # --- life -------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Stand:
        """Raises BoxError, EndpointError."""
        with contextlib.ExitStack() as stack:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._fed_log: IO[str] = stack.enter_context((self.directory / "fed.jsonl").open("a", encoding="utf-8"))
            self._came_log = stack.enter_context((self.directory / "delivered.jsonl").open("a", encoding="utf-8"))
            if self.entry.listen.broker:
                self._start_broker(stack)
            self.box = Box(self.entry, self.directory / "box", endpoint=self.broker)
            stack.enter_context(self.box)
            self._running = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _start_broker(self, stack: contextlib.ExitStack) -> None:
        listen = self.entry.listen
        inside = dataclasses.replace(
            listen, address="127.0.0.1", port=0,
            hostname=listen.hostname or ("localhost" if listen.address.startswith("127.") else listen.address),
        )  # fmt: skip
        broker = broker_for(
            dataclasses.replace(self.entry, listen=inside), self.directory / "endpoint", kind=Behind
        )
        stack.callback(broker.stop)
        with _STARTING:  # two that look for a free port at once find the same one
            broker.start()
        assert broker.own_address is not None
        self.switch = TcpSwitch(broker.own_address, listen.address, listen.port)
        stack.callback(self.switch.stop)
        broker.front = Address(broker.own_address.host, self.switch.port)
        self.broker = broker

    # --- feeding ----------------------------------------------------------------------------------------------------

    def feed(
        self, telegram: Telegram, *, mode: Link | None = None, rssi_dbm: float = RSSI_DBM, crc_ok: bool = True,
        awake: bool = True,
    ) -> Fed:  # fmt: skip
        """At once; of a gateway that sleeps, in its next window, unless `awake` is False. On the air one after the
        other, where the gateway is fed with samples."""
        if awake:
            self._windows.wait(self)
        sent = Sent(telegram.frame, mode or self._mode, rssi_dbm, wall_ns(), crc_ok=crc_ok)
        one = self._fed(telegram, sent, handed=self.box.feed(sent))
        self._leave_the_air(telegram.frame, sent.mode)
        return one

    def _fed(self, telegram: Telegram, sent: Sent, *, handed: bool) -> Fed:
        one = Fed(telegram, sent.mode, sent.rssi_dbm, sent.ended_ns, sent.crc_ok, handed)
        self.fed.append(one)
        self._waiting[telegram.frame].append(one)
        if telegram.litres is not None:
            self._by_value[telegram.meter, telegram.litres] = telegram.frame
        self._note(self._fed_log, n=len(self.fed), wall_ns=sent.ended_ns, mode=sent.mode, rssi_dbm=sent.rssi_dbm,
                   crc_ok=sent.crc_ok, handed=handed, frame=telegram.frame.hex())  # fmt: skip
        return one

    def _leave_the_air(self, frame: bytes, mode: Link) -> None:
        airs = [feeder for feeder in self.box.feeders if isinstance(feeder, IqFeeder)]
        if airs:
            self.turn(max(air.signal.duration_s(frame, radio_mode(mode, "A")) for air in airs) + _ON_AIR_GAP_S)

    def feed_all(self, telegrams: Iterable[Telegram], *, paced: bool = True, mode: Link | None = None) -> list[Fed]:
        """One after the other. `paced`: as fast as the gateway passes them on; else as its line takes them."""
        out: list[Fed] = []
        for telegram in telegrams:
            out.append(self.feed(telegram, mode=mode))
            if paced and len(out) % 8 == 0:
                self.turn(0.0)
                latest = out[-_WINDOW:]
                end_s = wall_s() + _STUCK_S
                while len(latest) == _WINDOW and not any(one.came for one in latest) and wall_s() < end_s:
                    self.turn(_TURN_S)
        return out

    def flood(self, telegrams: Sequence[Telegram]) -> list[Fed]:
        """As fast as its line takes them: all are made before the first byte is handed over. A line that is full gets
        the next one as soon as it takes it, unless it takes nothing for seconds."""
        if not isinstance(self.box.feeders[0], CodecFeeder):
            return self.feed_all(telegrams, paced=False)
        pieces = [self.line.bytes_of(self._sent(telegram)) for telegram in telegrams]
        self._windows.wait(self, begin=True)
        fed = [self._fed(telegram, self._sent(telegram), handed=True) for telegram in telegrams]
        stuck = False  # what did not take one for seconds takes no other either
        for one, piece in zip(fed, pieces, strict=True):
            end_s = wall_s() + _STUCK_S
            while not stuck and not self.inject(piece):
                self.turn(_FULL_S)
                stuck = wall_s() > end_s
            one.handed = not stuck
        return fed

    @property
    def gives_telegrams(self) -> bool:
        """Also those that say no value; not where nothing but values are read."""
        return any(not (getattr(spec, "values", "") or getattr(spec, "value_name", "")) for spec in self.entry.read)

    @property
    def mode(self) -> Link:
        """The first that it claims."""
        return self._mode

    @property
    def line(self) -> CodecFeeder:
        """Its first feeder. Only for rows that need a line of bytes."""
        feeder = self.box.feeders[0]
        if not isinstance(feeder, CodecFeeder):
            raise Undecided("it is not fed by a line of bytes")
        return feeder

    def inject(self, data: bytes) -> bool:
        """Bytes on its line as they are."""
        return self.line.inject(data)

    def line_bytes(self, telegram: Telegram) -> int:
        """What a telegram takes on its line."""
        return len(self.line.bytes_of(self._sent(telegram)))

    def _sent(self, telegram: Telegram) -> Sent:
        return Sent(telegram.frame, self._mode, RSSI_DBM, wall_ns())

    def feed_pieces(self, telegrams: Sequence[Telegram], cuts: Sequence[int], *, pause_s: float = 0.0) -> list[Fed]:
        """These in one piece on its line, or cut before the bytes of these numbers, with pauses between."""
        self._windows.wait(self)
        sent = [self._sent(telegram) for telegram in telegrams]
        data = b"".join(map(self.line.bytes_of, sent))
        places = [0, *cuts, len(data)]
        fed = [self._fed(one, of, handed=True) for one, of in zip(telegrams, sent, strict=True)]
        for at, until in itertools.pairwise(places):
            handed = self.inject(data[at:until])
            self.turn(pause_s)
        for one in fed:
            one.handed = handed
        return fed

    # --- what comes -------------------------------------------------------------------------------------------------

    def turn(self, seconds_s: float) -> None:
        """Let time pass, and take what came. Raises Stopped."""
        end_s = wall_s() + seconds_s
        while True:
            if self._stop.is_set():
                raise Stopped
            self.box.turn(min(_STOP_S, max(0.0, end_s - wall_s())))
            self._torn.look(self.box.torn, self._waiting)
            for row in self.box.take():
                self._take(row)
            if wall_s() >= end_s:
                return

    def _take(self, row: Delivered) -> None:
        self._last_came_s = wall_s()
        frame = row.frame if row.frame is not None else self._by_its_value(row)
        self._note(
            self._came_log, wall_ns=row.received_ns, source=row.source, payload=row.payload.hex(),
            frame=frame.hex() if frame is not None else None, meter=row.meter, rssi_dbm=row.rssi_dbm,
            stamp=row.stamp.isoformat() if row.stamp is not None else None, stamp_of=row.stamp_of,
            retained=row.retained, unreadable=row.unreadable,
        )  # fmt: skip
        if row.values is not None and not row.retained:
            self.values.append(row)
        if row.retained:
            self.retained.append(row)
        elif row.unreadable:
            self.unreadable.append(row)
        elif frame is None or frame not in self._waiting:
            if frame not in self._forgotten and (row.values is None or row.frame is not None):
                self.strangers.append(row)
        else:
            owners = self._waiting[frame]
            owner = next((one for one in owners if not one.came), owners[-1])
            if row.values is not None or not (self._by_values and owner.has_values):
                if not owner.came:
                    self._last_new_s = wall_s()
                self.spoke = True
                owner.came.append(row)
                self.arrived.append(owner)

    def _by_its_value(self, row: Delivered) -> bytes | None:
        """The telegram that these values were read from."""
        for value in (row.values or {}).values():
            if isinstance(value, int | float) and not isinstance(value, bool):
                frame = self._by_value.get((row.meter or "", round(value * 1_000)))
                if frame is not None:
                    return frame
        return None

    def _note(self, log: IO[str], **fields: Any) -> None:
        log.write(json.dumps(fields) + "\n")

    def await_all(self, fed: Sequence[Fed], *, patience_s: float | None = None) -> bool:
        """Until each of these was delivered, or nothing new came for `patience_s`. Lateness is no loss."""
        patience_s = self.depth.patience_s + self.claims.gathers_s if patience_s is None else patience_s
        self._last_new_s = wall_s()
        pending = [one for one in fed if one.handed and not one.came]
        while pending and wall_s() - self._last_new_s < patience_s:
            self.turn(_TURN_S)
            pending = [one for one in pending if not one.came]
        self.flush()
        return not pending

    def flush(self) -> None:
        """What was fed and came stands in its files."""
        for log in (self._fed_log, self._came_log):
            log.flush()

    def quiet(self, seconds_s: float = 0.0) -> None:
        """Until nothing has come for so long, and at least as long as it gathers; some gateways never fall silent."""
        wanted_s = max(seconds_s, self.claims.gathers_s + 0.5)
        self._last_came_s = wall_s()
        end_s = wall_s() + 3 * wanted_s + self.depth.patience_s
        while wall_s() - self._last_came_s < wanted_s and wall_s() < end_s:
            self.turn(_TURN_S)

    # --- control and judgement --------------------------------------------------------------------------------------

    def hello(self, *, mode: Link | None = None, tries: int = _TRIES) -> list[Fed]:
        """Telegrams until one comes back, at most `tries`. Raises Undecided, with what is known of why none does. Of a
        gateway that sleeps, a period of them, which shows when its windows open."""
        if self.claims.sleeps:
            return self._windows.find(self, mode)
        fed: list[Fed] = []
        for _ in range(tries):
            fed.append(self.feed(self.traffic.next(), mode=mode))
            patience_s = max(1.0, self.depth.patience_s / 2) + self.claims.gathers_s
            end_s = wall_s() + patience_s
            while wall_s() < end_s:
                self.turn(_TURN_S)
                if (first := next((at for at, one in enumerate(fed) if one.came), None)) is not None:
                    return fed[first:]  # what it missed before is for the row of its start
        raise Undecided(f"{self.entry.name} delivered none of {len(fed)} telegrams: {self.why_silent()}")

    def why_silent(self) -> str:
        """What is known to be wrong, in a sentence with the way out."""
        if problem := self.box.problem:
            return problem
        if self.unreadable:
            return (f"it sent {len(self.unreadable)} messages that its reader cannot read "
                    f"({self.unreadable[0].unreadable}); see read in the inventory")  # fmt: skip
        if self.retained:
            return "it sent retained messages only; see what it publishes in delivered.jsonl"
        if self.strangers:
            return f"it sent {len(self.strangers)} telegrams, none of which it was fed; see delivered.jsonl"
        if refused := self.box.refused_by_broker():
            return refused
        if self.switch is not None and self.switch.dialled == 0:
            return ("it never dialled the broker; see host and port in its settings; its last line is: "
                    f"{self.box.last_words()}")  # fmt: skip
        passed = sum(content.passed_over for one in self.box.readers if (content := getattr(one, "content", None)))
        known = f"{passed} of what it said is nothing that read describes" if passed else "nothing is known to be wrong"
        return f"{known}; its last line is: {self.box.last_words()}"

    def needs_alive(self) -> None:
        """Raises Failed when its program has ended by itself."""
        if not self.box.powered:
            raise Failed(str(self.box.problem))

    def output_bytes(self) -> int:
        """What its program has said so far."""
        return sum(file.stat().st_size for file in (self.box.stdout, self.box.stderr) if file.exists())

    def forget(self) -> None:
        """What was fed and came, so that days of work need no more memory than a minute. What comes once more of the
        telegrams that were forgotten last is known to be theirs."""
        self._forgotten = frozenset(self._waiting)
        for rows in (self.fed, self.arrived, self.values, self._waiting, self._by_value):
            rows.clear()
        for kept in (self.unreadable, self.retained):
            del kept[1:]

    @property
    def late(self) -> list[Fed]:
        """What was not given whole because the bench itself was late."""
        return self._torn.late

    @staticmethod
    def lost(fed: Iterable[Fed]) -> list[Fed]:
        return [one for one in fed if one.handed and not one.came]

    def refuse_loss(self, fed: Sequence[Fed], what: str = "telegrams") -> None:
        """Raises Failed for what never came, Undecided where none could be handed over."""
        handed = [one for one in fed if one.handed]
        if not handed:
            self.needs_alive()
            why = self.box.problem or next((one.torn for one in fed if one.torn), "its line took none")
            raise Undecided(f"none of {len(fed)} {what} could be handed over: {why}")
        if lost := self.lost(handed):
            problem, first = f"; {self.box.problem}" if self.box.problem else "", lost[0].telegram.frame.hex()
            raise Failed(f"{len(lost)} of {len(handed)} {what} never came, first {first}{problem}")

    def refuse_doubles(self, fed: Sequence[Fed]) -> None:
        twice = [one for one in fed if len(one.came) > 1]
        if twice:
            raise Failed(
                f"{len(twice)} of {len(fed)} telegrams came more than once, first {twice[0].telegram.frame.hex()} "
                f"{len(twice[0].came)} times"
            )

    def refuse_strangers(self) -> None:
        if self.strangers:
            shown = (self.strangers[0].frame or b"").hex() or "values of no telegram"
            raise Failed(f"{len(self.strangers)} deliveries are of no telegram that it was fed, first {shown}")

    def recovers(self, what: str) -> None:
        """It passes telegrams on again. Raises Failed."""
        try:
            self.hello(tries=_RECOVERY_TRIES)
        except Undecided as error:
            raise Failed(f"after {what}: {error}") from None

    # --- what befalls it --------------------------------------------------------------------------------------------

    @property
    def path(self) -> TcpSwitch:
        """To its broker. Only for rows that need one."""
        if self.switch is None:
            raise Undecided("it has no broker whose path could change")
        return self.switch

    def back(self, what: str, *, started: bool = False) -> None:
        """The path leads to the broker again, and it works again; `started`: it was started without one, and is fed
        when it is ready. Raises Failed."""
        assert self.broker is not None
        self.path.lead(self.broker.own_address)
        try:
            if started:
                self.box.await_ready()
        except BoxError as error:
            raise Failed(f"after {what}: {error}") from None
        self.recovers(what)

    @contextlib.contextmanager
    def power_cut(self, *, wait: bool = True) -> Iterator[None]:
        """Without power meanwhile; then on again, and ready unless `wait` is False. Raises Failed when it does not
        start again."""
        try:
            self.box.power_cut()
        except BoxError as error:
            raise Undecided(str(error)) from None
        yield
        try:
            self.box.power_on(wait=wait)
        except BoxError as error:
            raise Failed(f"after a power cut: {error}") from None

    def unix_of(self, wall: int) -> float:
        """Seconds since 1970 of an instant of wall_ns."""
        return (wall + unix_ns() - wall_ns()) / NS_PER_S

    def own_identity(self) -> Identity:
        """Its certificate, for who stands on its path. Raises Undecided where it keeps its key to itself."""
        assert self.broker is not None
        try:
            return self.broker.identity(self.entry.name)
        except EndpointError as error:
            raise Undecided(str(error)) from None
