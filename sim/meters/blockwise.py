"""Telegrams as on the air in one pass: a block of rows is filled, encrypted and CRC'd while it is in the first-level
cache, and only what is sent leaves it.

For processors with AES instructions; elsewhere `days` does the same in three passes. Ciphertext that begins 2F2F like
plain text, one row in 65 536, is named and made anew by whoever called. Mode 7 has a function of its own, so that
nobody waits for its compilation who does not send it.

Imported only where numba is installed and the processor has the instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrays.aes_encrypt import LANES
from arrays.ciphers_compiled import cbc_rows
from arrays.crc_instructions import add_crcs_at
from arrays.jit import njit
from arrays.seal import begins_with_fill, derive_rows, mac_rows
from arrays.unaligned import copy_16, load_8, store
from sim.meters.fill_kernels import BLOCK, WORK, fill_block


@njit(cache=True, nogil=True, error_model="numpy")
def _deliver(frames: int, size: int, rows: int, to: int, bytes_: int) -> None:
    """So many rows of `size` bytes to rows of `bytes_`: with CRCs where those are longer."""
    if bytes_ > size:
        add_crcs_at(frames, size, size, rows, to, bytes_)
        return
    total = size * rows
    for byte in range(0, total - 15, 16):
        copy_16(frames + byte, to + byte)
    for byte in range(total // 16 * 16, total):
        store(load_8(frames + byte), to + byte)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_mode5(
    out: Any, blocks: int, filled: bool, again: Any, left: Any,
    template: Any, places: Any, operations: Any, columns: Any, meter: Any, k: Any, day: int, epoch_ms: int,
    t0_ns: Any, period_ns: Any, drift_ppb: Any, offset_ms: Any, all_keys: Any, acc0: Any, number: Any, rooms_of: Any,
    factors: Any, unmeasured: Any, battery_low_day: Any, counts: Any, free: Any, wanted: Any, over: Any,
    first_hour: int,
) -> Any:  # fmt: skip
    """Each row's telegram into `out` (n, bytes), with format A's CRCs where that is longer than `template`; in mode 5
    with `blocks` of AES at the end of each frame, or plain with none. `filled`: there is a fill byte to move. Returns
    how many rows stand in `left`, because their clocks show another day, or -1 where a value does not fit; and how many
    in `again`."""
    size = len(template)
    frames, work = np.empty((BLOCK, size), np.uint8), np.empty(WORK, np.int64)
    keys, ivs = np.empty((BLOCK, 2), np.uint64), np.empty((BLOCK, 2), np.uint64)
    out_at, bytes_, sealed_at = np.int64(out.ctypes.data), out.shape[1], size - 16 * blocks
    lefts, agains = np.int64(0), np.int64(0)  # a literal 0 would be a type of its own, and compiled for once more
    for first in range(0, len(meter), BLOCK):
        frames_at = np.int64(frames.ctypes.data)  # in the loop: numba frees an array after the last line that names it
        rows = min(BLOCK, len(meter) - first)
        lefts = fill_block(
            frames_at, size, size, first, rows, keys, ivs, work, left, lefts, template, places, operations, columns,
            meter, k, day, epoch_ms, t0_ns, period_ns, drift_ppb, offset_ms, all_keys, acc0, number, rooms_of, factors,
            unmeasured, battery_low_day, counts, free, wanted, over, first_hour,
        )
        if lefts < 0:
            return -1, 0
        if blocks:
            cbc_rows(np.int64(keys.ctypes.data), np.int64(ivs.ctypes.data), frames_at + sealed_at, size, blocks,
                     (rows + LANES - 1) // LANES * LANES)  # fmt: skip
            if filled:
                agains = begins_with_fill(frames_at + sealed_at, size, first, rows, again, agains)
        _deliver(frames_at, size, rows, out_at + first * bytes_, bytes_)
    return lefts, agains


@njit(cache=True, nogil=True, error_model="numpy")
def fill_mode7(
    out: Any, blocks: int, filled: bool, again: Any, left: Any, counter0: Any,
    template: Any, places: Any, operations: Any, columns: Any, meter: Any, k: Any, day: int, epoch_ms: int,
    t0_ns: Any, period_ns: Any, drift_ppb: Any, offset_ms: Any, all_keys: Any, acc0: Any, number: Any, rooms_of: Any,
    factors: Any, unmeasured: Any, battery_low_day: Any, counts: Any, free: Any, wanted: Any, over: Any,
    first_hour: int,
) -> Any:  # fmt: skip
    """The same in mode 7; `counter0`: each meter's message counter at telegram 0."""
    size = len(template)
    frames, work = np.empty((BLOCK, size), np.uint8), np.empty(WORK, np.int64)
    keys, ivs = np.empty((BLOCK, 2), np.uint64), np.empty((BLOCK, 2), np.uint64)
    zeros, pairs = np.empty((BLOCK, 2), np.uint64), np.empty((BLOCK, 4), np.uint64)
    covered, counters = np.empty((BLOCK, (size - 10) // 16 * 16), np.uint8), np.empty(BLOCK, np.uint32)
    words = covered.view(np.uint64)
    out_at, bytes_, sealed_at = np.int64(out.ctypes.data), out.shape[1], size - 16 * blocks
    lefts, agains = np.int64(0), np.int64(0)  # a literal 0 would be a type of its own, and compiled for once more
    for first in range(0, len(meter), BLOCK):
        frames_at = np.int64(frames.ctypes.data)
        rows = min(BLOCK, len(meter) - first)
        lefts = fill_block(
            frames_at, size, size, first, rows, keys, ivs, work, left, lefts, template, places, operations, columns,
            meter, k, day, epoch_ms, t0_ns, period_ns, drift_ppb, offset_ms, all_keys, acc0, number, rooms_of, factors,
            unmeasured, battery_low_day, counts, free, wanted, over, first_hour,
        )
        if lefts < 0:
            return -1, 0
        for row in range(rows):
            counters[row] = np.int64(counter0[np.uint64(meter[first + row])]) + k[first + row]
        derive_rows(keys, zeros, pairs, frames_at, size, counters, rows)
        for row in range(BLOCK):
            keys[row, 0], keys[row, 1] = pairs[row, 0], pairs[row, 1]
            ivs[row, 0] = ivs[row, 1] = 0
        cbc_rows(np.int64(keys.ctypes.data), np.int64(ivs.ctypes.data), frames_at + sealed_at, size, blocks,
                 (rows + LANES - 1) // LANES * LANES)  # fmt: skip
        if filled:
            agains = begins_with_fill(frames_at + sealed_at, size, first, rows, again, agains)
        for row in range(BLOCK):
            keys[row, 0], keys[row, 1] = pairs[row, 2], pairs[row, 3]
        mac_rows(keys, ivs, zeros, covered, words, frames_at, size, counters, rows)
        _deliver(frames_at, size, rows, out_at + first * bytes_, bytes_)
    return lefts, agains
