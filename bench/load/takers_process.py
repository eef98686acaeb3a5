"""Subscribers that share one subscription, in a process of their own: they write down when each message was read and do
nothing else with it. For shapes that ask what the broker alone does."""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Final

import numpy as np

from bench.load.load_orders import PortalOrder, Stored
from bench.load.portal_process import key_of
from bench.load.stop_order import StopOrder
from bench.spawned import answer_orders
from sim.core.clock import wall_s
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.port import EndpointError, Identity
from sim.endpoint.session import MqttSession

FILTER: Final = "$share/load/gw/+/up"
CONNECT_S: Final = 60.0


def serve(pipe: Connection) -> None:
    """See portal_process.serve; an order comes with the identities of the subscribers."""
    answer_orders(pipe, lambda order: _trial(pipe, *order))


def _trial(pipe: Connection, order: PortalOrder, identities: list[Identity]) -> None:
    loop = EventLoop()
    sessions = [MqttSession(loop, one, order.address, subscribe=(FILTER,), verify=order.verify) for one in identities]
    try:
        if not loop.settle(lambda: all(one.connected for one in sessions), CONNECT_S):
            late = next(one for one in sessions if not one.connected)
            raise EndpointError(f"subscriber {late.client_id} did not get a session within {CONNECT_S:g} s")
        pipe.send("ready")
        told = _told(order)
        if pipe.recv() is not None:
            _take(pipe, order, loop, sessions, told)
        pipe.send(told)
    finally:
        for one in sessions:
            one.cut()
        loop.close()


def _told(order: PortalOrder) -> Stored:
    count, meters = len(order.schedule), order.sent.gateways * order.sent.telegrams
    return Stored(
        np.full(count, np.nan), np.full(count, np.nan), np.zeros(meters, dtype=np.int64),
        np.zeros(meters, dtype=np.int64),
    )  # fmt: skip


def _take(pipe: Connection, order: PortalOrder, loop: EventLoop, sessions: list[MqttSession], told: Stored) -> None:
    schedule, telegrams = order.schedule, order.sent.telegrams
    row_of = {
        key: row for row, key in enumerate(zip(schedule.gateway.tolist(), schedule.sequence.tolist(), strict=True))
    }
    left, stop = len(schedule), StopOrder(pipe)
    while True:
        loop.turn(0.005)
        for session in sessions:
            while session.inbox:
                message = session.inbox.popleft()
                row = row_of.get(key_of(message), -1)
                if row < 0:
                    told.bad += 1
                    continue
                meters = slice(int(schedule.gateway[row]) * telegrams, int(schedule.gateway[row] + 1) * telegrams)
                if np.isnan(told.arrived_s[row]):
                    told.arrived_s[row] = told.committed_s[row] = message.arrived_ns / 1e9
                    told.distinct[meters] += 1
                    left -= 1
                else:
                    told.duplicates += 1
                    told.doubled[meters] += 1
        if not left:
            pipe.send("all")
            left = -1
        if stop.given(wall_s()):
            return
