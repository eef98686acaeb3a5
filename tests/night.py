"""What the night tests more of: `./wmbench test night` sets WMBENCH_NIGHT.

A test marked `night` takes minutes; by day it is left out. `examples(n)` are Hypothesis' drawn cases: n by day.
"""

from __future__ import annotations

import os

NIGHT = os.environ.get("WMBENCH_NIGHT", "") not in ("", "0")
TIMES = 20


def examples(by_day: int) -> int:
    return TIMES * by_day if NIGHT else by_day
