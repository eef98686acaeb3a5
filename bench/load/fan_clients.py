"""The two sides of a fan-in trial as processes: publishers that are content with PUBACKs, and subscribers that share a
subscription. Sessions that count (sim/endpoint/counted_session.py): what they cost is to be far below what the broker
costs, since both have the same machine.

Each side answers "ready" when all its connections stand, then hears when the trial begins, and reports when it is told
that it is over.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from contextlib import closing
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np

from bench.load.fan_orders import FILTER, Published, PublishOrder, Taken, TakeOrder, payload_of
from bench.load.stop_order import StopOrder
from bench.spawned import answer_orders
from sim.core.clock import wall_s
from sim.endpoint.counted_session import CountedSession
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.one_session import Refused, Silent
from sim.endpoint.port import EndpointError

TURN_S: Final = 0.002


def publish(pipe: Connection) -> None:
    """What the publishers' process does: a trial for each order, until its pipe ends."""
    _serve(pipe, _publish)


def take(pipe: Connection) -> None:
    """The same for the subscribers' process."""
    _serve(pipe, _take)


def _serve(pipe: Connection, trial: Callable[[Connection, Any, EventLoop], None]) -> None:
    def in_words(error: Exception) -> Exception:
        refused = isinstance(error, Refused | Silent)
        return EndpointError(f"a client of the fan-in got no session: {error}") if refused else error

    def answer(order: Any) -> None:
        with closing(EventLoop()) as loop:
            trial(pipe, order, loop)

    answer_orders(pipe, answer, in_words)


def _publish(pipe: Connection, order: PublishOrder, loop: EventLoop) -> None:
    count = len(order.due_s)
    told = Published(np.full(count, np.nan), np.full(count, np.nan))
    open_ = [deque[int]() for _ in order.identities]

    def acknowledged(rows: deque[int], many: int) -> None:
        """Mosquitto acknowledges a connection's messages in their order (MQTT 3.1.1, 4.6)."""
        now_s = wall_s()
        for _ in range(min(many, len(rows))):
            told.accepted_s[rows.popleft()] = now_s

    sessions = []
    try:
        for identity, rows in zip(order.identities, open_, strict=True):
            session = CountedSession(loop, identity, order.address, acknowledged=partial(acknowledged, rows))
            sessions.append(session)
        pipe.send("ready")
        begin_s = pipe.recv()
        if begin_s is not None:
            _offer(pipe, order, loop, sessions, open_, told, begin_s)
        told.endings = Counter(one.ended for one in sessions if one.ended)
        pipe.send(told)
    finally:
        for session in sessions:
            session.close()


def _offer(
    pipe: Connection, order: PublishOrder, loop: EventLoop, sessions: list[CountedSession], open_: list[deque[int]],
    told: Published, begin_s: float,
) -> None:  # fmt: skip
    topics = [f"gw/{one.client_id}/up" for one in order.identities]
    due_s, publisher = (begin_s + order.due_s).tolist(), order.publisher.tolist()
    at, count, stop = 0, len(due_s), StopOrder(pipe)
    while True:
        now_s = wall_s()
        if stop.given(now_s):
            return
        turned_s = now_s + TURN_S  # PUBACKs are read in between, also where it is late
        while at < count and due_s[at] <= now_s < turned_s:
            who = publisher[at]
            told.handled_s[at] = now_s
            open_[who].append(at)
            sessions[who].publish(topics[who], payload_of(at))
            at += 1
            now_s = wall_s()
        loop.turn(0.0 if at < count and due_s[at] <= now_s else TURN_S)


def _take(pipe: Connection, order: TakeOrder, loop: EventLoop) -> None:
    arrived_s, doubled, left = [np.nan] * order.messages, 0, order.messages

    def taken(payloads: list[bytes]) -> None:
        nonlocal left, doubled
        now_s = wall_s()
        for one in payloads:
            row = int(one)
            if arrived_s[row] != arrived_s[row]:  # nan
                arrived_s[row] = now_s
                left -= 1
            else:
                doubled += 1

    sessions: list[CountedSession] = []
    try:
        for one in order.identities:
            sessions.append(CountedSession(loop, one, order.address, topic=FILTER, taken=taken))
            if not sessions[-1].granted:
                raise EndpointError(f"the broker does not grant {one.client_id} the subscription {FILTER}")
        pipe.send("ready")
        stop, begun = StopOrder(pipe), pipe.recv() is not None
        while begun:
            loop.turn(TURN_S)
            if not left:
                pipe.send("all")
                left = -1
            begun = not stop.given(wall_s())
        endings = Counter(one.ended for one in sessions if one.ended)
        pipe.send(Taken(np.array(arrived_s), doubled, endings))
    finally:
        for session in sessions:
            session.close()
