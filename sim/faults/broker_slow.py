"""The broker is slow: its process stands still (SIGSTOP) and works once in `every_s` seconds of world time. Whatever is
sent to it lies in its sockets until then.

Without `duration_s` it goes on until `Injection.heal`, or to the end of the run. Witness: a message that is sent
through it does not come back; then one does, and the bundles that were acknowledged meanwhile had taken as long as
that.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.core.clock import NS_PER_S, Steps, ns
from sim.core.events import BundleAcknowledged, BundleClosed
from sim.core.settings import number
from sim.faults._broker import BACK_S, broker_of
from sim.faults.port import Outage

if TYPE_CHECKING:
    from sim.world import World

ROUND_S = 1.0
"""Wall seconds within which a message comes back from a broker that runs; it needs some thousandths of one."""


class Seen(NamedTuple):
    comes_back: bool  # a message that is sent through it, within ROUND_S
    now_ns: int
    under_way: dict[tuple[str, int], tuple[int, int]]  # (gateway, sequence) -> when it was closed and acknowledged


@dataclass(frozen=True, kw_only=True)
class BrokerSlow(Outage[Seen]):
    id: ClassVar[str] = "broker_slow"
    title: ClassVar[str] = "The broker works once in a while, and stands still in between"
    needs: ClassVar[frozenset[str]] = frozenset({"kill"})
    struck_as: ClassVar[str] = "broker slow"
    healed_as: ClassVar[str] = "broker as fast as before"

    every_s: float = number(300.0, low=1.0)

    def subject(self, world: World) -> str:
        return f"broker, once in {self.every_s:.0f} s"

    def look(self, world: World) -> Seen:
        comes_back = world.settle(broker_of(world).fence(world.system.sessions[0]), ROUND_S)
        closed = {(one.gateway, one.sequence): one.time_ns for one in world.history.of(BundleClosed)}
        taken = {(one.gateway, one.sequence): one.time_ns for one in world.history.of(BundleAcknowledged)}
        return Seen(comes_back, world.now_ns, {key: (closed[key], taken[key]) for key in closed.keys() & taken.keys()})

    def strike(self, world: World) -> None:
        self._stand_still(world, still=True)
        world.clock.process(self._work_now_and_then(world))

    def _work_now_and_then(self, world: World) -> Steps:
        while True:
            yield world.clock.timeout(ns(self.every_s))
            if not _stands_still(broker_of(world).pid):
                return  # it was healed
            self._stand_still(world, still=False)
            world.deliver()
            self._stand_still(world, still=True)

    def _stand_still(self, world: World, *, still: bool) -> None:
        pid = broker_of(world).pid
        if pid is not None:
            os.kill(pid, signal.SIGSTOP if still else signal.SIGCONT)
        (world.paths.close_all if still else world.paths.open_all)()

    def witness_strike(self, before: Seen, after: Seen) -> str:
        if before.comes_back and not after.comes_back:
            return f"a message that is sent through it does not come back within {ROUND_S:.0f} s of the machine's time"
        return ""

    def heal(self, world: World) -> None:
        self._stand_still(world, still=False)
        world.settle(broker_of(world).fence(world.system.sessions[0]), BACK_S)

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        slow = [
            (taken_ns - closed_ns) / NS_PER_S
            for key, (closed_ns, taken_ns) in healed.under_way.items()
            if key not in struck.under_way and taken_ns < healed.now_ns
        ]
        if healed.comes_back and max(slow, default=0.0) >= self.every_s / 2:
            return f"a message comes back; {len(slow)} bundles had taken up to {max(slow):.0f} s"
        return ""


def _stands_still(pid: int | None) -> bool:
    """As the kernel says it."""
    if pid is None:
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] == "T"


FAULT = BrokerSlow()
