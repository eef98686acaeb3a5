"""The only door to randomness. Counter-based: a draw is a pure function of what it is for.

The rule kept here: a number depends on (seed, purpose, a, b, c) and on nothing else, neither on how many were drawn
before nor on window, batch, shard, worker or machine. Meter m's fading at receiver r for its k-th frame is always the
same number.

The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC11; the
Random123 library), with key = the 64-bit run seed and counter = (purpose, a, b, c), each of 32 bits. `purpose` is a
32-bit hash of the purpose's name. One counter gives one block of four words; `u32` is word 0, `u64` words 0 and 1,
`bytes16` the whole block, so draw *different* things for *different* purposes.

Distributions are our own integer tables, so they change with nobody's library version. The standard normal is Q16
(65 536 is one sigma), by the inverse of its distribution function, linear between knots: 1 024 knots for either half,
and 1 024 more inside the outermost one, out to 6.2 sigma.

Arrays broadcast as in numpy. The `one_*` functions are the same numbers by plain Python integers, faster for one draw.
"""

from __future__ import annotations

import hashlib
import importlib
from functools import cache
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays import compiling

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

ROUNDS: Final = 10
MULTIPLIER_0: Final = 0xD2511F53
MULTIPLIER_1: Final = 0xCD9E8D57
WEYL_0: Final = 0x9E3779B9
WEYL_1: Final = 0xBB67AE85
MASK_32: Final = 0xFFFFFFFF
MAX_SEED: Final = (1 << 64) - 1
COMPILED_FROM: Final = 1 << 16  # draws at once
_CHUNK = 1 << 14  # draws worked on at once: all of Philox's state stays in the first-level cache

Q16: Final = 1 << 16  # one sigma


class SeedError(ValueError):
    """A seed or counter that does not fit; the message says which and what fits."""


_names: dict[int, str] = {}


@cache
def purpose_id(purpose: str) -> int:
    """The 32-bit counter word of a purpose. Two names that meet in one word are refused, never mixed."""
    number = int.from_bytes(hashlib.blake2b(purpose.encode(), digest_size=4).digest(), "little")
    taken = _names.setdefault(number, purpose)
    if taken != purpose:
        raise SeedError(f"purposes {taken!r} and {purpose!r} have the same number: rename one")
    return number


def philox(key: int, c0: int, c1: int, c2: int, c3: int) -> tuple[int, int, int, int]:
    """One block of Philox4x32-10."""
    k0, k1 = key & MASK_32, key >> 32
    for _ in range(ROUNDS):
        p0 = MULTIPLIER_0 * c0
        p1 = MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK_32, (p0 >> 32) ^ c3 ^ k1, p0 & MASK_32
        k0 = (k0 + WEYL_0) & MASK_32
        k1 = (k1 + WEYL_1) & MASK_32
    return c0, c1, c2, c3


def philox_blocks(key: int, c0: U64, c1: U64, c2: U64, c3: U64) -> tuple[U64, U64, U64, U64]:
    """Blocks for equal-shaped uint64 arrays of counter words."""
    m0, m1 = np.uint64(MULTIPLIER_0), np.uint64(MULTIPLIER_1)
    mask, half = np.uint64(MASK_32), np.uint64(32)
    k0, k1 = key & MASK_32, key >> 32
    for _ in range(ROUNDS):
        p0 = c0 * m0
        p1 = c2 * m1
        c0 = (p1 >> half) ^ c1 ^ np.uint64(k0)
        c2 = (p0 >> half) ^ c3 ^ np.uint64(k1)
        c1 = p1 & mask
        c3 = p0 & mask
        k0 = (k0 + WEYL_0) & MASK_32
        k1 = (k1 + WEYL_1) & MASK_32
    return c0, c1, c2, c3


# --- the standard normal ---------------------------------------------------------------------------------------
#
# Bit 31 of a word is the sign. The other 31 bits v are the upper tail: q = v / 2**32, so z = -inv_cdf(q) >= 0.
# The upper ten bits choose the interval and the lower 21 the place in it. Interval 0 holds the tail beyond
# 3.3 sigma, where a straight line would be wrong: there the same is done once more with the lower 21 bits.

