"""What a gateway says of itself to the registry of devices that runs it, as the `reported` part of its device shadow.

    firmware, boot      what runs on it, and since which power-on
    meters              how many different meters it heard since then: a count, and no address
    last_heard_ns       when it last heard one, by its own clock; not there before the first
    backlog             bundles that the portal has not acknowledged; quarantined: bundles that the broker does not take

It is said with each birth, with what the portal acknowledges, and with each bundle that is closed while an earlier one
waits: so one update a bundle where all is well, and a backlog shows while the portal is away. Nothing of a telegram
but its address is looked at.
"""

from __future__ import annotations

import json
from typing import Final

TOPIC: Final = "$aws/things/{gateway}/shadow/update"
_ADDRESS: Final = slice(2, 10)  # manufacturer, identification, version, type (EN 13757-4); no key is needed for it
_METERS_MOST: Final = 100_000  # whoever invents addresses on the air is not to fill the memory


class StateReport:
    """Of one power-on."""

    def __init__(self, firmware: str, boot: str) -> None:
        self.due = False
        self._firmware, self._boot = firmware, boot
        self._meters: set[bytes] = set()
        self._last_heard_ns: int | None = None

    def heard(self, telegram: bytes, received_ns: int) -> None:
        self._last_heard_ns = received_ns
        if len(self._meters) < _METERS_MOST:
            self._meters.add(telegram[_ADDRESS])

    def said(self, *, backlog: int, quarantined: int) -> bytes:
        """The update; it is due no more."""
        self.due = False
        reported: dict[str, int | str] = {
            "firmware": self._firmware, "boot": self._boot, "meters": len(self._meters), "backlog": backlog,
            "quarantined": quarantined,
        }  # fmt: skip
        if self._last_heard_ns is not None:
            reported["last_heard_ns"] = self._last_heard_ns
        return json.dumps({"state": {"reported": reported}}, separators=(",", ":")).encode()
