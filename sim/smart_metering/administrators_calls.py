"""The administrator's calls in a world: signed datagrams that wake gateways, and the WAN on which they are.

Nothing is ever answered, so the administrator repeats a call, each time with another nonce, until the gateway has
called back: REPEATS times, REPEAT_S apart. Both are this model's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sim.core.clock import NS_PER_S, Calendar, Clock, Steps
from sim.pki.slot_keys import SlotKey, verifies
from sim.smgw.wake_up import NONCE_BYTES, encode

if TYPE_CHECKING:
    from sim.pki.party_certificates import PrivateKey
    from sim.smart_metering.smart_gateway import SmartGateway

REPEATS: Final = 3
REPEAT_S: Final = 5

Path = Callable[[int, bytes], bool]
"""(gateway, datagram) -> it goes on."""


class Calls:
    """`key`: the administrator's SIG; `draw`: nonces. `gateways` may be filled later."""

    def __init__(
        self, gateways: Sequence[SmartGateway], key: PrivateKey, draw: Callable[[int], bytes],
        clock: Clock, calendar: Calendar,
    ) -> None:
        self._gateways, self._key, self._draw = gateways, SlotKey.of(key), draw
        self._clock, self._calendar = clock, calendar
        self.path: Path = lambda gateway, datagram: True
        """Who sits on the way: False, and it is held back."""
        self.taps: list[Callable[[int, bytes], None]] = []
        """Shown (gateway, datagram) of each that is sent to a gateway, by whomever."""
        self.woken: Callable[[int], None] = lambda gateway: None
        """What a gateway does that was woken: it calls."""
        self.sent = 0

    def verify(self, body: bytes, signature: bytes) -> bool:
        """See wake_up.Verify."""
        return verifies(self._key.public, body, signature)

    def every(self, interval_ns: int) -> Steps:
        """A process that wakes every gateway at this interval."""
        clock = self._clock
        while True:
            yield clock.timeout(interval_ns - REPEATS * REPEAT_S * NS_PER_S)
            waiting = list(range(len(self._gateways)))
            for _ in range(REPEATS):
                waiting = [one for one in waiting if not self.call(one)]
                yield clock.timeout(REPEAT_S * NS_PER_S)

    def call(self, gateway: int) -> bool:
        """One datagram to a gateway. True: it came, and the gateway calls."""
        self.sent += 1
        box, now_ns = self._gateways[gateway], self._clock.now_ns
        at_s = int(self._calendar.at(now_ns).timestamp())
        datagram = encode(box.id, at_s, self._draw(NONCE_BYTES), self._key.sign)
        return self.path(gateway, datagram) and self.arrive(gateway, datagram)

    def arrive(self, gateway: int, datagram: bytes) -> bool:
        """A datagram at a gateway's port, from any sender."""
        for tap in self.taps:
            tap(gateway, datagram)
        if not self._gateways[gateway].wake(datagram, self._clock.now_ns):
            return False
        self.woken(gateway)
        return True
