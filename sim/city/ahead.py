"""Everything that a city calls compiled, compiled: a small one is played once. `sim/compiling.py` runs this module as a
process of its own, `./wmbench` when it is set up.

    python -m sim.city.ahead

One at a time; who comes second waits and finds it done.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading

import numpy as np

from sim import compiling
from sim.compiled_cache import folder

_MARKS = 16


def compile_all() -> None:
    """Fill numba's cache. Raises OSError where its folder cannot be written."""
    if compiling.ready():
        return
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    with (place / "compiling.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if compiling.ready():
            return
        mark = compiling.mark()  # of the sources as they were loaded; they may change meanwhile
        _play()
        mark.touch()
        # Machines with other processors may share the folder: each has a mark of its own.
        for oldest in sorted(place.glob("compiled-*"), key=lambda one: one.stat().st_mtime_ns)[:-_MARKS]:
            oldest.unlink()


def _play() -> None:
    """All three securities, all modes, for an hour; and as many draws at once as make it worth while."""
    from sim.city.plan import Blocks, CityPlan
    from sim.city.run import play
    from sim.clock import NS_PER_S
    from sim.seeds import COMPILED_FROM, Seeds
    from sim.spec import FleetSpec, GatewaySpec, WorldSpec

    fleet = (
        FleetSpec("a", "vipa-c10", 60, security="mode5"), FleetSpec("b", "vipa-c10", 60, security="mode7", link="C1"),
        FleetSpec("c", "vipa-c10", 60, security="none", link="S1"),
    )  # fmt: skip
    spec = WorldSpec("ahead", "What compiles the loops", fleet, (GatewaySpec(count=2),))
    plan = CityPlan(spec, 1, 3_600 * NS_PER_S, "bytes", backend="numba")
    play(plan, Blocks.of(spec).tiles(1)[0])
    Seeds(1).normal_q16("ahead", np.arange(COMPILED_FROM))


def _end_with_parent() -> None:
    """Its standard input is the parent's end of a pipe: when that closes, nobody waits any more."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    if "--beside" in sys.argv:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    compile_all()
