"""Everything that a city calls compiled, compiled: a small one is played once. `arrays/compiling.py` runs this
module as a process of its own, `./wmbench` when it is set up.

    python -m sim.city.warm_up            all of it
    python -m sim.city.warm_up air        what plays the air and makes telegrams; "readings": what goes on from there

One at a time; who comes second waits and finds it done. Each part leaves a mark of its own when it is there.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from arrays import compiling
from arrays.compiled_cache import folder

if TYPE_CHECKING:
    from sim.city.plan import Depth

_MARKS = 16


def compile_all(parts: Sequence[compiling.Part] = compiling.PARTS) -> None:
    """Fill numba's cache. Raises OSError where its folder cannot be written."""
    if all(map(compiling.ready, parts)):
        return
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    with (place / "compiling.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for part in parts:
            if compiling.ready(part):
                continue
            mark = compiling.mark(part)  # of the sources as they were loaded; they may change meanwhile
            _play("bytes" if part == "air" else "readings")
            mark.touch()
        # Machines with other processors may share the folder: each has marks of its own.
        for oldest in sorted(place.glob("compiled-*"), key=lambda one: one.stat().st_mtime_ns)[:-_MARKS]:
            oldest.unlink()


def _play(depth: Depth) -> None:
    """All three securities, all modes, for an hour; and as many draws at once as make it worth while."""
    from sim.city.conduct import play
    from sim.city.plan import Blocks, CityPlan
    from sim.core.clock import NS_PER_S
    from sim.core.seeds import COMPILED_FROM, Seeds
    from sim.gateway.gateway_spec import GatewaySpec
    from sim.meters.fleet_spec import FleetSpec
    from sim.world_spec import WorldSpec

    fleet = (
        FleetSpec("a", "vipa-c10", 60, security="mode5"), FleetSpec("b", "vipa-c10", 60, security="mode7", link="C1"),
        FleetSpec("c", "vipa-c10", 60, security="none", link="S1"),
    )  # fmt: skip
    spec = WorldSpec("ahead", "What compiles the loops", fleet, (GatewaySpec(count=2),))
    plan = CityPlan(spec, 1, 3_600 * NS_PER_S, depth)
    play(plan, Blocks.of(spec).tiles(1)[0])
    Seeds(1).normal_q16("ahead", np.arange(COMPILED_FROM))


def _end_with_parent() -> None:
    """Its standard input is the parent's end of a pipe: when that closes, nobody waits any more."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    if "--beside" in sys.argv:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    compile_all([part for part in compiling.PARTS if part in sys.argv] or compiling.PARTS)
