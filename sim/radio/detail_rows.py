"""Detail rows of a window with what identifies their frames: one pass over them, straight into columns.

With numpy's ways the same took a copy of all rows for each condition and a gather for each column, a tenth of what the
whole air costs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.radio.sweep_arrays import Frames

I64 = NDArray[np.int64]
ANY = -1


@njit(cache=True, nogil=True, error_model="numpy")
def identified(
    rows: I64, gateways: int, only: int, frames: Frames, length_bytes: I64, others: I64, out: I64
) -> int:
    """Of `rows` (frame, receiver, fate, level) those at one of the first so many receivers and of one fate (ANY: of
    each), into the columns of history.FrameBatch, `out` (7, rows at least); returns how many. `length_bytes` of each
    meter's frames; `others`: of frames behind the fleet's, (4, n) start, source, k and length."""
    fleet = len(frames.start_ns)
    meter_of = np.empty(fleet, dtype=np.int32)
    for meter in range(len(frames.first) - 1):
        for frame in range(frames.first[meter], frames.first[meter + 1]):
            meter_of[frame] = meter
    count = 0
    for at in range(len(rows)):
        frame, receiver, fate = rows[at, 0], rows[at, 1], rows[at, 2]
        if receiver >= gateways or (only != ANY and fate != only):
            continue
        if frame < fleet:
            source = np.int64(meter_of[frame])
            out[0, count], out[1, count] = frames.start_ns[frame], source
            out[2, count], out[6, count] = frames.k[frame], length_bytes[source]
        else:
            other = frame - fleet
            out[0, count], out[1, count] = others[0, other], others[1, other]
            out[2, count], out[6, count] = others[2, other], others[3, other]
        out[3, count], out[4, count], out[5, count] = receiver, fate, rows[at, 3]
        count += 1
    return count