_BITS = 10
_FINE = 31 - _BITS  # 21 bits inside a coarse interval
_FINER = _FINE - _BITS  # 11 bits inside a fine interval


def _knots() -> I64:
    """2 x 1 025 knots: coarse at v = i << 21, then fine at v = i << 11."""
    inverse = NormalDist().inv_cdf
    values = []
    for shift in (_FINE, _FINER):
        for i in range((1 << _BITS) + 1):
            tail = max(i << shift, 0.5) / (1 << 32)
            values.append(round(-inverse(tail) * Q16))
    return np.array(values, dtype=np.int64)


NORMAL_KNOTS: Final = _knots()
_KNOTS_LIST: Final[list[int]] = NORMAL_KNOTS.tolist()
_TAIL = (1 << _BITS) + 1  # where the fine knots begin


def normal_of(words: U64) -> I64:
    """Standard normal in Q16 from 32-bit words."""
    v = (words & np.uint64(0x7FFFFFFF)).astype(np.int64)
    tail = v < (1 << _FINE)
    index = np.where(tail, _TAIL + (v >> _FINER), v >> _FINE)
    low = NORMAL_KNOTS[index]
    step = NORMAL_KNOTS[index + 1] - low
    place = np.where(tail, (v & ((1 << _FINER) - 1)) << _BITS, v & ((1 << _FINE) - 1))
    z = low + ((step * place) >> _FINE)
    signed: I64 = np.where(words >> np.uint64(31) != 0, -z, z)
    return signed


def one_normal_of(word: int) -> int:
    """normal_of for one word."""
    v = word & 0x7FFFFFFF
    if v < (1 << _FINE):
        index, place = _TAIL + (v >> _FINER), (v & ((1 << _FINER) - 1)) << _BITS
    else:
        index, place = v >> _FINE, v & ((1 << _FINE) - 1)
    low = _KNOTS_LIST[index]
    z = low + (((_KNOTS_LIST[index + 1] - low) * place) >> _FINE)
    return -z if word >> 31 else z


# --- compiled --------------------------------------------------------------------------------------------------


@cache
def _numba() -> Any:
    """The compiled twin of this module, None without numba."""
    try:
        return importlib.import_module("arrays.philox")
    except ImportError:
        return None


def _compiled(draws: int) -> Any:
    """It, for whoever draws so many at once that it is worth loading."""
    return None if draws < COMPILED_FROM or compiling.by_numpy() else _numba()


# --- the draws -------------------------------------------------------------------------------------------------


def _words(value: Any, name: str) -> U64:
    array = np.asarray(value)
    if array.size and (array.dtype.kind not in "iu" or int(array.min()) < 0 or int(array.max()) > MASK_32):
        raise SeedError(f"counter {name} must be whole numbers from 0 to {MASK_32}")
    return array.astype(np.uint64)


