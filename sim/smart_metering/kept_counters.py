"""The message counters that a gateway still knows after a power cut: those that were written last."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from sim.portal.portal import Portal
from sim.portal.store_port import FreshnessRow


def is_due(path: Path, now_ns: int) -> bool:
    """They are to be written again."""
    return not path.exists() or now_ns >= json.loads(path.read_text("utf-8"))["until_ns"]


def save(path: Path, until_ns: int, counters: Iterable[FreshnessRow]) -> None:
    """`until_ns`: when they are to be written again."""
    rows = [[row.meter, row.layout, row.state.hex()] for row in counters]
    path.write_text(json.dumps({"until_ns": until_ns, "rows": rows}), "utf-8")


def forget_newer(path: Path, quiet: Portal) -> None:
    """What was in volatile memory is gone; what was written last counts. `quiet`: the gateway's store, which it is
    closed after."""
    told = json.loads(path.read_text("utf-8"))["rows"]
    rows = [FreshnessRow(meter, layout, bytes.fromhex(state)) for meter, layout, state in told]
    try:
        with quiet.store.transaction():
            quiet.store.put_freshness(rows)
    finally:
        quiet.close()
