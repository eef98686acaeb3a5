"""The broker is away for minutes and refuses: what is heard meanwhile is kept as claimed, and comes when it is back."""

from __future__ import annotations

from collections.abc import Sequence

from bench.desk.fed import Fed
from bench.desk.rows.port import Row, keeps_through_an_outage
from bench.desk.stand import Stand
from sim.core.clock import ns, wall_ns, wall_s

_COUNT = 120


def feed_through(stand: Stand, seconds_s: float) -> list[Fed]:
    """So many telegrams, spread over the outage."""
    fed: list[Fed] = []
    end_s = wall_s() + seconds_s
    for at in range(_COUNT):
        fed += stand.feed_all([stand.traffic.next()], paced=False)
        stand.turn(max(0.0, end_s - wall_s()) / (_COUNT - at))
    return fed


def kept(stand: Stand, fed: Sequence[Fed], back_ns: int) -> list[Fed]:
    """What it claims to have kept until then."""
    claims = stand.claims
    if claims.buffer == "telegrams" and claims.buffer_telegrams:
        return list(fed[-claims.buffer_telegrams :])
    if claims.buffer == "time" and claims.buffer_s:
        return [one for one in fed if one.at_ns >= back_ns - ns(claims.buffer_s)]
    return list(fed)


def _play(stand: Stand) -> str:
    stand.hello()
    stand.path.refuse()
    fed = feed_through(stand, stand.depth.outage_s)
    back_ns = wall_ns()
    stand.back(f"an outage of {stand.depth.outage_s:g} s")
    wanted = kept(stand, fed, back_ns)
    stand.await_all(wanted)
    stand.refuse_loss(wanted, f"telegrams of an outage of {stand.depth.outage_s:g} s")
    return f"{len(wanted)} telegrams of {stand.depth.outage_s:g} s without a broker came"


ROW = Row("outage", "A broker outage of minutes", _play, keeps_through_an_outage, waits=True, faults=(15,))
