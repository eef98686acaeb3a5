"""Who may say that what is compiled now is not to be kept on the disk.

arrays/jit.py asks each of them before it keeps anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

ask: Final[dict[str, Callable[[], bool]]] = {}


def allowed() -> bool:
    """May compiled code be kept?"""
    return all(question() for question in ask.values())
