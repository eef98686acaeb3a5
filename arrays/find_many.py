"""Where any of many byte strings begins in a block of bytes: a filter of 2^23 bits over the next eight bytes, then
those among the sorted first eight bytes of all strings. What passes is a candidate and no more; the caller compares
the whole string.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from arrays.splitmix import GOLDEN

U8 = NDArray[np.uint8]
U64 = NDArray[np.uint64]

HEAD_BYTES: Final = 8
"""Strings are at least as long."""
_FILTER_BYTES: Final = 1 << 20
_SHIFT, _BYTE, _THREE, _SEVEN = np.uint64(41), np.uint64(8), np.uint64(3), np.uint64(7)
_BIT: Final[U8] = (1 << np.arange(8)).astype(np.uint8)


def heads_of(strings: list[bytes]) -> U64:
    """The first eight bytes of each as a number, big-endian, sorted, each once."""
    return np.unique(np.frombuffer(b"".join(one[:HEAD_BYTES] for one in strings), dtype=">u8").astype(np.uint64))


def filter_of(heads: U64) -> U8:
    """The filter in which the bits of these heads are set."""
    out: U8 = np.zeros(_FILTER_BYTES, dtype=np.uint8)
    place = heads * GOLDEN >> _SHIFT
    np.bitwise_or.at(out, (place >> _THREE).astype(np.int64), _BIT[(place & _SEVEN).astype(np.int64)])
    return out


@njit(cache=True, error_model="numpy")
def candidates(block: Any, heads: Any, bits: Any) -> Any:
    """Where in `block` (uint8) one of the strings with these `heads` may begin."""
    out = np.empty(64, dtype=np.int64)
    count, word = 0, np.uint64(0)
    for end in range(len(block)):
        word = (word << _BYTE) | np.uint64(block[end])
        place = (word * GOLDEN) >> _SHIFT
        if end < HEAD_BYTES - 1 or not bits[place >> _THREE] & _BIT[place & _SEVEN]:
            continue
        at = np.searchsorted(heads, word)
        if at < len(heads) and heads[at] == word:
            if count == len(out):
                out = np.concatenate((out, np.empty(count, dtype=np.int64)))
            out[count] = end - (HEAD_BYTES - 1)
            count += 1
    return out[:count]
