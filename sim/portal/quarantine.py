"""Which telegrams of a take cannot be handled, found by halving: each is put aside alone, all others are judged.

Handling a telegram must not raise, whatever it holds; this is what happens when it does after all. Without it one such
telegram would come back in every take, with everybody else's in its bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Trial = Callable[[Sequence[Item]], str]
"""Handles these alone and undoes it; "" or what was raised."""


def culprits(items: Sequence[Item], trial: Trial[Item], raised: str) -> dict[Item, str]:
    """Those of these items, which raise together, that raise; with what. Of items that raise in company only, the later
    half. Takes 2 * log2(len(items)) trials for each."""
    if len(items) == 1:
        return {items[0]: raised}
    middle = len(items) // 2
    found: dict[Item, str] = {}
    for half in (items[:middle], items[middle:]):
        said = trial(half)
        if said:
            found |= culprits(half, trial, said)
    return found or dict.fromkeys(items[middle:], raised)


__all__ = ["culprits"]
