"""A process of the load's generator: gateways on one event loop, each with its own certificate and connection.

The clock of a bundle is the schedule's: what is due is published at the next turn of the loop, however late the broker
was with what came before, and how late the generator itself was is written down for each. A gateway keeps a bundle
until the portal acknowledges its content, has as many in flight as a real one (sim.gateway.in_flight) and publishes
again on a new connection what was not acknowledged.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

import numpy as np

from bench.load.fleet_bundles import FleetBundles, Sent, name
from bench.load.load_orders import Generated, GeneratorOrder
from bench.load.stop_order import StopOrder
from bench.spawned import Pipe, answer_orders
from sim.core.bundle import ACK, UP, Ack, BadBundle
from sim.core.clock import wall_s
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.port import EndpointError, Identity, NotConnected
from sim.endpoint.session import MqttSession
from sim.gateway.in_flight import InFlight

CONNECT_S: Final = 60.0
LOOK_S: Final = 0.01  # between two looks at who has a new session or an answer
UNACCEPTED_MOST: Final = 60_000  # of a publisher without custody: below the packet identifiers


class Offering(Protocol):
    """What publishes a generator's rows: sessions of ours, or clients in C."""

    def connect(self) -> None:
        """All of them have a session. Raises EndpointError."""

    def publish(self, row: int) -> None:
        """This row is due."""

    def turn(self, most_s: float) -> None:
        """Let sockets move, and sleep so long at most."""

    def cut(self) -> None: ...

    def dial(self) -> None: ...

    def report(self, told: Generated) -> None: ...

    def close(self) -> None: ...


class Gateway:
    """One gateway, without a disk: its outbox is gone with the trial."""

    def __init__(self, number: int, custody: bool) -> None:
        self.number, self.topic = number, UP.format(gateway=name(number))
        self.session: MqttSession | None = None
        self.connects = 0
        self.in_flight = InFlight(()) if custody else None
        self.waiting: deque[tuple[int, bytes]] = deque()
        self.of_cut = 0
        """Sessions that earlier ones had before the power was cut."""

    def add(self, sequence: int, payload: bytes) -> None:
        if self.in_flight is not None:
            self.in_flight.add(sequence, payload)
        else:
            self.waiting.append((sequence, payload))

    def next(self, now_ns: int) -> list[tuple[int, bytes]]:
        """What to publish now, as (sequence, payload)."""
        if self.in_flight is not None:
            return self.in_flight.next(now_ns)
        assert self.session is not None
        if self.waiting and self.session.unacknowledged < UNACCEPTED_MOST:
            return [self.waiting.popleft()]
        return []


