"""SplitMix64's finaliser (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).

The one writing of it, in plain operators: an array of numpy's in, an array out. Compiled code takes the same source,
`njit(inline="always")(splitmix.mixed)`. This module imports no compiler.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]

GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
"""What SplitMix64 adds from one number to the next: 2**64 divided by the golden ratio, made odd."""
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_27, _30, _31 = np.uint64(27), np.uint64(30), np.uint64(31)


def mixed(word: U64) -> U64:
    """A bijection of 64-bit words whose bits all depend on all bits."""
    word = (word ^ (word >> _30)) * _A
    word = (word ^ (word >> _27)) * _B
    return word ^ (word >> _31)
