"""How far above all interference a frame must be to survive it: a threshold, or a packet-error curve.

The rule kept here: a curve is a threshold that is drawn. If a frame at a ratio z of signal to interference survives
with probability s(z), rising in z, then draw u evenly and ask whether z reaches the u-quantile of s. So capture is
always one comparison of exact powers, and a table of quantiles (1/100 dB, a power of two of them) is all there is to
know. The draw is word 1 of the same Philox block whose word 0 is the frame's fading at that receiver.

The default is one threshold of 8 dB: a placeholder near the 8.7 dB of a GFSK transceiver's data sheet. Measured
receivers capture from 3 dB on, so it is a parameter of every air.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]

CAPTURE_CDB: Final = 800
MAX_TABLE: Final = 1 << 12


def capture_table(capture: int | I64) -> I64:
    """A threshold or a table of quantiles as a table."""
    table = np.atleast_1d(np.asarray(capture, dtype=np.int64))
    size = len(table)
    if table.ndim != 1 or not 1 <= size <= MAX_TABLE or size & (size - 1):
        raise ValueError(f"a capture table has a power of two of entries up to {MAX_TABLE}, not {size}")
    if (np.diff(table) < 0).any():
        raise ValueError("a capture table must not fall: it holds quantiles")
    return table


def draw_shift(table: I64) -> int:
    """How far to shift a 32-bit word right to get an index into the table."""
    return 32 - (len(table).bit_length() - 1)


def fsk(frame_bits: int = 73 * 8, implementation_loss_db: float = 0.0, entries: int = 256) -> I64:
    """Non-coherent 2-FSK: a bit fails with 1/2 exp(-z/2), z = signal to noise (here: to interference) in a bit's
    bandwidth; a frame survives if all its bits do. `implementation_loss_db` moves the curve to a real receiver's."""
    if frame_bits < 1:
        raise ValueError(f"a frame of {frame_bits} bits is none")
    quantiles = []
    for i in range(entries):
        bit_error = -math.expm1(math.log((i + 0.5) / entries) / frame_bits)  # all bits survive with (i + 1/2) / entries
        ratio = -2 * math.log(2 * bit_error) if bit_error < 0.5 else 1e-3
        quantiles.append(round(100 * (10 * math.log10(max(ratio, 1e-3)) + implementation_loss_db)))
    return capture_table(np.array(quantiles, dtype=np.int64))
