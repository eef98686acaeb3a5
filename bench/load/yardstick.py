"""How fast a processor is at the moment: a fixed piece of work, of the kinds that a take of the portal is made of, and
its processor time.

A processor of a rented machine is not always equally fast. One was seen to change between two speeds, 1.6 apart, every
0.1 s to some seconds, on a machine that was told of no stolen time: whatever the other processor of that machine did,
a loop in `pause` with real-time priority too. So a second of processor time is no unit; the time of this work in the
same process right before and after is one.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from sim.core.clock import processor_s

NOMINAL_S: Final = 0.005
"""The speed at which costs are printed: the one at which the work takes so long."""
_ROWS: Final = json.dumps([[at * 10**9, -95.5, "ab" * 40] for at in range(200)])
_BLOCK: Final = b"\x5a" * 3_000


def run() -> float:
    """Seconds of a processor for the work: objects, text of bundles, digests, sorting, about as much of each as moves
    with a take's cost."""
    begin_s = processor_s()
    found: dict[int, int] = {}
    total = 0
    for at in range(8_000):
        found[at & 1_023] = total
        total += at * 3 & 255
    for _ in range(6):
        json.dumps(json.loads(_ROWS))
    for _ in range(150):
        hashlib.sha256(_BLOCK).hexdigest()
    sorted((f"{at * 7_919 % 10_007:06d}", at) for at in range(1_200))
    return processor_s() - begin_s
