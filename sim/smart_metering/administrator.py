"""The administrator (GWA): gives gateways their rule sets and the time, and relays containers that it cannot read.

It has no key of any receiver. What it sees of a container stands in `relayed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Relayed(NamedTuple):
    """All that the administrator sees of a container; `payload` is sealed for the receiver."""

    time_ns: int
    gateway: str
    receiver: str
    payload: bytes


Hand = Callable[[str, bytes, int], bool]
"""(gateway, container, world time) -> the receiver has it."""


class Administrator:
    """`hands`: receiver -> how it takes a container. `reached`: False, and no gateway reaches it."""

    def __init__(self, hands: dict[str, Hand]) -> None:
        self._hands = hands
        self.reached = True
        self.relayed: list[Relayed] = []
        self.taps: list[Callable[[Relayed], None]] = []
        """Shown each container that passes."""
        self.changes: Callable[[bytes], bytes] = lambda payload: payload
        """What whoever runs it makes of a container that it hands on."""

    def relay(self, gateway: str, receiver: str, payload: bytes, now_ns: int) -> bool:
        """Hand a container on. False: it is not with its receiver."""
        if not self.reached:
            return False
        one = Relayed(now_ns, gateway, receiver, payload)
        self.relayed.append(one)
        for tap in self.taps:
            tap(one)
        hand = self._hands.get(receiver)
        return hand is not None and hand(gateway, self.changes(payload), now_ns)
