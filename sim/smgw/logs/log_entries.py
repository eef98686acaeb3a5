"""What a row of a log says. Fields are those of a device's published interface (Theben IF_GW_CON 1.4); of the events
only 16001, values sent to a participant, is published there, the other numbers are this model's.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

SYSTEM: Final = "system"
CALIBRATION: Final = "calibration"
_CONSUMER: Final = "consumer "


def consumer(owner: str) -> str:
    """The name of a consumer's own log."""
    return _CONSUMER + owner


def owner_of(log: str) -> str | None:
    """Whose log it is; None for the two that are nobody's."""
    return log.removeprefix(_CONSUMER) if log.startswith(_CONSUMER) else None


class Level(IntEnum):
    """How much it matters; 1 is the least (four levels, as devices have)."""

    INFORMATION = 1
    WARNING = 2
    ERROR = 3
    FATAL = 4


class LogEvent(IntEnum):
    """What happened. 16001 is published; the others are numbers of this model."""

    VALUES_SENT = 16_001
    HANDED_OVER = 60_001
    RULES_CHANGED = 60_002
    LOGIN = 60_010
    LOGIN_FAILED = 60_011
    LOCKED = 60_012
    LOGOUT = 60_013
    POWER_ON = 60_020
    METER_ALARM = 60_021
    CLOCK_OFF = 60_022
    DISTURBED = 60_026
    FIRMWARE = 60_027
    CHAIN_BROKEN = 60_023
    LOG_FULL = 60_024
    ROLLED = 60_025
    CHANNEL = 60_030
    SELF_TEST = 60_040


class Entry(NamedTuple):
    """`at_s`: by the gateway's clock, since 1970. `subject`: meter, receiver or rule it is about; `user`: who did it;
    `outcome`: 0 where it went well. `content`: SHA-256 of what was sent, in hex, where something was."""

    at_s: int
    level: Level
    event: LogEvent
    subject: str
    user: str
    outcome: int
    text: str
    content: str = ""
