"""The broker is killed with SIGKILL and started again at once, on the same port and on what it had on its disk.

With a `phase` it strikes while messages are under way in that phase: "publish" (gateways publish), "deliver" (messages
wait for the portal), "acknowledge" (the portal's acknowledgements travel back). Witness: nobody answers on its port any
more; then somebody does, and it is another process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.faults._broker import answers, broker_of
from sim.faults.port import Fault

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    pid: int | None
    answers: bool  # somebody accepts a TCP connection on its port


@dataclass(frozen=True, kw_only=True)
class BrokerKilled(Fault[Seen]):
    id: ClassVar[str] = "broker_killed"
    title: ClassVar[str] = "SIGKILL for the broker, and a start on what is on the disk"
    needs: ClassVar[frozenset[str]] = frozenset({"kill"})
    struck_as: ClassVar[str] = "broker killed"
    heals: ClassVar[bool] = True

    @property
    def heals_after_s(self) -> float:
        return 0.0

    def subject(self, world: World) -> str:
        return f"SIGKILL while in phase {self.phase}" if self.phase else "SIGKILL"

    def look(self, world: World) -> Seen:
        return Seen(broker_of(world).pid, answers(broker_of(world)))

    def strike(self, world: World) -> None:
        broker_of(world).kill()

    def witness_strike(self, before: Seen, after: Seen) -> str:
        if before.answers and not after.answers and after.pid != before.pid:
            return f"process {before.pid} is gone, its port is closed"
        return ""

    def heal(self, world: World) -> None:
        broker_of(world).restart()

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        return f"process {healed.pid} answers on the port" if healed.answers and not struck.answers else ""


FAULT = BrokerKilled()
