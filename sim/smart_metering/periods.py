"""When values of a contract leave: at whole multiples of its period, or under TAF 1 at each month's first midnight."""

from __future__ import annotations

from datetime import date

from sim.smgw.german_time import local, midnight_s


def period_ends(taf: int, delivery_s: int, start_s: int, until_s: int) -> list[int]:
    """Ends in (start, until], seconds since 1970, UTC."""
    if taf != 1:
        first = start_s // delivery_s + 1
        return [number * delivery_s for number in range(first, until_s // delivery_s + 1)]
    out: list[int] = []
    day = local(start_s).date()
    while True:
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        end_s = midnight_s(day)
        if end_s > until_s:
            return out
        if end_s > start_s:
            out.append(end_s)
