"""A field that a telegram lacks is not filled from another meter: one with much inside, then one with little."""

from __future__ import annotations

from bench.desk.rows.port import Failed, Row, Undecided, decodes
from bench.desk.stand import Stand


def _play(stand: Stand) -> str:
    stand.hello()
    looked = 0
    for at in range(10):
        rich = stand.traffic.next(f"7700{at:04d}")
        poor = stand.traffic.other_quantity(f"7800{at:04d}")
        first = stand.feed(rich)
        stand.feed(poor)
        stand.await_all([first], patience_s=3.0)
        stand.quiet()
        for row in (row for row in stand.values if row.meter == poor.meter):
            looked += 1
            wrong = [name for name, value in (row.values or {}).items() if value in _readings(rich.litres)]
            if wrong:
                raise Failed(f"meter {poor.meter} came with {wrong[0][:40]!a} of meter {rich.meter}")
    if not looked:
        raise Undecided("no values came of telegrams without a volume; see read in the inventory")
    return f"{looked} telegrams without a volume came without that of others"


def _readings(litres: int | None) -> tuple[float, ...]:
    return (litres / 1_000, litres) if litres is not None else ()


ROW = Row("foreign-field", "No field is filled from another meter", _play, decodes, faults=(4,))
