"""A smart meter gateway's security module does not answer: what it was to sign waits, and leaves afterwards.

Without `duration_s` it stays so until `Injection.heal`. Witness: it is asked for a random byte, and says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.core.settings import number
from sim.faults.port import Lasting, gateway_at
from sim.smgw.module.in_world import InWorldModule
from sim.systems._smgw_running import smgw

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    answers: bool
    waiting: int


@dataclass(frozen=True, kw_only=True)
class ModuleSilent(Lasting[Seen]):
    id: ClassVar[str] = "module_silent"
    title: ClassVar[str] = "A smart meter gateway's security module does not answer; what it was to sign waits"
    needs: ClassVar[frozenset[str]] = frozenset({"administrator"})
    struck_as: ClassVar[str] = "module silent"
    healed_as: ClassVar[str] = "module back"

    gateway: int = number(0, low=0)

    def subject(self, world: World) -> str:
        return gateway_at(world, self.gateway).id

    def look(self, world: World) -> Seen:
        gateway = smgw(world.system).gateways[self.gateway]
        return Seen(self._module(world).answers, len(gateway.waiting))

    def strike(self, world: World) -> None:
        self._module(world).answers = False

    def witness_strike(self, before: Seen, after: Seen) -> str:
        return f"it does not answer; {after.waiting} containers wait" if not after.answers else ""

    def heal(self, world: World) -> None:
        self._module(world).answers = True

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        return "it answers" if healed.answers else ""

    def _module(self, world: World) -> InWorldModule:
        module = smgw(world.system).gateways[self.gateway].module
        assert isinstance(module, InWorldModule)
        return module


FAULT = ModuleSilent()
