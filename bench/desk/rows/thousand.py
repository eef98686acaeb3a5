"""One telegram lost in a thousand, by whatever counter or clock: so many that a loss of that rate is seen."""

from __future__ import annotations

from typing import Final

from bench.desk.fed import Fed
from bench.desk.rows.port import Row, Undecided
from bench.desk.stand import Stand
from sim.core.clock import wall_s

_ENOUGH: Final = 2_995
"""Of so many, a loss of one in a thousand misses all with a chance of 5 %."""
_AT_ONCE: Final = 250
_MOST_S: Final = 240.0


def _play(stand: Stand) -> str:
    fed: list[Fed] = stand.hello()
    end_s = wall_s() + _MOST_S
    while len(fed) < stand.depth.frames and wall_s() < end_s:
        part = stand.feed_all(stand.traffic.several(min(_AT_ONCE, stand.depth.frames - len(fed))))
        stand.await_all(part)
        fed += part
        stand.refuse_loss(part, f"telegrams (after {len(fed) - len(part)} that came)")
    if len(fed) < _ENOUGH:
        raise Undecided(f"none of {len(fed)} was lost; {_ENOUGH} would show a loss of 1 in 1000 (--frames, more time)")
    return f"none of {len(fed)} telegrams was lost"


ROW = Row("thousand", "Not one telegram in a thousand is lost", _play, waits=True)
