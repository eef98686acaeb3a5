"""Telegrams of every length, L 10 to 255, in each mode: whole, and the next ordinary one behind each comes too."""

from __future__ import annotations

from bench.desk.fed import Fed
from bench.desk.rows.port import Failed, Row
from bench.desk.stand import Stand
from bench.desk.traffic import SHORTEST_L


def _play(stand: Stand) -> str:
    stand.hello()
    longest = stand.claims.longest_bytes - 1
    fed: list[Fed] = []
    for mode in stand.claims.modes:
        sweep = [stand.traffic.next(length=length) for length in range(SHORTEST_L, longest + 1)]
        if not stand.gives_telegrams:
            sweep = [one for one in sweep if one.litres is not None]  # of the shortest there is nothing to tell
        fed += stand.feed_all(sweep, mode=mode)
        stand.await_all(fed)
    if lost := stand.lost(fed):
        missing = {mode: [one.telegram.frame[0] for one in lost if one.mode == mode] for mode in stand.claims.modes}
        said = "; ".join(f"{mode} {_ranges(lengths)}" for mode, lengths in missing.items() if lengths)
        raise Failed(f"of L {SHORTEST_L} to {longest} these never came: {said}")
    stand.refuse_strangers()
    stand.recovers(f"a telegram of L {longest}")
    return f"L {SHORTEST_L} to {longest} came whole in {', '.join(stand.claims.modes)}"


def _ranges(numbers: list[int]) -> str:
    """1-3, 7"""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{low}-{high}" if high > low else str(low) for low, high in spans)


ROW = Row("lengths", "Telegrams of every length, to L = 255", _play, faults=(5, 6, 7, 8, 25))
