"""The same two sides by Mosquitto's own clients in C: a mosquitto_pub -l each publisher, fed through its pipe when a
message is due, and a mosquitto_sub each subscriber, which writes when it had each message.

mosquitto_pub does not tell of PUBACKs: how many were accepted is the broker's own count (fan_trial.py).
"""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterable, Sequence
from multiprocessing.connection import Connection
from typing import Final

import numpy as np

from bench.load.fan_orders import FILTER, PAYLOAD_BYTES, Published, PublishOrder, Taken, TakeOrder, payload_of
from bench.load.stop_order import StopOrder
from bench.perf.c_client import NoCClient, Publishers, Taker, options, program, with_us
from bench.spawned import answer_orders
from sim.core.clock import unix_ns, wall_ns, wall_s
from sim.endpoint.port import Address, EndpointError, Identity
from sim.endpoint.topic_acl import READER

_READ_BYTES: Final = 1 << 16


class Reached:
    """See bench.perf.c_client.Reached."""

    def __init__(self, address: Address, identities: Sequence[Identity]) -> None:
        self.address: Address | None = address
        self._of_name = {one.client_id: one for one in identities}

    def identity(self, client_id: str) -> Identity:
        return self._of_name[client_id]


def publish(pipe: Connection) -> None:
    """What the feeding process does: a trial for each (order, identity that may read), until its pipe ends."""
    answer_orders(pipe, lambda order: _publish(pipe, *order), _in_words)


def _in_words(error: Exception) -> Exception:
    return EndpointError(f"the C client: {error}") if isinstance(error, NoCClient) else error


def _publish(pipe: Connection, order: PublishOrder, reader: Identity) -> None:
    names = [one.client_id for one in order.identities]
    reached = Reached(order.address, [*order.identities, reader])
    clients = Publishers(reached, names)
    try:
        taker = Taker(reached, name=READER)
        try:
            clients.connect_and_show(taker)
        finally:
            taker.stop()
        pipe.send("ready")
        begin_s = pipe.recv()
        count = len(order.due_s)
        told = Published(np.full(count, np.nan), np.full(count, np.nan))
        if begin_s is not None:
            _feed(pipe, order, clients, names, told, begin_s)
        pipe.send(told)
    finally:
        clients.stop()


def _feed(
    pipe: Connection, order: PublishOrder, clients: Publishers, names: list[str], told: Published, begin_s: float
) -> None:
    due_s, publisher = (begin_s + order.due_s).tolist(), order.publisher.tolist()
    at, count, stop = 0, len(due_s), StopOrder(pipe)
    while True:
        now_s = wall_s()
        if stop.given(now_s):
            return
        if at < count and due_s[at] <= now_s:
            told.handled_s[at] = now_s
            clients.publish_one(names[publisher[at]], payload_of(at))
            at += 1
        else:
            select.select([], [], [], min(0.002, max(0.0, due_s[at] - now_s) if at < count else 0.002))


def take(pipe: Connection) -> None:
    """What the process of the subscribers does: a trial for each order, until its pipe ends."""
    answer_orders(pipe, lambda order: _take(pipe, order), _in_words)


def _take(pipe: Connection, order: TakeOrder) -> None:
    reached = Reached(order.address, order.identities)
    children, said = [], dict[int, bytearray]()
    poll = select.epoll()
    try:
        for one in order.identities:
            words = [program("mosquitto_sub"), *options(reached, one), "-t", FILTER, "-F", "%U %p"]
            child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=with_us())
            children.append(child)
            assert child.stdout is not None
            said[child.stdout.fileno()] = bytearray()
            poll.register(child.stdout.fileno(), select.EPOLLIN)
        pipe.send("ready")
        begun, stop, lines = pipe.recv() is not None, StopOrder(pipe), 0
        while begun:
            for fd, _ in poll.poll(0.01):
                piece = os.read(fd, _READ_BYTES)
                said[fd] += piece
                lines += piece.count(b"\n")
                if not piece:
                    poll.unregister(fd)
            if lines >= order.messages:
                pipe.send("all")
                lines = -order.messages
            begun = not stop.given(wall_s())
        pipe.send(_taken(order.messages, said.values()))
    finally:
        poll.close()
        for child in children:
            child.kill()
        for child in children:
            child.wait()
            assert child.stdout is not None
            child.stdout.close()


def _taken(messages: int, said: Iterable[bytes | bytearray]) -> Taken:
    """Of lines "UNIX_TIME PAYLOAD"; what is none of the trial's messages (a publisher's first word) is left out."""
    arrived_s = np.full(messages, np.nan)
    offset_s, doubled = (unix_ns() - wall_ns()) / 1e9, 0
    for piece in said:
        for line in bytes(piece).split(b"\n"):
            at, _, payload = line.partition(b" ")
            if len(payload) != PAYLOAD_BYTES or not payload.isdigit():
                continue
            row = int(payload)
            doubled += not np.isnan(arrived_s[row])
            arrived_s[row] = np.fmin(arrived_s[row], float(at) - offset_s)
    return Taken(arrived_s, doubled)
