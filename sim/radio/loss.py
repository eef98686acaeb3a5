"""Which reason a lost frame has where several apply: the order, written once.

`judge` works on plain numbers. The oracle (listener.py) calls it as Python, the compiled sweep and its short cuts call
`judge_compiled`, which numba makes of the same source. A new reason is a row of `Fate`, a line here and the flag that
sets it.
"""

from __future__ import annotations

from itertools import product
from typing import Final

from arrays.jit import njit
from sim.core.events import Fate

RECEIVED: Final = int(Fate.RECEIVED)
GATEWAY_DOWN: Final = int(Fate.GATEWAY_DOWN)
OUT_OF_RANGE: Final = int(Fate.OUT_OF_RANGE)
RECEIVER_BUSY: Final = int(Fate.RECEIVER_BUSY)
JAMMED: Final = int(Fate.JAMMED)
COLLISION: Final = int(Fate.COLLISION)


def judge(down: bool, in_range: bool, busy: bool, jam_peak: int, peak: int, limit: int) -> int:
    """The number of the fate of a readable frame at a receiver: RECEIVED, or the first reason that applies. Powers in
    1e-16 mW: `jam_peak` of jammers alone, `peak` of all others together, `limit` what the frame stands."""
    if down:
        return GATEWAY_DOWN
    if not in_range:
        return OUT_OF_RANGE
    if busy:
        return RECEIVER_BUSY
    if jam_peak > limit:
        return JAMMED
    if peak > limit:
        return COLLISION
    return RECEIVED


judge_compiled = njit(inline="always")(judge)


def _others_come_last() -> bool:
    """A frame that is lost without any other on the air is lost for the same reason with them. The oracle's and the
    sweep's short cuts need that of the order above."""
    for down, in_range, busy in product((False, True), repeat=3):
        alone = judge(down, in_range, busy, 0, 0, 0)
        if alone != RECEIVED and judge(down, in_range, busy, 1, 1, 0) != alone:
            return False
    return True


if not _others_come_last():
    raise AssertionError("reasons that other emissions give must come after all others")
