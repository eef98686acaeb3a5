"""What a lawful party of either system gets, without breaking anything: see attack.Can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from attacks.reach_base import Base
from sim.pki.party_certificates import Certificate
from sim.systems._smgw_grid import GRID_OPERATOR
from sim.systems._smgw_running import smgw
from sim.systems.port import Delivered, Passed


class Connection(NamedTuple):
    """`certificate`: under which the gateway signs, which is no secret; `meters`: numbers of the meters there."""

    certificate: Certificate
    meters: tuple[str, ...]


class Lawful(Base):
    """Is the receiver of values, and is whoever hands messages on."""

    def watch_passed(self, take: Callable[[Passed], None]) -> None:
        """Every message that is handed on from now on."""
        self._world.system.tap_passed(take)

    def values_received(self) -> Sequence[Delivered]:
        """All that its receiver has by now, of several the one that bills; of a portal its readings, under no tariff
        use case (0)."""
        return self._world.system.billable()

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
