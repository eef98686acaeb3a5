"""Whole numbers as bytes from outside write them: ASCII digits, and no more of them than are asked for.

`str.isdecimal` takes the digits of every script, and `int` raises for a text of more than some thousand digits.
"""

from __future__ import annotations


def whole_of(text: str, most: int = 10**18 - 1) -> int | None:
    """The number, from 0 to `most`; None for whatever else."""
    if not (text.isascii() and text.isdecimal()):
        return None
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) <= len(str(most)) and int(digits) <= most else None
