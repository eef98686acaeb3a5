"""A broker that swallows packets instead of refusing them: reception goes on behind it, and it is used again when it
answers."""

from __future__ import annotations

from bench.desk.rows.outage import feed_through, kept
from bench.desk.rows.port import Row, broker
from bench.desk.stand import Stand
from sim.core.clock import wall_ns


def _play(stand: Stand) -> str:
    stand.hello()
    stand.quiet()
    stand.path.swallow()
    hole_s = stand.depth.outage_s / 2
    fed = feed_through(stand, hole_s)
    back_ns = wall_ns()
    stand.back(f"{hole_s:g} s of silence from its broker")
    if stand.claims.buffer == "none":
        return f"it works again after {hole_s:g} s of silence from its broker; it claims to keep nothing meanwhile"
    wanted = kept(stand, fed, back_ns)
    stand.await_all(wanted)
    stand.refuse_loss(wanted, f"telegrams of {hole_s:g} s of silence from its broker")
    return f"{len(wanted)} telegrams of {hole_s:g} s of silence from its broker came"


ROW = Row("black-hole", "A broker that swallows packets", _play, broker, waits=True, faults=(16,))
