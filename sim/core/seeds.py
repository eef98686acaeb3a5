"""The only door to randomness. Counter-based: a draw is a pure function of what it is for.

The rule kept here: a number depends on (seed, purpose, a, b, c) and on nothing else, neither on how many were drawn
before nor on window, batch, shard, worker or machine. Meter m's fading at receiver r for its k-th frame is always the
same number.

The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC11; the
Random123 library), with key = the 64-bit run seed and counter = (purpose, a, b, c), each of 32 bits. `purpose` is a
32-bit hash of the purpose's name. One counter gives one block of four words; `u32` is word 0, `u64` words 0 and 1,
`bytes16` the whole block, so draw *different* things for *different* purposes.

Distributions are our own integer tables, so no library version changes them. The standard normal is Q16
(65 536 is one sigma), by the inverse of its distribution function, linear between knots: 1 024 knots for either half,
and 1 024 more inside the outermost one, out to 6.2 sigma.

Arrays broadcast as in numpy. The `one_*` functions are the same numbers by plain Python integers, faster for one draw.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import random
from functools import cache
from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arrays.philox import CONSTANTS, normal, normal_knots, philox

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

MASK_32: Final = CONSTANTS[4]
MAX_SEED: Final = (1 << 64) - 1


class SeedError(ValueError):
    """A seed or counter that does not fit; the message says which and what fits."""


def fresh_seed() -> int:
    """One that nobody can guess: for a world that is made to be logged in to, and not to be made again."""
    return int.from_bytes(os.urandom(8), "big")


_names: dict[int, str] = {}


@cache
def purpose_id(purpose: str) -> int:
    """The 32-bit counter word of a purpose. Two names that meet in one word are refused, never mixed."""
    number = int.from_bytes(hashlib.blake2b(purpose.encode(), digest_size=4).digest(), "little")
    taken = _names.setdefault(number, purpose)
    if taken != purpose:
        raise SeedError(f"purposes {taken!r} and {purpose!r} have the same number: rename one")
    return number


NORMAL_KNOTS: Final = np.array(normal_knots(), dtype=np.int64)
_KNOTS_LIST: Final[list[int]] = NORMAL_KNOTS.tolist()


@cache
def _draws() -> ModuleType:
    """The compiled loops, loaded when arrays are first drawn: commands that draw none need not wait for the
    compiler."""
    return importlib.import_module("arrays.draws")


def normal_of(words: U64) -> I64:
    """Standard normal in Q16 from 32-bit words, any shape."""
    flat = np.ascontiguousarray(words, dtype=np.uint64).reshape(-1)
    out = np.empty(flat.shape, dtype=np.int64)
    _draws().normals(flat, NORMAL_KNOTS, out)
    return out.reshape(np.shape(words))


def one_normal_of(word: int) -> int:
    """normal_of for one word."""
    return int(normal(word & 0x7FFFFFFF, word >> 31, _KNOTS_LIST))


# --- the draws -------------------------------------------------------------------------------------------------


def _words(value: ArrayLike, name: str) -> U64:
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

    def blocks(self, purpose: str, a: ArrayLike, b: ArrayLike = 0, c: ArrayLike = 0) -> U32:
        """All four words, shape (..., 4)."""
        wa, wb, wc = _words(a, "a"), _words(b, "b"), _words(c, "c")
        if not wb.ndim == wc.ndim == 0:
            wa, wb, wc = np.broadcast_arrays(wa, wb, wc)
        out = np.empty((wa.size, 4), dtype=np.uint32)
        flat = (np.ascontiguousarray(words).reshape(-1) for words in (wa, wb, wc))
        _draws().blocks(np.uint64(self.seed), np.uint64(purpose_id(purpose)), *flat, out)
        return out.reshape(*wa.shape, 4)

    def u32(self, purpose: str, a: ArrayLike, b: ArrayLike = 0, c: ArrayLike = 0) -> U32:
        """Uniform 32 bits."""
        return np.ascontiguousarray(self.blocks(purpose, a, b, c)[..., 0])

    def u64(self, purpose: str, a: ArrayLike, b: ArrayLike = 0, c: ArrayLike = 0) -> U64:
        """Uniform 64 bits."""
        words = self.blocks(purpose, a, b, c).astype(np.uint64)
        joined: U64 = words[..., 0] | (words[..., 1] << np.uint64(32))
        return joined

    def below(self, purpose: str, limit: ArrayLike, a: ArrayLike, b: ArrayLike = 0, c: ArrayLike = 0) -> I64:
        """Uniform in 0 .. limit-1, limit up to 2**32: the upper 64 bits of u64 x limit, so the probabilities of two
        values differ by less than one part in 2**32."""
        limits = np.asarray(limit)
        if limits.dtype.kind not in "iu" or int(limits.min()) < 1 or int(limits.max()) > 1 << 32:
            raise SeedError("a limit must be whole numbers from 1 to 2**32")
        wide = limits.astype(np.uint64)
        draw = self.u64(purpose, a, b, c)
        low = ((draw & np.uint64(MASK_32)) * wide) >> np.uint64(32)
        return (((draw >> np.uint64(32)) * wide + low) >> np.uint64(32)).astype(np.int64)

    def normal_q16(self, purpose: str, a: ArrayLike, b: ArrayLike = 0, c: ArrayLike = 0) -> I64:
        """Standard normal, Q16."""
        return normal_of(self.u32(purpose, a, b, c).astype(np.uint64))

    def bytes16(self, purpose: str, a: ArrayLike) -> NDArray[np.uint8]:
        """Sixteen bytes (a key) for each a: shape (n, 16)."""
        words = self.blocks(purpose, np.atleast_1d(np.asarray(a)))
        return np.ascontiguousarray(words.astype("<u4")).view(np.uint8).reshape(-1, 16)

    # --- one draw ----------------------------------------------------------------------------------------------

    def one_block(self, purpose: str, a: int, b: int = 0, c: int = 0) -> tuple[int, int, int, int]:
        """`blocks` for one counter, in plain Python. Raises SeedError."""
        for name, word in (("a", a), ("b", b), ("c", c)):
            if not 0 <= word <= MASK_32:
                raise SeedError(f"counter {name} must be whole numbers from 0 to {MASK_32}")
        return philox(self.seed & MASK_32, self.seed >> 32, purpose_id(purpose), int(a), int(b), int(c))

    def one_u32(self, purpose: str, a: int, b: int = 0, c: int = 0) -> int:
        """`u32` for one counter."""
        return self.one_block(purpose, a, b, c)[0]

    def one_u64(self, purpose: str, a: int, b: int = 0, c: int = 0) -> int:
        """`u64` for one counter."""
        block = self.one_block(purpose, a, b, c)
        return block[0] | block[1] << 32

    def one_below(self, purpose: str, limit: int, a: int, b: int = 0, c: int = 0) -> int:
        """`below` for one counter. Raises SeedError."""
        if not 1 <= limit <= 1 << 32:
            raise SeedError("a limit must be whole numbers from 1 to 2**32")
        return (self.one_u64(purpose, a, b, c) * limit) >> 64

    def one_normal_q16(self, purpose: str, a: int, b: int = 0, c: int = 0) -> int:
        """`normal_q16` for one counter."""
        return one_normal_of(self.one_u32(purpose, a, b, c))

    def one_bytes16(self, purpose: str, a: int) -> bytes:
        """`bytes16` for one counter."""
        return b"".join(word.to_bytes(4, "little") for word in self.one_block(purpose, a))


# --- a stream --------------------------------------------------------------------------------------------------

Dice = random.Random
"""A stream of draws, for what draws cases and is no world (bench.fuzz): how many were drawn before counts there."""


def dice(seed: int, *what: object) -> Dice:
    """The stream of a seed and a purpose: the same draws wherever it is asked for."""
    return Dice(" ".join(map(str, (seed, *what))))
