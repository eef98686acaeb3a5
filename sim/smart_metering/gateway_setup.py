"""What a smart meter gateway in a world is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sim.core.clock import Calendar
from sim.core.events import Event
from sim.core.quoting import named
from sim.pki.party_certificates import Certificate
from sim.portal.portal_spec import PortalSpec
from sim.smart_metering.grid_values import GridTerms
from sim.smart_metering.other_values import OtherValues
from sim.smgw.module.port import SecurityModule
from sim.smgw.refusals import RuleError
from sim.smgw.wake_up import WakeUps


@dataclass(frozen=True, slots=True)
class Contract:
    """Under which tariff use case a receiver gets values of this gateway's meters, and how often. `grid`: a contract
    about the grid (TAF 9 or 10), under which nothing is billed, has these terms too; `sender`: the name under which the
    receiver knows the gateway, where that is another than its own."""

    receiver: str
    taf: int
    ends_s: Callable[[int, int], list[int]]
    """Period ends in (from, until], seconds since 1970, UTC."""
    certificate: Certificate
    grid: GridTerms | None = None
    sender: str = ""


@dataclass(frozen=True, slots=True)
class GatewaySetup:
    """What a gateway is made of. `flag_clock`: values that a wrong clock stamped are marked. `counter_saved_s`: how
    often counters go to the memory that outlasts a power cut. `seals`: values are sealed and signed; without it they
    leave in clear, which is the weakness. `error_register`: what no zone rules wholly stands in the register 63;
    without it the dearer zone has it, which is one too."""

    directory: Path
    calendar: Calendar
    record: Callable[[Event], None]
    portal: PortalSpec
    module: SecurityModule
    contracts: tuple[Contract, ...]
    counter_saved_s: float
    flag_clock: bool
    seals: bool
    wake_ups: WakeUps
    others: OtherValues
    error_register: bool = True

    def obeying(self, receiver: str, taf: int) -> GatewaySetup:
        """The same with a rule set of another use case for what this receiver bills. Raises RuleError (receiver): there
        is no such contract; one about the grid is no way to a bill's values."""
        if not any(one.receiver == receiver and one.grid is None for one in self.contracts):
            raise RuleError("receiver", f"{named(receiver)} has no contract here under which anything is billed")
        changed = tuple(
            replace(one, taf=taf) if one.receiver == receiver and one.grid is None else one for one in self.contracts
        )
        return replace(self, contracts=changed)
