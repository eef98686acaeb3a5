"""Telegrams as on the air in one pass: a block of rows is filled, encrypted and CRC'd while it is in the first-level
cache, and only what is sent leaves it.

For processors with AES instructions; elsewhere `per_day` does the same in three passes. Ciphertext that begins 2F2F
like plain text, one row in 65 536, is named and made anew by the caller. Mode 7 has a function of its own, so that a
fleet without it does not wait for its compilation.

Imported only where the processor has the instructions.
"""

from __future__ import annotations

import numpy as np

from arrays.aes_encrypt import LANES
from arrays.ciphers_compiled import cbc_rows
from arrays.crc_instructions import add_crcs_at
from arrays.jit import njit
from arrays.plain_or_compiled import signed
from arrays.seal import MacRoom, begins_with_fill, derive_rows, mac_rows
from arrays.unaligned import copy_16, load_8, store
from sim.meters.fill_kernels import BLOCK, U8, WORK, Asked, Block, Form, Records, Scratch, fill_block
from sim.meters.physics.formulas import Tables


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
    out: U8, blocks: int, filled: bool, form: Form, asked: Asked, meters: Records, tables: Tables
) -> tuple[int, int]:
    """Each row's telegram into `out` (n, bytes), with format A's CRCs where that is longer than the form's template; in
    mode 5 with `blocks` of AES at the end of each frame, or plain with none. `filled`: there is a fill byte to move.
    Returns how many rows stand in `asked.left`, because their clocks show another day, or -1 where a value does not
    fit; and how many in `asked.again`."""
    size = len(form.template)
    frames, work = np.empty((BLOCK, size), np.uint8), np.empty(WORK, np.int64)
    keys, ivs = np.empty((BLOCK, 2), np.uint64), np.empty((BLOCK, 2), np.uint64)
    out_at, bytes_, sealed_at = signed(out.ctypes.data), out.shape[1], size - 16 * blocks
    lefts, agains = signed(0), signed(0)  # a literal 0 would be a type of its own, and compiled for once more
    for first in range(0, len(asked.meter), BLOCK):
        frames_at = signed(frames.ctypes.data)  # in the loop: numba frees an array after the last line that names it
        rows = min(BLOCK, len(asked.meter) - first)
        block = Block(frames_at, signed(size), first, rows, lefts)
        lefts = fill_block(block, form, asked, Scratch(keys, ivs, work), meters, tables)
        if lefts < 0:
            return -1, 0
        if blocks:
            cbc_rows(signed(keys.ctypes.data), signed(ivs.ctypes.data), frames_at + sealed_at, size, blocks,
                     (rows + LANES - 1) // LANES * LANES)  # fmt: skip
            if filled:
                agains = begins_with_fill(frames_at + sealed_at, size, first, rows, asked.again, agains)
        _deliver(frames_at, size, rows, out_at + first * bytes_, bytes_)
    return lefts, agains


@njit(cache=True, nogil=True, error_model="numpy")
def fill_mode7(
    out: U8, blocks: int, filled: bool, form: Form, asked: Asked, meters: Records, tables: Tables
) -> tuple[int, int]:
    """The same in mode 7."""
    size = len(form.template)
    frames, work = np.empty((BLOCK, size), np.uint8), np.empty(WORK, np.int64)
    keys, ivs = np.empty((BLOCK, 2), np.uint64), np.empty((BLOCK, 2), np.uint64)
    zeros, pairs = np.empty((BLOCK, 2), np.uint64), np.empty((BLOCK, 4), np.uint64)
    covered, counters = np.empty((BLOCK, (size - 10) // 16 * 16), np.uint8), np.empty(BLOCK, np.uint32)
    words = covered.view(np.uint64)
    out_at, bytes_, sealed_at = signed(out.ctypes.data), out.shape[1], size - 16 * blocks
    lefts, agains = signed(0), signed(0)  # a literal 0 would be a type of its own, and compiled for once more
    for first in range(0, len(asked.meter), BLOCK):
        frames_at = signed(frames.ctypes.data)
        rows = min(BLOCK, len(asked.meter) - first)
        block = Block(frames_at, signed(size), first, rows, lefts)
        lefts = fill_block(block, form, asked, Scratch(keys, ivs, work), meters, tables)
        if lefts < 0:
            return -1, 0
        for row in range(rows):
            counters[row] = signed(meters[np.uint64(asked.meter[first + row])].counter0) + asked.k[first + row]
        derive_rows(keys, zeros, pairs, frames_at, size, counters, rows)
        for row in range(BLOCK):
            keys[row, 0], keys[row, 1] = pairs[row, 0], pairs[row, 1]
            ivs[row, 0] = ivs[row, 1] = 0
        cbc_rows(signed(keys.ctypes.data), signed(ivs.ctypes.data), frames_at + sealed_at, size, blocks,
                 (rows + LANES - 1) // LANES * LANES)  # fmt: skip
        if filled:
            agains = begins_with_fill(frames_at + sealed_at, size, first, rows, asked.again, agains)
        for row in range(BLOCK):
            keys[row, 0], keys[row, 1] = pairs[row, 2], pairs[row, 3]
        mac_rows(MacRoom(keys, ivs, zeros, covered, words), frames_at, size, counters, rows)
        _deliver(frames_at, size, rows, out_at + first * bytes_, bytes_)
    return lefts, agains
