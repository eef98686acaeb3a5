"""The portal at the other end, in a process of its own: the project's own portal, which opens every telegram with its
meter's key, judges it and stores it; acknowledgements go out after the commit, signed.

`now` of the compressed world is when the newest bundle that is due was closed. After a trial its store is counted
against what was sent: by meter, so that what a portal lost or doubled shows although every bundle was acknowledged.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np

from bench.load.fleet_bundles import FleetBundles, Sent, name, number
from bench.load.load_orders import PortalOrder, Stored
from bench.load.stop_order import StopOrder
from bench.spawned import answer_orders
from sim.core import bundle
from sim.core.clock import processor_s, wall_s
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.port import EndpointError, Message
from sim.endpoint.session import MqttSession
from sim.pki.statements import StatementKey
from sim.portal.portal import Portal
from sim.portal.store_port import Store, StoreError

CONNECT_S: Final = 30.0
TAKE_MOST: Final = 200  # messages a take
GATHER_S: Final = 0.05  # a take waits so long for more, unless it is full: a commit and an answer cost much each
TURN_S: Final = 0.005
_PAGE: Final = 20_000


def serve(pipe: Connection) -> None:
    """What the portal's process does: one trial after the other, until its pipe ends."""
    made: dict[Sent, tuple[FleetBundles, int]] = {}
    answer_orders(pipe, lambda order: _play(pipe, order, made))


def _play(pipe: Connection, order: PortalOrder, made: dict[Sent, tuple[FleetBundles, int]]) -> None:
    """`made`: the bundles of the latest fleet, and the bytes of a store without a reading of it."""
    if order.sent not in made:
        made.clear()
        fresh = FleetBundles(order.sent)
        made[order.sent] = fresh, warm_up(order, fresh)
    bundles, empty_bytes = made[order.sent]
    with _opened(order, bundles) as trial:
        pipe.send("ready")
        begin_s = pipe.recv()
        if begin_s is not None:
            trial.run(pipe, begin_s)
        trial.count()
    trial.told.bytes_ = max(0, stored_bytes(order.directory) - empty_bytes)
    pipe.send(trial.told)


def warm_up(order: PortalOrder, bundles: FleetBundles) -> int:
    """One bundle of each gateway into a store that is thrown away: compiled code is loaded before a trial begins. Bytes
    of a store that holds the registry and no reading."""
    with tempfile.TemporaryDirectory(prefix="wmbench-load-") as folder:
        portal_of(bundles, Path(folder)).close()
        empty_bytes = stored_bytes(Path(folder))
        portal = portal_of(bundles, Path(folder))
        every = np.arange(order.sent.gateways)
        bodies = bundles.payloads(every, np.ones_like(every))
        some = [Message(bundle.UP.format(gateway=name(one)), body) for one, body in enumerate(bodies)]
        portal.take(some, bundles.closed_ns(1) + 1)
        portal.close()
    return empty_bytes


def portal_of(bundles: FleetBundles, directory: Path) -> Portal:
    """Of this fleet, with an empty store in a new directory. Raises StoreError."""
    directory.mkdir(parents=True, exist_ok=True)
    return Portal(
        bundles.portal_spec(), directory, bundles.calendar, lambda event: None,
        keyring=bundles.keyring(), registry=bundles.registry(), sign=StatementKey().sign,
    )  # fmt: skip


