"""The administrator (GWA): gives gateways their rule sets and the time, and relays containers that it cannot read.

It has no key of any receiver. What it sees of a container stands in `relayed`. Gateways come to it in sessions: what is
looked at when one begins (the gateway's certificate, its chain, the revocation lists) is not looked at again until it
ends, after 48 hours at the latest (BSI TR-03116-3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from sim.core.clock import NS_PER_HOUR
from sim.core.events import Event, SessionRefused
from sim.pki.sm_chain import ChainError

SESSION_MOST_NS: Final = 48 * NS_PER_HOUR


class Relayed(NamedTuple):
    """All that the administrator sees of a container; `payload` is sealed for the receiver."""

    time_ns: int
    gateway: str
    receiver: str
    payload: bytes


class Alarm(NamedTuple):
    """`noticed_ns`: when the gateway noticed it; `told_ns`: when he heard of it."""

    told_ns: int
    gateway: str
    what: str
    noticed_ns: int


Hand = Callable[[str, bytes, int], bool]
"""(gateway, container, world time) -> the receiver has it."""
Admit = Callable[[str, int], None]
"""(gateway, world time): raises ChainError where its certificate does not hold."""


class Administrator:
    """`hands`: receiver -> how it takes a container. `reached`: False, and no gateway reaches it."""

    def __init__(
        self, hands: dict[str, Hand], admit: Admit, record: Callable[[Event], None],
        session_most_ns: int = SESSION_MOST_NS,
    ) -> None:  # fmt: skip
        self._hands, self._admit, self._record = hands, admit, record
        self._session_most_ns = session_most_ns
        self._opened_ns: dict[str, int] = {}
        self._refused: dict[str, str] = {}
        self.reached = True
        self.relayed: list[Relayed] = []
        self.taps: list[Callable[[Relayed], None]] = []
        """Shown each container that passes."""
        self.alarms: list[Alarm] = []
        """What gateways' housings noticed, as he was told."""
        self.changes: Callable[[bytes], bytes] = lambda payload: payload
        """What its operator makes of a container that it hands on."""

    def reach(self, receiver: str, hand: Hand) -> None:
        """A receiver takes containers this way from now on."""
        self._hands[receiver] = hand

    def relay(self, gateway: str, receiver: str, payload: bytes, now_ns: int) -> bool:
        """Hand a container on. False: it is not with its receiver."""
        if not self._session(gateway, now_ns):
            return False
        one = Relayed(now_ns, gateway, receiver, payload)
        self.relayed.append(one)
        for tap in self.taps:
            tap(one)
        hand = self._hands.get(receiver)
        return hand is not None and hand(gateway, self.changes(payload), now_ns)

    def end_session(self, gateway: str) -> None:
        """It hung up: at the next one its certificate is looked at again."""
        self._opened_ns.pop(gateway, None)

    def session_since(self, gateway: str, now_ns: int) -> int | None:
        """World time at which the session began that is open or opens now; None where there is none."""
        return self._opened_ns.get(gateway) if self._session(gateway, now_ns) else None

    def _session(self, gateway: str, now_ns: int) -> bool:
        """One that is open, or that opens now."""
        if not self.reached:
            self._opened_ns.clear()
            return False
        opened_ns = self._opened_ns.get(gateway)
        if opened_ns is not None and now_ns - opened_ns < self._session_most_ns:
            return True
        self._opened_ns.pop(gateway, None)
        try:
            self._admit(gateway, now_ns)
        except ChainError as error:
            if self._refused.get(gateway) != error.clause:
                self._refused[gateway] = error.clause
                self._record(SessionRefused(now_ns, gateway, error.clause))
            return False
        self._refused.pop(gateway, None)
        self._opened_ns[gateway] = now_ns
        return True
