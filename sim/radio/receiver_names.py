"""The names of receiver profiles, for who needs no more than those: a profile itself is arrays, and a gateway's own
program starts in half the time without any (see receiver_profile)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

DEFAULT: Final = "transceiver-datasheet"


def names() -> Iterable[str]:
    """Those there are. Raises SpecError."""
    from sim.radio.receiver_profile import profiles

    return profiles()