class _Trial:
    def __init__(
        self, order: PortalOrder, bundles: FleetBundles, portal: Portal, session: MqttSession, loop: EventLoop
    ) -> None:
        self._order, self._bundles, self._portal, self._session, self._loop = order, bundles, portal, session, loop
        schedule = order.schedule
        rows = zip(schedule.gateway.tolist(), schedule.sequence.tolist(), strict=True)
        self._row = {key: row for row, key in enumerate(rows)}
        self._newest = np.maximum.accumulate(schedule.sequence) if len(schedule) else schedule.sequence
        meters, count = bundles.fleet.n, len(schedule)
        self._left = count
        self.told = Stored(
            np.full(count, np.nan), np.full(count, np.nan), np.zeros(meters, dtype=np.int64),
            np.zeros(meters, dtype=np.int64),
        )  # fmt: skip

    def run(self, pipe: Connection, begin_s: float) -> None:
        """Take what comes until the controller says that it is over."""
        took_s, stop = 0.0, StopOrder(pipe)
        inbox = self._session.inbox
        while True:
            before, spent_s = len(inbox), processor_s()
            self._loop.turn(0.0 if len(inbox) >= TAKE_MOST else TURN_S)
            if len(inbox) > before:
                self.told.read_s += processor_s() - spent_s
            now_s = wall_s()
            self.told.queued_most = max(self.told.queued_most, len(inbox))
            if inbox and (len(inbox) >= TAKE_MOST or now_s - took_s >= GATHER_S):
                took_s = now_s
                some = [inbox.popleft() for _ in range(min(len(inbox), TAKE_MOST))]
                try:
                    self._take(some, begin_s, now_s)
                except StoreError as error:  # said once; what it was given is nobody's any more
                    self.told.trouble = self.told.trouble or str(error)
            if not self._left:
                pipe.send("all")
                self._left = -1
            if stop.given(now_s):
                self.told.trouble = self.told.trouble or self._ended()
                return

    def _ended(self) -> str:
        broken = [reason for state, reason in self._session.log if state in ("refused", "dropped")]
        return f"the portal's connection broke: {broken[-1]}" if broken else ""

    def _take(self, some: Sequence[Message], begin_s: float, now_s: float) -> None:
        told = self.told
        for one in some:
            row = self._row.get(key_of(one), -1)
            if row >= 0 and np.isnan(told.arrived_s[row]):
                told.arrived_s[row] = one.arrived_ns / 1e9
        at = int(np.searchsorted(self._order.schedule.due_s, now_s - begin_s, side="right")) - 1
        newest = int(self._newest[max(at, 0)])
        before_s = processor_s()
        answers = self._portal.take(some, self._bundles.closed_ns(newest) + 1)
        done_s = wall_s()
        told.took_s += done_s - now_s
        told.each_take.append((len(some), processor_s() - before_s))
        told.processor_s += told.each_take[-1][1]
        told.takes += 1
        for answer in answers:
            if self._session.connected:
                self._session.publish(answer.topic, answer.payload)
            ack = bundle.Ack.decode(answer.payload)
            gateway = number(ack.gateway)
            for taken in ack.taken:
                row = self._row.get((gateway, taken.sequence), -1)
                if row >= 0 and np.isnan(told.committed_s[row]):
                    told.committed_s[row] = done_s
                    self._left -= 1

    def count(self) -> None:
        """The store against what was sent, by meter."""
        told, store = self.told, self._portal.store
        place = {meter: row for row, meter in enumerate(self._bundles.meters)}
        told.duplicates = self._portal.counts["duplicate bundles"]
        told.bad = self._portal.counts["bad messages"]
        seen: set[str] = set()
        for meter, mark in _readings(store):
            told.readings += 1
            if mark in seen:
                told.doubled[place[meter]] += 1
            else:
                seen.add(mark)
                told.distinct[place[meter]] += 1
        for refusal in store.refusals():
            if refusal.meter in place:
                by_meter = told.refused.setdefault(refusal.reason, np.zeros(len(place), dtype=np.int64))
                by_meter[place[refusal.meter]] += 1


def _readings(store: Store) -> Iterator[tuple[str, str]]:
    """(meter, fingerprint) of each row."""
    at = 0
    while rows := store.readings_after(at, _PAGE):
        at = rows[-1][0]
        yield from ((one.meter, one.fingerprint) for _, one in rows)


@contextlib.contextmanager
def subscribed(order: PortalOrder) -> Iterator[tuple[EventLoop, MqttSession]]:
    """The portal's session, on a loop of its own, that gets what the gateways publish. Raises EndpointError."""
    loop = EventLoop()
    session = MqttSession(
        loop, order.identity, order.address, subscribe=(bundle.UP.format(gateway="+"),), verify=order.verify
    )
    try:
        if not loop.settle(lambda: session.connected, CONNECT_S):
            said = f": {session.log[-1][1]}" if session.log else ""
            raise EndpointError(f"the portal did not get a session within {CONNECT_S:g} s{said}")
        yield loop, session
    finally:
        session.close()
        loop.close()


@contextlib.contextmanager
def _opened(order: PortalOrder, bundles: FleetBundles) -> Iterator[_Trial]:
    """A portal with an empty store and a session that is subscribed. Raises StoreError, EndpointError."""
    portal = portal_of(bundles, order.directory)
    try:
        with subscribed(order) as (loop, session):
            yield _Trial(order, bundles, portal, session, loop)
    finally:
        portal.close()


def key_of(message: Message) -> tuple[int, int]:
    """(gateway, sequence) of a bundle, read off its beginning."""
    try:
        head = message.payload[:160]
        sequence = int(head.split(b'"seq":', 1)[1].split(b",", 1)[0])
        return number(message.topic.split("/")[1]), sequence
    except (IndexError, ValueError):
        return -1, -1


def stored_bytes(directory: Path) -> int:
    """Of all files of a store on this disk."""
    return sum(one.stat().st_size for one in directory.rglob("*") if one.is_file())