class Seeds:
    """All draws of one run. `seed`: 0 to 2**64 - 1."""

    __slots__ = ("seed",)

    def __init__(self, seed: int) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise SeedError(f"a seed is a whole number, not {seed!r}")
        if not 0 <= seed <= MAX_SEED:
            raise SeedError(f"seed {seed} is not between 0 and {MAX_SEED}")
        self.seed = seed

    def child(self, name: str) -> Seeds:
        """Seeds of their own for a part that must not share draws with the rest."""
        return Seeds(self.one_u64(f"child {name}", 0))

    # --- arrays ------------------------------------------------------------------------------------------------

    def blocks(self, purpose: str, a: Any, b: Any = 0, c: Any = 0) -> U32:
        """All four words, shape (..., 4)."""
        wa, wb, wc = _words(a, "a"), _words(b, "b"), _words(c, "c")
        number = np.uint64(purpose_id(purpose))
        compiled = _compiled(wa.size)
        if compiled is not None and wb.ndim == wc.ndim == 0:
            out = np.empty((wa.size, 4), dtype=np.uint32)
            compiled.blocks(np.uint64(self.seed), number, np.ascontiguousarray(wa).reshape(-1), wb[()], wc[()], out)
            return out.reshape(*wa.shape, 4)
        wa, wb, wc = np.broadcast_arrays(wa, wb, wc)
        out = np.empty((wa.size, 4), dtype=np.uint32)
        flat = [np.ascontiguousarray(w).reshape(-1) for w in (wa, wb, wc)]
        for low in range(0, wa.size, _CHUNK):
            x, y, z = (w[low : low + _CHUNK] for w in flat)
            for column, word in enumerate(philox_blocks(self.seed, np.full(x.shape, number), x, y, z)):
                out[low : low + _CHUNK, column] = word
        return out.reshape(*wa.shape, 4)

    def u32(self, purpose: str, a: Any, b: Any = 0, c: Any = 0) -> U32:
        """Uniform 32 bits."""
        return np.ascontiguousarray(self.blocks(purpose, a, b, c)[..., 0])

    def u64(self, purpose: str, a: Any, b: Any = 0, c: Any = 0) -> U64:
        """Uniform 64 bits."""
        words = self.blocks(purpose, a, b, c).astype(np.uint64)
        joined: U64 = words[..., 0] | (words[..., 1] << np.uint64(32))
        return joined

    def below(self, purpose: str, limit: Any, a: Any, b: Any = 0, c: Any = 0) -> I64:
        """Uniform in 0 .. limit-1, limit up to 2**32: the upper 64 bits of u64 x limit, so the probabilities of two
        values differ by less than one part in 2**32."""
        limits = np.asarray(limit)
        if limits.dtype.kind not in "iu" or int(limits.min()) < 1 or int(limits.max()) > 1 << 32:
            raise SeedError("a limit must be whole numbers from 1 to 2**32")
        wide = limits.astype(np.uint64)
        draw = self.u64(purpose, a, b, c)
        low = ((draw & np.uint64(MASK_32)) * wide) >> np.uint64(32)
        return (((draw >> np.uint64(32)) * wide + low) >> np.uint64(32)).astype(np.int64)

    def normal_q16(self, purpose: str, a: Any, b: Any = 0, c: Any = 0) -> I64:
        """Standard normal, Q16."""
        words = self.u32(purpose, a, b, c)
        compiled = _compiled(words.size)
        if compiled is None:
            return normal_of(words.astype(np.uint64))
        out = np.empty(words.shape, dtype=np.int64)
        compiled.normals(words.reshape(-1), NORMAL_KNOTS, out.reshape(-1))
        return out

    def bytes16(self, purpose: str, a: Any) -> NDArray[np.uint8]:
        """Sixteen bytes (a key) for each a: shape (n, 16)."""
        words = self.blocks(purpose, np.atleast_1d(np.asarray(a)))
        return np.ascontiguousarray(words.astype("<u4")).view(np.uint8).reshape(-1, 16)

    # --- one draw ----------------------------------------------------------------------------------------------

    def one_block(self, purpose: str, a: int, b: int = 0, c: int = 0) -> tuple[int, int, int, int]:
        for name, word in (("a", a), ("b", b), ("c", c)):
            if not 0 <= word <= MASK_32:
                raise SeedError(f"counter {name} must be whole numbers from 0 to {MASK_32}")
        return philox(self.seed, purpose_id(purpose), int(a), int(b), int(c))

    def one_u32(self, purpose: str, a: int, b: int = 0, c: int = 0) -> int:
        return self.one_block(purpose, a, b, c)[0]

    def one_u64(self, purpose: str, a: int, b: int = 0, c: int = 0) -> int:
        block = self.one_block(purpose, a, b, c)
        return block[0] | block[1] << 32

    def one_below(self, purpose: str, limit: int, a: int, b: int = 0, c: int = 0) -> int:
        if not 1 <= limit <= 1 << 32:
            raise SeedError("a limit must be whole numbers from 1 to 2**32")
        return (self.one_u64(purpose, a, b, c) * limit) >> 64

    def one_normal_q16(self, purpose: str, a: int, b: int = 0, c: int = 0) -> int:
        return one_normal_of(self.one_u32(purpose, a, b, c))

    def one_bytes16(self, purpose: str, a: int) -> bytes:
        return b"".join(word.to_bytes(4, "little") for word in self.one_block(purpose, a))
