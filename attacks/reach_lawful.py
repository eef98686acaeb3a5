"""What a lawful party of either system gets, without breaking anything: see attack.Can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from attacks.reach_base import Base
from sim.core.bundle import BadBundle, Bundle
from sim.core.clock import NS_PER_S
from sim.endpoint.port import Message
from sim.pki.party_certificates import Certificate
from sim.systems._smgw_grid import GRID_OPERATOR
from sim.systems._smgw_running import smgw
from sim.systems.keyless import Keyless
from sim.systems.port import Delivered
from sim.systems.smgw import SUPPLIER


class Passed(NamedTuple):
    """A message that was handed on: by the broker to the portal, or by the administrator to a receiver."""

    time_ns: int
    gateway: str
    payload: bytes


class Connection(NamedTuple):
    """`certificate`: under which the gateway signs, which is no secret; `meters`: numbers of the meters there."""

    certificate: Certificate
    meters: tuple[str, ...]


class Lawful(Base):
    """Is the receiver of values, and is whoever hands messages on."""

    def watch_passed(self, take: Callable[[Passed], None]) -> None:
        """Every message that is handed on from now on."""
        system = self._world.system
        if not isinstance(system, Keyless):
            smgw(system).administrator.taps.append(lambda one: take(Passed(one.time_ns, one.gateway, one.payload)))
            return

        def tap(messages: Sequence[Message], now_ns: int) -> None:
            for one in messages:
                try:
                    take(Passed(now_ns, Bundle.decode(one.payload).gateway, one.payload))
                except BadBundle:
                    continue

        system.message_taps.append(tap)

    def values_received(self) -> Sequence[Delivered]:
        """All that its receiver has by now, of several the one that bills; of a portal its readings, under no tariff
        use case (0)."""
        system = self._world.system
        if not isinstance(system, Keyless):
            return [one for one in system.delivered() if one.receiver == SUPPLIER]
        epoch_s = int(self._world.calendar.start.timestamp())
        return [
            Delivered(
                "portal", "", row.meter, 0, "", 0, None, epoch_s + row.received_ns // NS_PER_S, Decimal(row.units)
            )
            for row in system.stored.readings()
            if row.units is not None
        ]

    def grid_values(self) -> Sequence[Delivered]:
        """All that a grid operator has by now."""
        return [one for one in self._world.system.delivered() if one.receiver == GRID_OPERATOR]

    def grid_containers(self) -> Sequence[Passed]:
        """Every container that came to it, with the name under which it knows the sender."""
        arrived = smgw(self._world.system).grid.arrived
        return [Passed(one.time_ns, one.gateway, one.payload) for one in arrived]

    def connections(self) -> Mapping[str, Connection]:
        """Gateway -> what a grid operator has in its books of who is connected to its grid."""
        system = smgw(self._world.system)
        return {
            box.id: Connection(system.signers[box.id], tuple(box.wired.meters) if box.wired else ())
            for box in system.gateways
        }
