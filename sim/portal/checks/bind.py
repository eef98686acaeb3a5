"""It came through a gateway that the installer heard this meter with: stops the wormhole (L12).

State: the registry's. A meter that was bound to no gateway is bound to none: refusing shows the omission.
"""

from __future__ import annotations

from typing import Any, Final

from sim.portal.check import HARMLESS, PASSED, Check, Meter, Names, Nothing, Sight

FOREIGN_GATEWAY: Final = "foreign gateway"
_FOREIGN: Final = 2


def verdict(sight: Sight, meter: Meter, past: Nothing, ring: Any, limits: Nothing) -> int:
    return PASSED if sight.expected else _FOREIGN


def took(sight: Sight, meter: Meter, past: Nothing, ring: Any, limits: Nothing) -> Nothing:
    return past


def detail(why: int, sight: Sight, meter: Meter, past: Nothing, limits: Nothing, names: Names) -> str:
    return f"heard by {names.gateway}, not one of {', '.join(names.bound)}"


# Harmless: a neighbour's gateway hears through walls every day.
CHECK = Check("bind", 10, {FOREIGN_GATEWAY: HARMLESS}, verdict, took, detail, portal_only=True)
