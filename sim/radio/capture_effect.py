"""How far above something a frame must be to be received: a threshold, or a share of frames over a ratio.

The rule kept here: a curve is a threshold that is drawn. If a frame at a ratio z survives with probability s(z), rising
in z, then draw u evenly and ask whether z reaches the u-quantile of s. So reception is always a comparison of exact
levels, and a table of quantiles (1/100 dB, ENTRIES of them) is all there is to know. What receivers have which tables:
receiver_profile.py.

The draws are bytes of word 1 of the same Philox block whose word 0 is the frame's fading at that receiver: its highest
byte for interference, the next one for noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]

ENTRIES: Final = 256
NEVER_CDB: Final = 20_000
"""A threshold that no frame reaches: the range of levels is 160 dB."""
INTERFERENCE_SHIFT: Final = 24
NOISE_SHIFT: Final = 16


def capture_table(capture: int | I64) -> I64:
    """A threshold, or a table of quantiles with a power of two of entries, as one of ENTRIES."""
    table = np.atleast_1d(np.asarray(capture, dtype=np.int64))
    size = len(table)
    if table.ndim != 1 or not 1 <= size <= ENTRIES or size & (size - 1):
        raise ValueError(f"a capture table has a power of two of entries up to {ENTRIES}, not {size}")
    if (np.diff(table) < 0).any():
        raise ValueError("a capture table must not fall: it holds quantiles")
    return np.repeat(table, ENTRIES // size)


def quantiles(points: Sequence[Sequence[float]]) -> I64:
    """The table of a measured curve: points (dB, share of frames), dB rising. Shares that fall, as measured ones do by
    chance, are pooled (isotonic regression, all points of one weight); between points the curve is straight; below the
    first nothing is received, and more than the last share never is. No points: nothing ever."""
    if not points:
        return np.full(ENTRIES, NEVER_CDB, dtype=np.int64)
    at_db = [one[0] for one in points]
    pools: list[list[float]] = []  # [mean, count]
    for _, share in points:
        pools.append([share, 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, count = pools.pop()
            pools[-1] = [(pools[-1][0] * pools[-1][1] + mean * count) / (pools[-1][1] + count), pools[-1][1] + count]
    shares = [mean for mean, count in pools for _ in range(int(count))]
    found = []
    for i in range(ENTRIES):
        wanted = (i + 0.5) / ENTRIES
        j = next((j for j, share in enumerate(shares) if share >= wanted), None)
        if j is None:
            found.append(NEVER_CDB)
        elif j == 0:
            found.append(round(100 * at_db[0]))
        else:
            part = (wanted - shares[j - 1]) / (shares[j] - shares[j - 1])
            found.append(round(100 * (at_db[j - 1] + part * (at_db[j] - at_db[j - 1]))))
    return np.array(found, dtype=np.int64)


def fsk(frame_bits: int = 73 * 8, implementation_loss_db: float = 0.0, entries: int = ENTRIES) -> I64:
    """Non-coherent 2-FSK: a bit fails with 1/2 exp(-z/2), z = signal to noise (here: to interference) in a bit's
    bandwidth; a frame survives if all its bits do. `implementation_loss_db` moves the curve to a real receiver's."""
    if frame_bits < 1:
        raise ValueError(f"a frame of {frame_bits} bits is none")
    found = []
    for i in range(entries):
        bit_error = -math.expm1(math.log((i + 0.5) / entries) / frame_bits)  # all bits survive with (i + 1/2) / entries
        ratio = -2 * math.log(2 * bit_error) if bit_error < 0.5 else 1e-3
        found.append(round(100 * (10 * math.log10(max(ratio, 1e-3)) + implementation_loss_db)))
    return capture_table(np.array(found, dtype=np.int64))
