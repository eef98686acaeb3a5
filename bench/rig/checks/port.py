"""What an invariant is: one file of this folder holds one as INVARIANT; every run of every world is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sim.core.parts import Folder
from sim.world import World


@dataclass(frozen=True)
class Invariant:
    """`title`: what holds, as a sentence. `check(world, attacked)`: what is wrong, one line each; `attacked`: there was
    an attacker, so altered records are the scenario's business. `unproven`: where it does not hold, the scenario is
    inconclusive and not failed."""

    id: str
    title: str
    check: Callable[[World, bool], list[str]]
    unproven: bool = False


INVARIANTS: Final = Folder("bench.rig.checks", "INVARIANT", "invariant", Invariant)
