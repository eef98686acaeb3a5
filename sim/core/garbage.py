"""What stands until the end is left out of Python's looking for garbage, by however many parts of a program at once.

Rows by the ten thousand come and go and make no cycles; to look through all that stands as often as Python does by
itself would take a sixth of a run."""

from __future__ import annotations

import gc
from typing import Final

AFTER: Final = 20_000  # objects made and not freed

_before: Final[list[tuple[int, int, int]]] = []
"""The thresholds that each who leaves something out goes back to when it is the last: of the first, those it found."""


def leave_out() -> None:
    """Whatever is there now, until `look_again`; while others leave out what was there before them, nothing more.
    (`gc.get_freeze_count` would say so too, and counts object by object.)"""
    _before.append(_before[0] if _before else gc.get_threshold())
    if len(_before) == 1:
        gc.freeze()
        gc.set_threshold(AFTER, *_before[0][1:])


def look_again() -> None:
    """`gc.unfreeze` takes back all at once: the last of them does, in whatever order they end."""
    before = _before.pop()
    if not _before:
        gc.set_threshold(*before)
        gc.unfreeze()
