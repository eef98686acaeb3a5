"""Other C fields than SND-NR pass too, unless it claims to pass only some."""

from __future__ import annotations

from bench.desk.rows.port import Failed, Row
from bench.desk.stand import Stand

_C_FIELDS = (0x44, 0x46, 0x47, 0x48, 0x06, 0x08)


def _play(stand: Stand) -> str:
    stand.hello()
    claimed = stand.claims.c_fields or _C_FIELDS
    fed = stand.feed_all([stand.traffic.next(c_field=c_field) for c_field in claimed for _ in range(3)])
    stand.await_all(fed)
    if lost := stand.lost(fed):
        names = sorted({f"{one.telegram.frame[1]:02X}" for one in lost})
        raise Failed(f"telegrams with C = {', '.join(names)} never came")
    return f"C = {', '.join(f'{c_field:02X}' for c_field in claimed)} came"


ROW = Row("c-fields", "C fields beside 44 pass", _play, faults=(10,))
