"""Without a key there are no values: ciphertext is not read as if it were clear."""

from __future__ import annotations

from bench.desk.rows.port import Failed, Row, Undecided, decodes
from bench.desk.stand import Stand


def _play(stand: Stand) -> str:
    stand.hello()
    clear = stand.feed_all([stand.traffic.next("79000001", encrypted=False) for _ in range(3)])
    stand.await_all(clear)
    if not any(row.values for row in stand.values if row.meter == "79000001"):
        raise Undecided("the reader takes no values of what it decodes; see read in the inventory")
    fed = stand.feed_all([stand.traffic.next("79000002", encrypted=True) for _ in range(10)])
    stand.quiet(2.0)
    for row in (row for row in stand.values if row.meter == "79000002"):
        read = [name for name, value in (row.values or {}).items() if isinstance(value, float)]
        if read:
            raise Failed(f"a meter without a key came with a value: {read[0][:40]!a}")
    return f"no values came of {len(fed)} telegrams without a key"


ROW = Row("no-key-no-value", "No values without a key", _play, decodes, faults=(27,))
