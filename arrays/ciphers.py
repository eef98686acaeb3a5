"""Ciphers for many telegrams at once, each with its own key: the vectorised twin of ``security``.

One telegram a row, uint8 arrays in, uint8 arrays out, byte for byte what ``security`` makes of each row; a test holds
that.  Three ways to the same bytes, the fastest that this machine has: the processor's AES instructions through
numba, numba with tables, numpy with tables (FIPS 197, the four-table form).  ``use`` chooses one by name.

Tables leak keys through the cache to a neighbour on the same machine.  This is a test bench; a portal that guards real
keys must use ``security``.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from types import ModuleType
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from arrays.aes_tables import I_TABLES, IS32, RCON, S32, T_TABLES
from wmbus.errors import CannotEncode
from wmbus.security import BLOCK, DC_ENC_FROM_METER, DC_MAC_FROM_METER

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
Engine = Literal["aes-ni", "numba", "numpy"]
ENGINES: Final[tuple[Engine, ...]] = ("aes-ni", "numba", "numpy")

_ROUNDS: Final = 10
_ROWS_AT_ONCE: Final = 2_048  # round keys of so many rows stay in the second-level cache


# --- which engine ---------------------------------------------------------------------------------------------

_chosen: Engine | None = None


@lru_cache(maxsize=1)
def _compiled() -> ModuleType | None:
    try:
        return importlib.import_module("arrays.ciphers_compiled")
    except ImportError:
        return None


@lru_cache(maxsize=1)
def engines() -> tuple[Engine, ...]:
    """Those this machine has, the fastest first."""
    compiled = _compiled()
    if compiled is None:
        return ("numpy",)
    return ENGINES if compiled.has_aes_instructions() else ENGINES[1:]


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
    if engine() == "numpy":
        for rows in _slices(len(keys)):
            _cbc(_expand(keys[rows]), None if iv is None else iv[rows], blocks[rows])
        return
    _numba().encrypt_cbc(keys, np.zeros((len(keys), BLOCK), np.uint8) if iv is None else iv, blocks, _fast())


def decrypt_cbc(keys: U8, iv: U8 | None, blocks: U8) -> None:
    """The inverse, in place."""
    _check(keys, iv, blocks)
    if engine() == "numpy":
        for rows in _slices(len(keys)):
            _cbc_back(_expand(keys[rows]), None if iv is None else iv[rows], blocks[rows])
        return
    _numba().decrypt_cbc(keys, np.zeros((len(keys), BLOCK), np.uint8) if iv is None else iv, blocks, _fast())


def cmac(keys: U8, messages: U8) -> U8:
    """AES-CMAC of one message a row, all of one length: (n, 16)."""
    _check_rows("keys", keys, BLOCK)
    if len(keys) != len(messages):
        raise CannotEncode(f"{len(keys)} keys for {len(messages)} messages")
    out = np.empty((len(keys), BLOCK), dtype=np.uint8)
    if engine() == "numpy":
        for rows in _slices(len(keys)):
            out[rows] = _cmac(_expand(keys[rows]), messages[rows])
        return out
    _numba().cmac(keys, messages, out, _fast())
    return out


def cmac_padded(keys: U8, padded: U8, size: int) -> U8:
    """`cmac` of messages of `size` bytes that stand in rows of whole blocks with room after them; the rows are used
    up. For whoever lays messages out anew anyway."""
    _check(keys, None, padded)
    if engine() == "numpy":
        return cmac(keys, padded[:, :size])
    macs: U8 = _numba().cmac_padded(keys, padded, size, _fast())
    return macs


def derive_pair(keys: U8, counters: U32, id_wire: U8) -> tuple[U8, U8]:
    """(Kenc, Kmac) of messages from meters, each (n, 16).  ``counters`` (n,), ``id_wire`` (n, 4)."""
    _check_rows("keys", keys, BLOCK)
    if engine() != "numpy":
        both_blocks = np.full((len(keys), 2 * BLOCK), 0x07, dtype=np.uint8)
        for at, constant in ((0, DC_ENC_FROM_METER), (BLOCK, DC_MAC_FROM_METER)):
            both_blocks[:, at] = constant
            both_blocks[:, at + 1 : at + 5] = counters.astype("<u4").view(np.uint8).reshape(-1, 4)
            both_blocks[:, at + 5 : at + 9] = id_wire
        _numba().derive_pair(keys, both_blocks, _fast())
        return both_blocks[:, :BLOCK], both_blocks[:, BLOCK:]
    block = np.full((len(keys), BLOCK), 0x07, dtype=np.uint8)
    block[:, 1:5] = counters.astype("<u4").view(np.uint8).reshape(-1, 4)
    block[:, 5:9] = id_wire
    both = []
    for constant in (DC_ENC_FROM_METER, DC_MAC_FROM_METER):
        block[:, 0] = constant
        both.append(cmac(keys, block))
    return both[0], both[1]


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


def _numba() -> Any:
    return _compiled()


def _fast() -> bool:
    return engine() == "aes-ni"


# --- numpy ----------------------------------------------------------------------------------------------------


def _slices(n: int) -> list[slice]:
    return [slice(low, low + _ROWS_AT_ONCE) for low in range(0, n, _ROWS_AT_ONCE)]


def _words(rows: U8) -> list[U32]:
    """Rows of bytes -> big endian words by column."""
    words = np.ascontiguousarray(rows).view(">u4").astype(np.uint32)
    return [np.ascontiguousarray(words[:, column]) for column in range(words.shape[1])]


def _bytes(words: list[U32], out: U8) -> None:
    for column, word in enumerate(words):
        out[:, 4 * column : 4 * column + 4] = word.astype(">u4").view(np.uint8).reshape(-1, 4)


def _expand(keys: U8) -> list[U32]:
    """44 round-key words, each an array over the rows."""
    words = _words(keys)
    for rcon in RCON:
        last = words[-1]
        turned = (
            S32[last >> 16 & 0xFF] << 24 | S32[last >> 8 & 0xFF] << 16 | S32[last & 0xFF] << 8 | S32[last >> 24]
        )
        words.append(words[-4] ^ turned ^ np.uint32(rcon << 24))
        for _ in range(3):
            words.append(words[-4] ^ words[-1])
    return words


def _block(keys: list[U32], state: list[U32]) -> list[U32]:
    """One AES block a row."""
    t0, t1, t2, t3 = T_TABLES
    a, b, c, d = (word ^ key for word, key in zip(state, keys, strict=False))
    for at in range(4, 4 * _ROUNDS, 4):
        a, b, c, d = (
            t0[a >> 24] ^ t1[b >> 16 & 0xFF] ^ t2[c >> 8 & 0xFF] ^ t3[d & 0xFF] ^ keys[at],
            t0[b >> 24] ^ t1[c >> 16 & 0xFF] ^ t2[d >> 8 & 0xFF] ^ t3[a & 0xFF] ^ keys[at + 1],
            t0[c >> 24] ^ t1[d >> 16 & 0xFF] ^ t2[a >> 8 & 0xFF] ^ t3[b & 0xFF] ^ keys[at + 2],
            t0[d >> 24] ^ t1[a >> 16 & 0xFF] ^ t2[b >> 8 & 0xFF] ^ t3[c & 0xFF] ^ keys[at + 3],
        )
    s = S32
    return [
        s[w >> 24] << 24 ^ s[x >> 16 & 0xFF] << 16 ^ s[y >> 8 & 0xFF] << 8 ^ s[z & 0xFF] ^ key
        for (w, x, y, z), key in zip(
            ((a, b, c, d), (b, c, d, a), (c, d, a, b), (d, a, b, c)), keys[4 * _ROUNDS :], strict=True
        )
    ]


def _cbc(keys: list[U32], iv: U8 | None, blocks: U8) -> None:
    chain = _words(iv) if iv is not None else [np.zeros(len(blocks), dtype=np.uint32)] * 4
    for at in range(0, blocks.shape[1], BLOCK):
        mixed = [a ^ b for a, b in zip(_words(blocks[:, at : at + BLOCK]), chain, strict=True)]
        chain = _block(keys, mixed)
        _bytes(chain, blocks[:, at : at + BLOCK])


def _cmac(keys: list[U32], messages: U8) -> U8:
    """NIST SP 800-38B: the last block is mixed with K1 when whole, padded and mixed with K2 when not."""
    n, size = messages.shape
    zero = [np.zeros(n, dtype=np.uint32)] * 4
    subkey = _shifted(_block(keys, zero))
    last = max(size - 1, 0) // BLOCK * BLOCK
    tail = messages[:, last:]
    if tail.shape[1] < BLOCK:
        padded = np.zeros((n, BLOCK), dtype=np.uint8)
        padded[:, : tail.shape[1]] = tail
        padded[:, tail.shape[1]] = 0x80
        tail, subkey = padded, _shifted(subkey)
    chain = zero
    for at in range(0, last, BLOCK):
        chain = _block(keys, [a ^ b for a, b in zip(_words(messages[:, at : at + BLOCK]), chain, strict=True)])
    chain = _block(keys, [a ^ b ^ c for a, b, c in zip(_words(tail), chain, subkey, strict=True)])
    out = np.empty((n, BLOCK), dtype=np.uint8)
    _bytes(chain, out)
    return out


def _shifted(words: list[U32]) -> list[U32]:
    """Doubling in GF(2**128)."""
    a, b, c, d = words
    one, top = np.uint32(1), np.uint32(31)
    return [a << one | b >> top, b << one | c >> top, c << one | d >> top, d << one ^ (a >> top) * np.uint32(0x87)]


# --- numpy, backwards -----------------------------------------------------------------------------------------

def _inverse_keys(keys: list[U32]) -> list[U32]:
    """Round keys of the equivalent inverse cipher (FIPS 197, 5.3.5), in the order they are used."""
    i0, i1, i2, i3 = I_TABLES
    out = []
    for round_number in range(_ROUNDS, -1, -1):
        for word in keys[4 * round_number : 4 * round_number + 4]:
            if 0 < round_number < _ROUNDS:
                word = (i0[S32[word >> 24]] ^ i1[S32[word >> 16 & 0xFF]] ^ i2[S32[word >> 8 & 0xFF]]
                        ^ i3[S32[word & 0xFF]])  # fmt: skip
            out.append(word)
    return out


def _block_back(keys: list[U32], state: list[U32]) -> list[U32]:
    i0, i1, i2, i3 = I_TABLES
    a, b, c, d = (word ^ key for word, key in zip(state, keys, strict=False))
    for at in range(4, 4 * _ROUNDS, 4):
        a, b, c, d = (
            i0[a >> 24] ^ i1[d >> 16 & 0xFF] ^ i2[c >> 8 & 0xFF] ^ i3[b & 0xFF] ^ keys[at],
            i0[b >> 24] ^ i1[a >> 16 & 0xFF] ^ i2[d >> 8 & 0xFF] ^ i3[c & 0xFF] ^ keys[at + 1],
            i0[c >> 24] ^ i1[b >> 16 & 0xFF] ^ i2[a >> 8 & 0xFF] ^ i3[d & 0xFF] ^ keys[at + 2],
            i0[d >> 24] ^ i1[c >> 16 & 0xFF] ^ i2[b >> 8 & 0xFF] ^ i3[a & 0xFF] ^ keys[at + 3],
        )
    s = IS32
    return [
        s[w >> 24] << 24 ^ s[x >> 16 & 0xFF] << 16 ^ s[y >> 8 & 0xFF] << 8 ^ s[z & 0xFF] ^ key
        for (w, x, y, z), key in zip(
            ((a, d, c, b), (b, a, d, c), (c, b, a, d), (d, c, b, a)), keys[4 * _ROUNDS :], strict=True
        )
    ]


def _cbc_back(keys: list[U32], iv: U8 | None, blocks: U8) -> None:
    back = _inverse_keys(keys)
    chain = _words(iv) if iv is not None else [np.zeros(len(blocks), dtype=np.uint32)] * 4
    for at in range(0, blocks.shape[1], BLOCK):
        sealed = _words(blocks[:, at : at + BLOCK])
        _bytes([a ^ b for a, b in zip(_block_back(back, sealed), chain, strict=True)], blocks[:, at : at + BLOCK])
        chain = sealed
