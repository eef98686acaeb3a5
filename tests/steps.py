"""How much work a call is, counted instead of timed: a machine that is busy counts the same.

`steps` counts Python lines, for loops; `calls` counts calls of Python and C functions, which is cheaper.
Work inside one C call is one step: `Sliced` bytes count what is copied out of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, SupportsIndex


def steps(work: Callable[[], object]) -> int:
    """Lines of Python that `work()` executes, its callees' included."""
    count = 0

    def line(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def calls(work: Callable[[], object]) -> int:
    """Functions that `work()` calls, in Python and in C."""
    count = 0

    def called(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


class Sliced(bytes):
    """Bytes that count in `copied` what slices copy out of them, and slices out of these."""

    copied = 0
    whole: Sliced | None = None

    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        part = super().__getitem__(key)
        if not isinstance(part, bytes):
            return part
        whole = self if self.whole is None else self.whole
        whole.copied += len(part)
        found = Sliced(part)
        found.whole = whole
        return found
