"""Ciphers for many telegrams at once, each with its own key: `wmbus.security` for rows.

One telegram a row, uint8 arrays in, uint8 arrays out. Two compiled engines, the faster that this machine has: the
processor's AES instructions, or tables (arrays/aes_tables.py) where it has none. ``use`` chooses one by name. The code
is loaded at the first call.
"""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from wmbus.errors import CannotEncode
from wmbus.security import BLOCK, DC_ENC_FROM_METER, DC_MAC_FROM_METER

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
Engine = Literal["aes-ni", "tables"]
ENGINES: Final[tuple[Engine, ...]] = ("aes-ni", "tables")


# --- which engine ---------------------------------------------------------------------------------------------

_chosen: Engine | None = None


@cache
def _compiled() -> ModuleType:
    return importlib.import_module("arrays.ciphers_compiled")


@cache
def engines() -> tuple[Engine, ...]:
    """Those this machine has, the fastest first."""
    fast = importlib.import_module("arrays.aes_encrypt").has_aes_instructions()
    return ENGINES if fast else ENGINES[1:]


def use(engine: Engine | None) -> None:
    """Choose an engine for this process; None: the fastest there is.  Raises ValueError."""
    global _chosen
    if engine is not None and engine not in engines():
        raise ValueError(f"no engine '{engine}' here; there are {', '.join(engines())}")
    _chosen = engine


def engine() -> Engine:
    """The engine in use."""
    return _chosen or engines()[0]


# --- the door -------------------------------------------------------------------------------------------------


def encrypt_cbc(keys: U8, iv: U8 | None, blocks: U8) -> None:
    """AES-128-CBC in place.  ``keys`` (n, 16), ``iv`` (n, 16) or None for zero, ``blocks`` (n, 16 m).  Raises
    CannotEncode."""
    _check(keys, iv, blocks)
    _compiled().encrypt_cbc(keys, np.zeros((len(keys), BLOCK), np.uint8) if iv is None else iv, blocks, _fast())


def decrypt_cbc(keys: U8, iv: U8 | None, blocks: U8) -> None:
    """The inverse, in place."""
    _check(keys, iv, blocks)
    _compiled().decrypt_cbc(keys, np.zeros((len(keys), BLOCK), np.uint8) if iv is None else iv, blocks, _fast())


def cmac(keys: U8, messages: U8) -> U8:
    """AES-CMAC of one message a row, all of one length: (n, 16)."""
    _check_rows("keys", keys, BLOCK)
    if len(keys) != len(messages):
        raise CannotEncode(f"{len(keys)} keys for {len(messages)} messages")
    out = np.empty((len(keys), BLOCK), dtype=np.uint8)
    _compiled().cmac(keys, messages, out, _fast())
    return out


def cmac_padded(keys: U8, padded: U8, size: int) -> U8:
    """`cmac` of messages of `size` bytes that stand in rows of whole blocks with room after them; the rows are used
    up. For callers that lay messages out anew anyway."""
    _check(keys, None, padded)
    macs: U8 = _compiled().cmac_padded(keys, padded, size, _fast())
    return macs


def derive_pair(keys: U8, counters: U32, id_wire: U8) -> tuple[U8, U8]:
    """(Kenc, Kmac) of messages from meters, each (n, 16).  ``counters`` (n,), ``id_wire`` (n, 4)."""
    _check_rows("keys", keys, BLOCK)
    blocks = np.full((len(keys), 2 * BLOCK), 0x07, dtype=np.uint8)
    for at, constant in ((0, DC_ENC_FROM_METER), (BLOCK, DC_MAC_FROM_METER)):
        blocks[:, at] = constant
        blocks[:, at + 1 : at + 5] = counters.astype("<u4").view(np.uint8).reshape(-1, 4)
        blocks[:, at + 5 : at + 9] = id_wire
    _compiled().derive_pair(keys, blocks, _fast())
    return blocks[:, :BLOCK], blocks[:, BLOCK:]


def _check_rows(what: str, rows: U8, size: int) -> None:
    """Compiled code would take whatever stands there, and beside it."""
    if rows.ndim != 2 or rows.shape[1] != size or rows.dtype != np.uint8:
        raise CannotEncode(f"{what} are rows of {size} bytes, not {rows.dtype} of shape {rows.shape}")


def _check(keys: U8, iv: U8 | None, blocks: U8) -> None:
    _check_rows("keys", keys, BLOCK)
    if iv is not None:
        _check_rows("IVs", iv, BLOCK)
        if len(iv) != len(keys):
            raise CannotEncode(f"{len(keys)} keys and {len(iv)} IVs")
    if blocks.dtype != np.uint8 or not blocks.flags.writeable:
        raise CannotEncode(f"blocks are bytes that are worked on in place, not {blocks.dtype} or read-only")
    if blocks.ndim != 2 or len(blocks) != len(keys) or blocks.shape[1] % BLOCK:
        raise CannotEncode(f"{len(keys)} keys need as many rows of whole blocks, not shape {blocks.shape}")


def _fast() -> bool:
    return engine() == "aes-ni"
