"""What a receiver marks as broken goes no further, even where its CRCs fit by chance."""

from __future__ import annotations

from bench.desk.rows.port import Failed, Row, codec
from bench.desk.stand import Stand
from sim.desk.inventory import GatewayEntry


def _needs(entry: GatewayEntry) -> str:
    found = codec(entry)
    return f"{found.id} has no mark for broken frames" if found is not None and not found.says_broken else ""


def _play(stand: Stand) -> str:
    fed = stand.hello()
    broken = []
    for _ in range(20):
        broken.append(stand.feed(stand.traffic.next(), crc_ok=False))
        fed.append(stand.feed(stand.traffic.next()))
    stand.await_all(fed)
    stand.quiet()
    stand.refuse_loss(fed, "good telegrams among marked ones")
    if came := [one for one in broken if one.came]:
        raise Failed(f"{len(came)} of {len(broken)} frames that the receiver had marked as broken were passed on")
    return f"none of {len(broken)} frames with wrong CRCs was passed on"


ROW = Row("crc-flag", "Frames marked as broken go no further", _play, _needs, faults=(11,))
