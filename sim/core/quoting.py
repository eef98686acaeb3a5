"""What a message repeats of what came from outside: shown, never raw, and never a key.

Files and columns get mixed up, so whatever a message quotes may be a key; and a terminal obeys some bytes.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 60  # characters
_LONG_HEX: Final = re.compile("[0-9A-Fa-f]{24,}")


def shown(text: str, ours: str = "") -> str:
    """The text on one line: what is no letter, and what a terminal obeys, as escapes (\\x1b, \\n, \\u202e). `ours`:
    letters that the program itself puts between words, such as tabs, which stand as they are."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in ours else ascii(one)[1:-1] for one in text)


def hidden(text: str) -> str:
    """The same, and long runs of hex digits counted instead of shown."""
    return _LONG_HEX.sub(lambda digits: f"({len(digits[0])} hex digits)", shown(text))


def last_line(data: bytes, most: int = 300) -> str:
    """Of what a program said."""
    lines = data.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
    return shown(lines[-1])[:most]


def quoted(value: object) -> str:
    """A value as a message quotes it: its repr, hidden, the beginning of it."""
    return _cut(hidden(repr(value)))


def named(text: str) -> str:
    """A name (a key of a file, a word) without quotation marks, hidden, the beginning of it."""
    return _cut(hidden(text))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
