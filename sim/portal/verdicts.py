"""What can become of a telegram, as numbers for arrays and as words: stored, a copy, or refused for one reason."""

from __future__ import annotations

from functools import cache
from typing import Final

from sim.portal import reasons
from sim.portal.check import FORGED, HARMLESS, STALE, Check, in_order

STORED: Final = 0
COPY: Final = 1


@cache
def _says() -> dict[str, str]:
    said = {reason: FORGED if reason in reasons.FORGED else HARMLESS for reason in reasons.OF_OPENING}
    said |= {reasons.LATE: HARMLESS, reasons.REPLAYED_LATE: STALE}
    for check in in_order():
        said |= check.reasons
    return said


@cache
def names() -> tuple[str, ...]:
    """Verdict -> reason; the first two, which are no refusals, are empty. Raises PartError."""
    return ("", "", *sorted(_says()))


@cache
def _places() -> dict[str, int]:
    return {reason: place for place, reason in enumerate(names()) if reason}


def number(reason: str) -> int:
    """A reason as a verdict."""
    return _places()[reason]


def alarming(reason: str) -> bool:
    """Does this refusal say that somebody replays or forges?"""
    return _says()[reason] != HARMLESS


def of_check(check: Check) -> tuple[int, ...]:
    """What a check's function returns -> verdict."""
    return (STORED, number(reasons.LATE), *map(number, check.reasons))
