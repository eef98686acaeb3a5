"""Lockstep: at the end of a window, move real sockets until everything that can arrive has arrived.

One round: gateways publish and get their PUBACKs; a fence through the broker brings in everything it had accepted; the
portal takes it in one transaction, commits, and its acknowledgements travel back. Rounds go on while outboxes shrink.
A gateway that cannot get through (no power, or an attacker on its path whose server it refuses) is not waited for; what
it holds stays in its outbox. While the portal cannot get through (an outage of the broker, or its own), sockets move
for a moment, so that everybody finds out, and world time goes on.

Faults strike in here, because only here are messages under way: `strike(phase, action)` carries out an action once, at
the next moment in that phase at which bundles are under way. What is under way is what gateways hold and not what a
socket has sent: a birth whose PUBACK is late would let a busy machine choose the window. After a strike gateways go on
when the portal is subscribed again: a broker that was killed may have forgotten the subscription, and what it is given
before has a PUBACK and no receiver, so the faster socket would choose the window too.
"""

from __future__ import annotations

import contextlib
import inspect
from collections import deque
from collections.abc import Callable, Sequence

from sim.endpoint.port import Elsewhere, Endpoint, Message, NotConnected, Session
from sim.gateway.port import GatewayPort

DEADLINE_S = 60.0
ROUNDS_WITHOUT_PROGRESS = 3
OUTAGE_TURN_S = 0.05  # wall seconds that sockets move at the end of a window in an outage
COMMIT = "commit"
PHASES = ("publish", "deliver", COMMIT, "acknowledge")


class NotSettled(Exception):
    """Something that should have arrived did not; the message says what and where to look."""


class Lockstep:
    """`cut_off(gateway)`: do not wait for this one; `portal_cut_off()`: nor for the portal. `queued()`: what came for
    the portal by another way than its session. `gateways` may grow before the first `run`."""

    def __init__(
        self,
        endpoint: Endpoint,
        gateways: Sequence[GatewayPort],
        portal: Session,
        cut_off: Callable[[GatewayPort], bool],
        portal_cut_off: Callable[[], bool] = lambda: False,
        queued: Callable[[], Sequence[Message]] = tuple,
    ) -> None:
        self._endpoint = endpoint
        self._gateways = gateways
        self._portal = portal
        self._cut_off = cut_off
        self._portal_cut_off = portal_cut_off
        self._queued = queued
        self._strikes: deque[tuple[str, Callable[[], None]]] = deque()
        self.messages_taken = 0

    def strike(self, phase: str, action: Callable[[], None]) -> None:
        """Do `action` once, when this phase of a window's end comes next. Raises ValueError for an unknown phase."""
        if phase not in PHASES:
            raise ValueError(f"phase {phase!r} is not one of {', '.join(PHASES)}")
        self._strikes.append((phase, action))

    def run(self, now_ns: int, take: Callable[[list[Message]], list[Message]]) -> None:
        """Raises NotSettled when the broker does not come back, SaysNothing where that is not for us to mend."""
        idle_rounds = 0
        while True:
            before = self._held()
            self._turn("publish", now_ns, self._published, "gateways could not publish")
            if self._portal_cut_off():
                self._endpoint.settle(lambda: self._pump(now_ns), OUTAGE_TURN_S)
                return
            self._turn("deliver", now_ns, self._endpoint.fence(self._portal), "the portal's fence did not come back")
            messages = self._arrived()
            for message in take(messages) if messages else ():
                self._acknowledge(message)
            self._turn("acknowledge", now_ns, self._acknowledged, "")
            held = self._held()
            if not held and not self._portal.inbox:
                return
            idle_rounds = 0 if messages or held < before else idle_rounds + 1
            if idle_rounds >= ROUNDS_WITHOUT_PROGRESS:
                return

    def _turn(self, phase: str, now_ns: int, done: Callable[[], bool], complaint: str) -> None:
        """Turn the endpoint's event loop until done. Without a complaint, running out of time is no error: what was not
        acknowledged goes out again in the next round."""

        def check() -> bool:
            if self._portal.connected or self._portal_cut_off():
                self._pump(now_ns)
            if self._held():
                self._strike_in(phase)
            return done()

        if not self._endpoint.settle(check, DEADLINE_S if complaint else 5.0) and complaint:
            raise self._not_settled(complaint)

    def committed(self) -> None:
        """The portal has committed what it took and has not acknowledged it: who calls `take` says so."""
        self._strike_in(COMMIT)

    def _strike_in(self, phase: str) -> None:
        if self._strikes and self._strikes[0][0] == phase:
            self._strikes.popleft()[1]()

    def _pump(self, now_ns: int) -> bool:
        """Never done."""
        for gateway in self._gateways:
            gateway.pump(now_ns)
        return False

    def _awaited(self) -> list[GatewayPort]:
        return [g for g in self._gateways if g.up and not self._cut_off(g)]

    def _published(self) -> bool:
        """A gateway that holds something must have published it; one that holds nothing may be without a connection."""
        return all(g.session.unacknowledged <= 0 if g.session.connected else not g.waiting for g in self._awaited())

    def _acknowledged(self) -> bool:
        return bool(self._portal.inbox) or not self._held()

    def _held(self) -> int:
        return sum(len(g.waiting) for g in self._awaited())

    def _not_settled(self, what: str) -> Exception:
        complaint = f"{what} within {DEADLINE_S:.0f} s"
        unconnected = [g for g in self._awaited() if not g.session.connected]
        if isinstance(self._endpoint, Elsewhere):
            stuck = [*unconnected, *(g for g in self._awaited() if g.session.unacknowledged > 0)]
            session = stuck[0].session if stuck and self._portal.connected else self._portal
            if (found := self._endpoint.let_down(session, complaint)) is not None:
                return found
        waiting = f" (not connected: {', '.join(g.id for g in unconnected[:5])})" if unconnected else ""
        if self._endpoint.address is not None:
            return NotSettled(f"{complaint}{waiting}; see the broker's log")
        # In this process: there is no log, and its own settle gives up when nothing moves any more.
        kind = type(self._endpoint)
        where = f"endpoint '{kind.name}' ({inspect.getsourcefile(kind)})"
        way_out = "must hand on what it is given, by super().accept(sender, topic, payload); to lose it, with the topic"
        return NotSettled(
            f'{what}{waiting} and nothing moves any more at {where}: its accept(sender, topic, payload) {way_out} ""'
        )

    def _arrived(self) -> list[Message]:
        """In an order that depends on content alone, not on which socket was faster."""
        messages = sorted([*self._portal.inbox, *self._queued()], key=lambda m: (m.topic, len(m.payload), m.payload))
        self._portal.inbox.clear()
        self.messages_taken += len(messages)
        return messages

    def _acknowledge(self, message: Message) -> None:
        """Publish an acknowledgement. One that is lost with its connection comes again: the gateway sends the bundle
        again, and the portal acknowledges it again."""
        if self._endpoint.settle(lambda: self._portal.connected, DEADLINE_S):
            with contextlib.suppress(NotConnected):
                self._portal.publish(message.topic, message.payload)
