"""The portal of a round of pairs, in a process of its own: it holds what our gateways brought and what the clients in C
brought, and then takes from both in turn.

So nothing but the takes runs when takes are measured, each take of ours has one of theirs beside it, of the same
bundles at the same place of an equally full store, and how fast the processor is just then divides out: between the
two, and by the yardstick around each. What was there before the takes is kept out of garbage collections, since a full
one costs 0.7 of a take and would strike one side or the other; each store's first take, twice as dear, is left out.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from bench.load import portal_process, yardstick
from bench.load.fleet_bundles import FleetBundles, Sent
from bench.load.load_orders import Driver, PortalOrder
from bench.load.paired_orders import Hold, TakeInTurn, Taken
from bench.load.stop_order import StopOrder
from bench.spawned import answer_orders
from sim.core.clock import processor_s, wall_s
from sim.endpoint.port import Message

SIDES: Final[tuple[Driver, Driver]] = ("ours", "c")
QUIET_S: Final = 5.0
"""Without a bundle for so long, what has not come is not waited for: a quota refused it."""
FIRST_S: Final = 30.0
"""The same before the first."""
PASSES: Final = 4
"""How often the same bundles are taken, each time into new stores."""


def serve(pipe: Connection) -> None:
    """What this process does: one round after the other, until its pipe ends."""
    answer_orders(pipe, _Rounds(pipe).answer)


class _Rounds:
    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._made: tuple[Sent, FleetBundles] | None = None
        self._held: dict[Driver, dict[tuple[int, int], Message]] = {}

    def answer(self, order: Hold | TakeInTurn) -> None:
        if isinstance(order, Hold):
            self._pipe.send(self._hold(order))
        else:
            self._pipe.send(self._take(order))

    def _bundles(self, order: PortalOrder) -> FleetBundles:
        if self._made is None or self._made[0] != order.sent:
            bundles = FleetBundles(order.sent)
            portal_process.warm_up(order, bundles)
            self._made = order.sent, bundles
        return self._made[1]

    def _hold(self, order: Hold) -> int:
        """How many bundles came."""
        self._bundles(order.portal)
        schedule = order.portal.schedule
        wanted = set(zip(schedule.gateway.tolist(), schedule.sequence.tolist(), strict=True))
        came: dict[tuple[int, int], Message] = {}
        with portal_process.subscribed(order.portal) as (loop, session):
            self._pipe.send("ready")
            begin_s = self._pipe.recv()
            if begin_s is None:
                return 0
            stop, last_s, over = StopOrder(self._pipe), begin_s + FIRST_S - QUIET_S, False
            while not stop.given(now_s := wall_s()):
                loop.turn(portal_process.TURN_S)
                while session.inbox:
                    message, last_s = session.inbox.popleft(), now_s
                    if (key := portal_process.key_of(message)) in wanted:
                        came.setdefault(key, message)
                if not over and (len(came) == len(wanted) or now_s > last_s + QUIET_S):
                    over = True
                    self._pipe.send("all")
        self._held[order.driver] = came
        return len(came)

    def _take(self, order: TakeInTurn) -> dict[Driver, Taken]:
        """Of both sides, PASSES times. The last take, which is smaller, is not taken."""
        both = set.intersection(*(set(self._held[side]) for side in SIDES))
        rows = {side: [one for key, one in self._held[side].items() if key in both] for side in SIDES}
        newest = max((sequence for _, sequence in both), default=1)
        told: dict[Driver, Taken] = {side: Taken() for side in SIDES}
        for again in range(PASSES):
            self._take_all(rows, newest, order.directory / f"pass-{again}", order.take_most, told)
        self._held.clear()
        return told

    def _take_all(
        self, rows: dict[Driver, list[Message]], newest: int, directory: Path, size: int, told: dict[Driver, Taken]
    ) -> None:
        """Into new stores."""
        assert self._made is not None
        bundles = self._made[1]
        now_ns = bundles.closed_ns(newest) + 1
        portals = {side: portal_process.portal_of(bundles, directory / side) for side in SIDES}
        gc.collect()
        gc.freeze()
        try:
            before_s = yardstick.run()
            for at in range(len(rows["ours"]) // size):
                some = {side: rows[side][at * size : (at + 1) * size] for side in SIDES}
                for side in in_turn(at):
                    spent_s = processor_s()
                    portals[side].take(some[side], now_ns)
                    spent_s = processor_s() - spent_s
                    after_s = yardstick.run()
                    if at:
                        told[side].each_take.append((spent_s, (before_s + after_s) / 2))
                    told[side].due += size * bundles.sent.telegrams
                    before_s = after_s
            for side in SIDES:
                told[side].stored += portals[side].counts["stored"]
        finally:
            gc.unfreeze()
            for portal in portals.values():
                portal.close()


def in_turn(at: int) -> Iterable[Driver]:
    """A B, B A, A B, ...: what grows or wears off in time is the same for both."""
    return SIDES if at % 2 == 0 else reversed(SIDES)