class Sessions:
    """See Offering: our own sessions, on one event loop."""

    def __init__(self, order: GeneratorOrder, payloads: list[bytes], told: Generated) -> None:
        self._order, self._payloads, self._told = order, payloads, told
        self._loop = EventLoop()
        self._gateways = {number: Gateway(number, order.custody) for number in order.identities}
        schedule = order.schedule
        self._gateway_of = schedule.gateway[order.rows].tolist()
        self._sequence_of = schedule.sequence[order.rows].tolist()
        keys = zip(self._gateway_of, self._sequence_of, strict=True)
        self._place = {key: place for place, key in enumerate(keys)}
        self._look_s = self._dialled_s = 0.0
        self._counted: dict[int, int] = {}

    def connect(self) -> None:
        self.dial()
        everyone = list(self._gateways.values())

        def up() -> bool:
            return all(one.session is not None and one.session.connected for one in everyone)

        if not self._loop.settle(up, CONNECT_S):
            late = next(one.session for one in everyone if one.session is not None and not one.session.connected)
            said = f": {late.log[-1][1]}" if late.log else ""
            raise EndpointError(f"{late.client_id} did not get a session within {CONNECT_S:g} s{said}")
        self._look(wall_s())
        self._told.up_s = 0.0
        self._dialled_s = 0.0

    def dial(self) -> None:
        order = self._order
        for one in self._gateways.values():
            topics = (ACK.format(gateway=name(one.number)),) if order.custody else ()
            one.session = MqttSession(
                self._loop, order.identities[one.number], order.address, subscribe=topics, verify=order.verify
            )
            one.connects = 0
        self._dialled_s = wall_s()

    def cut(self) -> None:
        for one in self._gateways.values():
            if one.session is not None:
                self._note(one)
                if one.in_flight is not None:
                    one.in_flight.published_until(one.session.unacknowledged)
                    one.in_flight.connection_ended()
                one.session.cut()
                one.of_cut += one.session.connects
                one.session = None

    def publish(self, row: int) -> None:
        one = self._gateways[self._gateway_of[row]]
        one.add(self._sequence_of[row], self._payloads[row])
        self._pump(one, wall_s())

    def _pump(self, one: Gateway, now_s: float) -> None:
        session = one.session
        if session is None or not session.connected or one.connects != session.connects:
            return
        now_ns = int(now_s * 1e9)
        while leaving := one.next(now_ns):
            for sequence, payload in leaving:
                try:
                    session.publish(one.topic, payload)
                except NotConnected:
                    return
                self._told.publishes += 1
                place = self._place[one.number, sequence]
                if np.isnan(self._told.sent_s[place]):
                    self._told.sent_s[place] = now_s

    def turn(self, most_s: float) -> None:
        self._loop.turn(most_s)
        now_s = wall_s()
        if now_s >= self._look_s:
            self._look_s = now_s + LOOK_S
            self._look(now_s)

    def _look(self, now_s: float) -> None:
        """New sessions, and answers of the portal."""
        all_up = True
        for one in self._gateways.values():
            session = one.session
            if session is None:
                return
            all_up = all_up and session.connected
            if session.connects != one.connects:
                if one.connects and one.in_flight is not None:
                    one.in_flight.connection_ended()
                one.connects = session.connects
                self._pump(one, now_s)
            if session.inbox:
                self._answered(one, session)
                self._pump(one, now_s)
            elif one.waiting:
                self._pump(one, now_s)
        if all_up and self._dialled_s:
            self._told.up_s, self._dialled_s = now_s - self._dialled_s, 0.0

    def _answered(self, one: Gateway, session: MqttSession) -> None:
        assert one.in_flight is not None
        one.in_flight.published_until(session.unacknowledged)
        while session.inbox:
            try:
                ack = Ack.decode(session.inbox.popleft().payload)
            except BadBundle as error:
                self._told.endings[f"an acknowledgement is none: {error}"] += 1
                continue
            one.in_flight.acknowledged(ack.taken)
        for sequence, _, _ in one.in_flight.take_refused():
            self._told.put_aside.append(int(self._order.rows[self._place[one.number, sequence]]))

    def _note(self, one: Gateway) -> None:
        """Endings of its session that were not counted yet."""
        assert one.session is not None
        log = one.session.log
        for state, reason in log[self._counted.get(id(one.session), 0) :]:
            if state in ("refused", "dropped"):
                self._told.endings[reason] += 1
        self._counted[id(one.session)] = len(log)

    def report(self, told: Generated) -> None:
        for one in self._gateways.values():
            session = one.session
            told.connects[one.number] = one.of_cut + (session.connects if session is not None else 0)
            if session is not None:
                self._note(one)
                told.unaccepted[one.number] = session.unacknowledged
            if session is None or not session.connected:
                told.without_session.add(one.number)

    def close(self) -> None:
        for one in self._gateways.values():
            if one.session is not None:
                one.session.cut()
        self._loop.close()


def serve(pipe: Pipe) -> None:
    """What a generator's process does: one trial after the other, until its pipe ends."""
    made: dict[Sent, FleetBundles] = {}
    answer_orders(pipe, lambda order: _trial(pipe, order, made))


def _trial(pipe: Pipe, order: GeneratorOrder, made: dict[Sent, FleetBundles]) -> None:
    count = len(order.rows)
    told = Generated(order.rows, np.full(count, np.nan), np.full(count, np.nan))
    if order.payload:
        payloads = [order.payload] * count
    else:
        if order.sent not in made:
            made.clear()
            made[order.sent] = FleetBundles(order.sent)
            made[order.sent].bundle_bytes  # noqa: B018 - loads compiled code before a trial begins
        schedule = order.schedule
        payloads = made[order.sent].payloads(schedule.gateway[order.rows], schedule.sequence[order.rows])
    offering = _offering(order, payloads, told)
    try:
        offering.connect()
        pipe.send("ready")
        begin_s = pipe.recv()
        if begin_s is not None:
            _offer(pipe, order, offering, told, begin_s)
        offering.report(told)
        pipe.send(told)
    finally:
        offering.close()


def _offering(order: GeneratorOrder, payloads: list[bytes], told: Generated) -> Offering:
    if order.driver == "c":
        from bench.load.c_offering import CClients

        return CClients(order, payloads, told)
    return Sessions(order, payloads, told)


def _offer(pipe: Pipe, order: GeneratorOrder, offering: Offering, told: Generated, begin_s: float) -> None:
    """Until the controller says that it is over."""
    due_s = (begin_s + order.schedule.due_s[order.rows]).tolist()
    away = order.schedule.away
    cut_s = begin_s + away.cut_s if away is not None else float("inf")
    back_s = begin_s + away.back_s if away is not None else float("inf")
    at, count, stop = 0, len(due_s), StopOrder(pipe)
    while True:
        now_s = wall_s()
        if now_s >= cut_s:
            offering.cut()
            cut_s = float("inf")
        if now_s >= back_s:
            offering.dial()
            back_s = float("inf")
        while at < count and due_s[at] <= now_s:
            told.handled_s[at] = now_s = wall_s()
            offering.publish(at)
            at += 1
        next_s = min(due_s[at] if at < count else now_s + 1.0, cut_s, back_s)
        offering.turn(max(0.0, next_s - wall_s()))
        if stop.given(now_s):
            return


def identity_of(identities: dict[int, Identity], gateway: str) -> Identity:
    """Of a gateway by its name."""
    return identities[int(gateway.removeprefix("gw"))]
