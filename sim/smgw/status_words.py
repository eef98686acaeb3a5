"""Status words of gateway and meter, and what they mean for billing.

The gateway's word is one of 32 bits as the public bill checker TRuDI reads it (trudi-public,
StatusFNN, MIT/Apache-2.0). TR-03109-1 could not be opened: a bit is a named constant of this model, no requirement.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from functools import lru_cache
from typing import Final


class Gateway(IntFlag):
    """Bits of the gateway's word."""

    MARK = 0x2
    """Always set."""
    TRANSPARENCY = 0x4
    """Not for billing."""
    FATAL = 0x100
    TIME_INVALID = 0x200
    WARNING = 0x1000
    TEMPORARY = 0x2000
    """A value that may be substituted."""
    INVALID = 0x4000
    THRESHOLD = 0x10000
    """Sent because a threshold was crossed."""


class Meter(IntFlag):
    """Bits of the meter's word that matter here."""

    MAGNET = 0x200
    COVER = 0x400
    FATAL = 0x20000


class Ptb(IntEnum):
    """The status that decides. 3 and 4 are never billed."""

    GOOD = 0
    WARNING = 1
    TEMPORARY = 2
    INVALID = 3
    FATAL = 4


BILLED_UP_TO: Final = Ptb.TEMPORARY


@lru_cache(maxsize=1_024)  # flags are slow to compare, and few words are seen
def ptb(gateway: int, meter: int = 0) -> Ptb:
    """The worst that either word says."""
    if gateway & Gateway.FATAL or meter & Meter.FATAL:
        return Ptb.FATAL
    if gateway & (Gateway.TIME_INVALID | Gateway.INVALID):
        return Ptb.INVALID
    if gateway & Gateway.TEMPORARY:
        return Ptb.TEMPORARY
    return Ptb.WARNING if gateway & Gateway.WARNING or meter & (Meter.MAGNET | Meter.COVER) else Ptb.GOOD
