"""How many rows a log holds, and what happens when it is full.

System log: the oldest tenth is rolled out. Consumer's: the same, of rows that are older than 15 months, the time a
yearly bill can be disputed in; where none is so old nothing more is written, and what would have to be written is not
done. Calibration log: kept for life, so a full one refuses, and with it what would have to be logged. All numbers are
this model's. What was rolled out is still counted for: the chain's signed base is the last row that went.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sim.smgw.logs.hash_chain import Row
from sim.smgw.logs.log_entries import CALIBRATION, SYSTEM
from sim.smgw.refusals import RuleError

MONTHS_15_S: Final = 457 * 86_400


@dataclass(frozen=True, slots=True)
class LogLimit:
    """`keep_s`: rows younger than this are not rolled out; None: none ever is."""

    rows_most: int
    keep_s: int | None


SYSTEM_LIMIT: Final = LogLimit(10_000, 0)
CONSUMER_LIMIT: Final = LogLimit(100_000, MONTHS_15_S)
CALIBRATION_LIMIT: Final = LogLimit(10_000, None)


def limit_of(log: str) -> LogLimit:
    """The limit of a log by its name."""
    return {SYSTEM: SYSTEM_LIMIT, CALIBRATION: CALIBRATION_LIMIT}.get(log, CONSUMER_LIMIT)


def to_roll_out(rows: Sequence[Row], limit: LogLimit, now_s: int) -> int:
    """How many of the oldest rows go, so that another one can be written. Raises RuleError (log-full)."""
    if len(rows) < limit.rows_most:
        return 0
    if limit.keep_s is None:
        raise RuleError("log-full", f"it has {len(rows)} rows, and none of this log is ever removed")
    most = max(1, limit.rows_most // 10)
    old = 0
    while old < most and rows[old].entry.at_s <= now_s - limit.keep_s:
        old += 1
    if not old:
        raise RuleError("log-full", f"it has {len(rows)} rows, and the oldest is younger than {limit.keep_s} s")
    return old
