"""The door most callers use: take a telegram apart, unlock it, read it, build one.

parse    frame -> Telegram, every layer that is readable without a key
unlock   Telegram + key -> Unlocked, with every leniency a named switch
read     frame + key -> Reading with records
build    address, records, key -> frame;  length says how long without building;  seal takes any layers
"""

from __future__ import annotations

from wmbus.dissect import Telegram, parse
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.link import Address
from wmbus.reading import Reading, interpret, read
from wmbus.receiver import Unlocked, unlock
from wmbus.sender import begins_2f2f, build, length, seal

__all__ = [
    "Address",
    "BadTelegram",
    "CannotEncode",
    "Reading",
    "Reason",
    "Telegram",
    "Unlocked",
    "begins_2f2f",
    "build",
    "interpret",
    "length",
    "parse",
    "read",
    "seal",
    "unlock",
]
