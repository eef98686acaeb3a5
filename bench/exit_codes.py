"""The exit codes of every verb: 0 and 1 as pytest has them, and what pytest has none for."""

from __future__ import annotations

from typing import Final

FAILED_EXIT: Final = 1
USAGE_EXIT: Final = 2
INCONCLUSIVE_EXIT: Final = 6
INTERRUPTED_EXIT: Final = 130
