"""The same bytes again, as meters without a counter send them: every one is passed on, unless duplicates are claimed to
be filtered; and then those are, and no others: a replay long after is passed on for the portal to judge."""

from __future__ import annotations

from bench.desk.fed import Fed
from bench.desk.rows.port import Failed, Row, Undecided, every_telegram
from bench.desk.stand import Stand
from bench.desk.traffic import Telegram


def _play(stand: Stand) -> str:
    stand.hello()
    one, claims = stand.traffic.next("71000001"), stand.claims
    near = [_again(stand, one, others=3) for _ in range(3)]
    if claims.duplicates == "passed on":
        far = _again(stand, one, others=30)
        stand.await_all([*near, far])
        if lost := stand.lost([*near, far]):
            raise Failed(f"{len(lost)} of 4 receptions of the same bytes never came")
        return "4 receptions of the same bytes came as 4"
    stand.await_all(near, patience_s=2.0 + claims.gathers_s)
    came = sum(len(fed.came) for fed in near)
    if came != 1:
        raise Failed(f"3 receptions of the same bytes came {came} times (claimed: {claims.duplicates})")
    if claims.duplicates == "equal within a time":
        if claims.duplicates_s > stand.depth.outage_s:
            raise Undecided(f"its window of {claims.duplicates_s:g} s is longer than --outage {stand.depth.outage_s:g}")
        stand.turn(claims.duplicates_s + 1.0)
    far = _again(stand, one, others=claims.duplicates_last + 2)
    stand.await_all([far])
    if sum(len(fed.came) for fed in [*near, far]) != 2:
        raise Failed(f"the same bytes after {claims.duplicates_last + 2} others, outside of its window, never came")
    return f"repeats inside of its window ({claims.duplicates}) were filtered, one outside of it came"


def _again(stand: Stand, one: Telegram, *, others: int) -> Fed:
    """After so many others."""
    stand.await_all(stand.feed_all(stand.traffic.several(others)))
    return stand.feed(one)


ROW = Row("repeats", "Identical repeats and replays, as claimed", _play, every_telegram, faults=(1,), waits=True)
