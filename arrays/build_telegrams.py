"""Many telegrams at once: ``wmbus.sender.build`` and format A's CRCs for rows.

All telegrams of one call share header, security and length, as those of one meter type do; each row is what
``sender.build`` would make of it, byte for byte; ciphertext that begins 2F2F is made again with a
fill byte moved to the front, as there.
"""

from __future__ import annotations

import importlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays import ciphers
from wmbus.errors import CannotEncode
from wmbus.link import HEADER_BYTES, length_a
from wmbus.sender import CC_SYNCHRONOUS, Security
from wmbus.transport import CI_LONG, CI_NONE

U8 = NDArray[np.uint8]

_FILL = 0x2F
_AFL_B = np.frombuffer(bytes.fromhex("900f002c25"), dtype=np.uint8)


class Shared(NamedTuple):
    """What all telegrams of one call have: the mode, the C field, the transport layer's CI and flags of its
    configuration field."""

    security: Security
    c_field: int
    tpl: int
    cfg_flags: int


def seal_many(
    frames: U8,
    address_wire: U8,
    acc: U8,
    m: int,
    *,
    security: Security,
    keys: U8,
    counters: NDArray[np.uint32] | None = None,
) -> None:
    """Encrypt and authenticate in place: frames with `m` bytes of records, 2F2F and fill already in them (n, length);
    `address_wire` (n, 8) as ``Address.wire`` gives it, `acc` (n,), `keys` (n, 16), `counters` (n,) for mode 7."""
    if security == "mode5":
        seal_mode5(frames, mode5_ivs(address_wire, acc), keys, m)
    elif security == "mode7" and counters is not None:
        _mode7(frames, address_wire, keys, counters, m)


def frame_template(size: int, m: int, shared: Shared) -> U8:
    """One frame in which address, access number, status, records, counter, MAC and ciphertext are still zero."""
    out = np.zeros((1, size), dtype=np.uint8)
    nothing, records = np.zeros((1, 8), np.uint8), np.zeros((1, m), np.uint8)
    clear_frames(out, nothing, nothing[:, 0], nothing[:, 0], records, shared)
    frame: U8 = out[0]
    return frame


def clear_frames(out: U8, address_wire: U8, acc: U8, sts: U8, records: U8, shared: Shared) -> None:
    """Everything but ciphertext, counter and MAC into `out` (n, ``sender.length(m, security, tpl)``); `sts` (n,),
    `records` (n, m)."""
    m = records.shape[1]
    security, c_field, tpl, cfg_flags = shared
    out[:, 0] = out.shape[1] - 1
    out[:, 1] = c_field
    out[:, 2:10] = address_wire
    at = 10
    if security == "mode7":
        out[:, 10], out[:, 11], out[:, 12] = 0x8C, CC_SYNCHRONOUS, acc
        out[:, 13:18] = _AFL_B
        at = 30
    out[:, at] = tpl
    at += 1
    if tpl == CI_LONG:
        out[:, at : at + 4] = address_wire[:, 2:6]
        out[:, at + 4 : at + 6] = address_wire[:, :2]
        out[:, at + 6 : at + 8] = address_wire[:, 6:]
        at += 8
    if security == "none":
        if tpl != CI_NONE:
            out[:, at], out[:, at + 1] = acc, sts
            out[:, at + 2], out[:, at + 3] = cfg_flags & 0xFF, cfg_flags >> 8
            at += 4
        out[:, at:] = records
        return
    blocks = (m + 2 + 15) // 16
    cfg = cfg_flags | (0x0500 if security == "mode5" else 0x0700) | blocks << 4
    out[:, at], out[:, at + 1] = acc, sts
    out[:, at + 2], out[:, at + 3] = cfg & 0xFF, cfg >> 8
    at += 4
    if security == "mode7":
        out[:, at] = 0x10
        at += 1
    out[:, at : at + 2] = _FILL
    out[:, at + 2 : at + 2 + m] = records
    out[:, at + 2 + m :] = _FILL


def _seal(keys: U8, iv: U8 | None, out: U8, at: int, m: int) -> None:
    blocks = out[:, at:]
    ciphers.encrypt_cbc(keys, iv, blocks)
    if m + 2 < blocks.shape[1]:
        again = np.flatnonzero((blocks[:, 0] == _FILL) & (blocks[:, 1] == _FILL))
        if len(again):
            its_keys, its_iv = keys[again], None if iv is None else iv[again]
            moved = blocks[again]
            ciphers.decrypt_cbc(its_keys, its_iv, moved)
            moved = np.roll(moved, 1, axis=1)
            moved[:, 0] = _FILL
            ciphers.encrypt_cbc(its_keys, its_iv, moved)
            blocks[again] = moved


def mode5_ivs(address_wire: U8, acc: U8) -> U8:
    """``security.mode5_iv`` of each row."""
    iv = np.empty((len(acc), 16), dtype=np.uint8)
    iv[:, :8] = address_wire
    iv[:, 8:] = acc[:, None]
    return iv


def seal_mode5(frames: U8, iv: U8, keys: U8, m: int) -> None:
    """``seal_many`` in mode 5, with IVs (n, 16) that the caller has already."""
    _seal(keys, iv, frames, frames.shape[1] - (m + 2 + 15) // 16 * 16, m)


def _mode7(out: U8, address_wire: U8, keys: U8, counters: NDArray[np.uint32], m: int) -> None:
    mcr = np.ascontiguousarray(counters.astype("<u4")).view(np.uint8).reshape(-1, 4)
    kenc, kmac = ciphers.derive_pair(keys, counters, address_wire[:, 2:6])
    _seal(kenc, None, out, out.shape[1] - (m + 2 + 15) // 16 * 16, m)
    out[:, 18:22] = mcr
    size = 5 + out.shape[1] - 30
    covered = np.empty((len(out), (size + 15) // 16 * 16), dtype=np.uint8)
    covered[:, 0] = 0x25
    covered[:, 1:5] = mcr
    covered[:, 5:size] = out[:, 30:]
    out[:, 22:30] = ciphers.cmac_padded(kmac, covered, size)[:, :8]


# --- format A -------------------------------------------------------------------------------------------------


def add_crcs_a_many(frames: U8, out: U8 | None = None) -> U8:
    """Telegrams of one length -> on-air bytes in frame format A: ``link.add_crcs_a`` of each row, into ``out``. Raises
    CannotEncode."""
    n, size = frames.shape
    if size < HEADER_BYTES:
        raise CannotEncode(f"a frame has at least {HEADER_BYTES} bytes, not {size}")
    if out is None:
        out = np.empty((n, length_a(size - 1)), dtype=np.uint8)
    if out.shape != (n, length_a(size - 1)) or not frames.dtype == out.dtype == np.uint8 or not out.flags.writeable:
        raise CannotEncode(f"{n} rows of {size} bytes with CRCs do not go into {out.dtype} of shape {out.shape}")
    instructions = importlib.import_module("arrays.crc_instructions")
    fast = ciphers.engine() == "aes-ni" and instructions.has_products() and size >= 16
    side_by_side = frames.strides[1] == out.strides[1] == 1
    by = instructions if fast and side_by_side else importlib.import_module("arrays.crc_rows")
    by.add_crcs_a(frames, out)
    return out
