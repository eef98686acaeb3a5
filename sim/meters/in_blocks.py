"""Telegrams as on the air in one pass: a block of rows is filled, encrypted and CRC'd while it is in the first-level
cache, and only what is sent leaves it.

For processors with AES instructions; elsewhere `batch` does the same in three passes. The rows that need a second look
are seldom: ciphertext that begins 2F2F like plain text is made anew from a block filled once more.

Imported only where numba is installed and the processor has the instructions.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from sim.meters.compiled import BLOCK, WORK, fill_block
from wmbus.aes_instructions import LANES
from wmbus.crc_instructions import add_crcs_at
from wmbus.seal_instructions import MOST_BYTES, begins_with_fill, derive_rows, mac_rows, seal_again
from wmbus.security_numba import cbc_rows
from wmbus.words import copy_16, load_8, store

# Imported by name: type checkers meet a machine without numba too.
njit: Any = importlib.import_module("numba").njit


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def fill_sealed(
    out: Any, crcs: bool, mode: int, blocks: int, filled: bool, counter0: Any, left: Any,
    template: Any, places: Any, operations: Any, columns: Any, meter: Any, k: Any, day: int, epoch_ms: int,
    t0_ns: Any, period_ns: Any, drift_ppb: Any, offset_ms: Any, all_keys: Any, acc0: Any, number: Any, rooms_of: Any,
    factors: Any, unmeasured: Any, battery_low_day: Any, counts: Any, free: Any, wanted: Any, over: Any,
    first_hour: int,
) -> int:  # fmt: skip
    """Each row's telegram into `out` (n, bytes), with format A's CRCs or without. `mode` 0, 5 or 7; `blocks` of AES at
    the end of each frame; `filled`: there is a fill byte to move. Returns how many rows stand in `left`, because their
    clocks show another day, or -1 where a value does not fit."""
    size = len(template)
    frames, plain = np.empty((BLOCK, size), np.uint8), np.empty((BLOCK, size), np.uint8)
    keys, ivs = np.empty((BLOCK, 2), np.uint64), np.empty((BLOCK, 2), np.uint64)
    zeros, pairs = np.empty((BLOCK, 2), np.uint64), np.empty((BLOCK, 4), np.uint64)
    covered = np.empty((BLOCK, max(1, (size - 10) // 16) * 16 if mode == 7 else 16), np.uint8)
    words = covered.view(np.uint64)
    work, again = np.empty(WORK, np.int64), np.empty(BLOCK + 1, np.int64)
    counters = np.empty(BLOCK, np.uint32)
    room = np.empty(LANES * (32 + MOST_BYTES), np.uint8)
    out_at, out_bytes, sealed_at = np.int64(out.ctypes.data), out.shape[1], size - 16 * blocks
    lefts = 0
    for first in range(0, len(meter), BLOCK):
        # Asked for in the loop: numba frees an array after the last line that names it.
        frames_at, plain_at = np.int64(frames.ctypes.data), np.int64(plain.ctypes.data)
        keys_at, ivs_at = np.int64(keys.ctypes.data), np.int64(ivs.ctypes.data)
        rows = min(BLOCK, len(meter) - first)
        begun = lefts
        lefts = fill_block(
            frames_at, size, size, first, rows, keys, ivs, work, left, lefts, template, places, operations, columns,
            meter, k, day, epoch_ms, t0_ns, period_ns, drift_ppb, offset_ms, all_keys, acc0, number, rooms_of, factors,
            unmeasured, battery_low_day, counts, free, wanted, over, first_hour,
        )
        if lefts < 0:
            return -1
        if mode:
            if mode == 7:
                for row in range(rows):
                    one = np.uint64(meter[first + row])
                    counters[row] = np.int64(counter0[one]) + k[first + row]
                derive_rows(keys, zeros, pairs, frames_at, size, counters, rows)
                for row in range(BLOCK):
                    keys[row, 0], keys[row, 1] = pairs[row, 0], pairs[row, 1]
                    ivs[row, 0] = ivs[row, 1] = 0
            eights = (rows + LANES - 1) // LANES * LANES
            cbc_rows(keys_at, ivs_at, frames_at + sealed_at, size, blocks, eights)
            seldom = begins_with_fill(frames_at, size, rows, sealed_at, again) if filled else 0
            if seldom:
                fill_block(
                    plain_at, size, size, first, rows, zeros, pairs, work, left, begun, template, places, operations,
                    columns, meter, k, day, epoch_ms, t0_ns, period_ns, drift_ppb, offset_ms, all_keys, acc0, number,
                    rooms_of, factors, unmeasured, battery_low_day, counts, free, wanted, over, first_hour,
                )
                for row in again[:seldom]:
                    seal_again(plain_at + row * size, frames_at + row * size, sealed_at, blocks, keys_at + 16 * row,
                               ivs_at + 16 * row, room)  # fmt: skip
            if mode == 7:
                for row in range(BLOCK):
                    keys[row, 0], keys[row, 1] = pairs[row, 2], pairs[row, 3]
                mac_rows(keys, zeros, covered, words, frames_at, size, size, counters, rows)
        to = out_at + first * out_bytes
        if crcs:
            add_crcs_at(frames_at, size, size, rows, to, out_bytes)
        else:
            _copied(frames_at, size, rows, to)
    return lefts


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _copied(begin: int, size: int, rows: int, to: int) -> None:
    """So many rows of `size` bytes, end to end on both sides."""
    total = size * rows
    for byte in range(0, total - 15, 16):
        copy_16(begin + byte, to + byte)
    for byte in range(total // 16 * 16, total):
        store(load_8(begin + byte), to + byte)
