"""A gateway that reads a log goes on where it was: killed between reading and publishing it loses nothing, nor when the
log is rotated under it. What it says twice, for safety, is no fault here."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bench.desk.fed import Fed
from bench.desk.rows.port import Row, Undecided, all_of, power
from bench.desk.stand import Stand
from sim.desk.inventory import GatewayEntry
from sim.feeders.kinds.codec import CodecSpec
from sim.feeders.lines.named_pipe import PathSpec
from sim.feeders.lines.port import LineError

_KILLS: Final = 8
_ROTATED: Final = 3


def _needs(entry: GatewayEntry) -> str:
    spec = entry.feed[0]
    follows = isinstance(spec, CodecSpec) and isinstance(spec.line, PathSpec) and spec.line.is_a == "file"
    return "" if follows else 'it reads no log (feed.line = { kind = "path", is_a = "file" })'


def _play(stand: Stand) -> str:
    fed = stand.hello()
    for number in range(_KILLS):
        under_way = stand.feed_all(stand.traffic.several(10), paced=False)
        fed += under_way
        stand.await_all(under_way[:1])
        stand.turn(0.007 * number)  # somewhere between reading and publishing the others
        with stand.power_cut():
            fed += stand.feed_all(stand.traffic.several(5), paced=False)  # the log is written whether it is read or not
            stand.turn(0.1)
        _all(stand, fed, f"telegrams of its log after kill {number + 1}")
    for number in range(_ROTATED):
        fed += stand.feed_all(stand.traffic.several(5), paced=False)
        _rotate(stand, number)
        fed += stand.feed_all(stand.traffic.several(5), paced=False)
        _all(stand, fed, f"telegrams of its log after rotation {number + 1}")
    stand.refuse_strangers()
    return f"{len(fed)} telegrams of its log came, through {_KILLS} kills and {_ROTATED} rotations"


def _all(stand: Stand, fed: list[Fed], what: str) -> None:
    stand.await_all(fed)
    stand.refuse_loss(fed, what)


def _rotate(stand: Stand, number: int) -> None:
    """Renamed, and a new file under the old name, as logrotate does."""
    line = stand.line
    line.unplug()
    log = Path(line.place)
    log.rename(log.with_name(f"{log.name}.{number + 1}"))
    try:
        line.plug()
    except LineError as error:
        raise Undecided(str(error)) from None


ROW = Row("log-place", "It keeps its place in a log", _play, all_of(_needs, power), faults=(32,))
