"""What was kept through an outage comes in the claimed order, and not backwards."""

from __future__ import annotations

from bench.desk.rows.outage import kept
from bench.desk.rows.port import Row, all_of, an_order, keeps_through_an_outage
from bench.desk.rows.received_order import in_order
from bench.desk.stand import Stand
from sim.core.clock import wall_ns


def _play(stand: Stand) -> str:
    stand.hello()
    stand.path.refuse()
    fed = []
    for _ in range(8):
        fed += stand.feed_all(stand.traffic.several(5), paced=False)
        stand.turn(max(0.3, stand.claims.gathers_s / 4))
    back_ns = wall_ns()
    stand.back("the outage")
    wanted = kept(stand, fed, back_ns)
    stand.await_all(wanted)
    stand.refuse_loss(wanted, "telegrams of an outage")
    return in_order(stand, wanted, backlog=True)


ROW = Row("backlog-order", "A backlog comes in the claimed order", _play, all_of(an_order, keeps_through_an_outage),
          faults=(33,))  # fmt: skip
