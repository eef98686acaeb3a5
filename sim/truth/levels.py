"""How strong telegrams were where they were heard: the mean level of the link, and what fading gave that frame there.

Worked out again from places and draws, for the few that are asked about; nothing of it is kept while the air is played.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sim.radio.air import Air

NOT_HEARD: Final = -(1 << 62)


def levels_cdbm(air: Air, heard: Sequence[tuple[int, int, int]]) -> NDArray[np.int64]:
    """Of telegrams (meter, k, receiver), hundredths of a dBm; NOT_HEARD where that receiver cannot hear the meter."""
    meter, k, receiver = np.array(heard, dtype=np.int64).reshape(-1, 3).T
    row, link = air.links.expand(meter)
    own = air.links.receiver[link] == receiver[row]
    row, link = row[own], link[own]
    fading, _ = air.propagation.drawn(meter[row], k[row], receiver[row], luck=False)
    out = np.full(len(meter), NOT_HEARD, dtype=np.int64)
    out[row] = air.links.level_cdbm[link] + fading
    return out
