"""Who may say that what is compiled now is not to be kept on the disk.

wmbus/jit.py asks each of them before it keeps anything; it knows nothing of the world, so the world leaves its question
here, also where numba is not installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

ask: Final[dict[str, Callable[[], bool]]] = {}


def allowed() -> bool:
    """May compiled code be kept?"""
    return all(question() for question in ask.values())
