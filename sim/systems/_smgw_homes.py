"""The households of a world with smart meter gateways: each gateway's HAN on real sockets when somebody looks at it,
and the consumers who check their bills and their logs.

World time stands still while they look. A bill that the readings contradict, and values that leave under a use case
that the consumer has no contract for, are alarms of the consumer's ("bill", of a meter; "data", of who has it). A log
that is damaged is one too ("log"), and a gateway that does not answer or is another one ("display").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from sim.core.events import AlarmRaised
from sim.pki.sealed_content import ContentError
from sim.smart_metering.han.bill_check import DIFFERS, Compared
from sim.smart_metering.han.gateway_source import GatewaySource
from sim.smart_metering.han.han_client import HanClientError
from sim.smart_metering.han.home import Home
from sim.smart_metering.han.household import Household
from sim.smart_metering.han.known_dialects import DIALECTS
from sim.smgw.delivered_content import Value
from sim.smgw.logs.log_entries import LogEvent
from sim.smgw.module.in_world import draws
from sim.smgw.refusals import RuleError

if TYPE_CHECKING:
    from sim.systems._smgw_running import Smgw
    from sim.systems.port import Ground

DIALECT: Final = "emh"


class Bill(NamedTuple):
    """What a supplier wants of a consumer: registers and amounts."""

    owner: str
    values: tuple[Value, ...]


class Homes:
    """`bills`: those that came, and that nobody has looked at. `looks`: how often a consumer looked; `checked`: values
    of bills that were worked out again."""

    def __init__(self, system: Smgw, ground: Ground) -> None:
        self._system, self._ground = system, ground
        self._homes: dict[int, tuple[Home, GatewaySource]] = {}
        self.bills: list[Bill] = []
        self.paid: list[Bill] = []
        self.checked: list[Compared] = []
        self.looks = 0
        self._read_to: dict[str, int] = {}

    def at(self, gateway: int) -> Home:
        """A gateway's home network, showing what there is now."""
        made = self._homes.get(gateway)
        if made is None:
            box, ground = self._system.gateways[gateway], self._ground
            source = GatewaySource(box, lambda: ground.clock.now_ns)
            draw = draws(ground.seeds, f"{box.id} HAN", "draws")
            folder = ground.directory / "homes" / box.id
            home = Home(source, DIALECTS.find(DIALECT), box.owners(), folder, draw, ground.calendar.start)
            made = self._homes[gateway] = home, source
        made[1].refresh()
        return made[0]

    def household(self, home: Home, owner: str) -> Household:
        """A consumer of a gateway, whose display checks the gateway as [system] says."""
        trusted = home.certificate if self._system.settings.display_verifies else None
        user = home.users[owner]
        draw = draws(self._ground.seeds, f"{home.source.gateway} {user}", f"display's draws {self.looks}")
        return Household(owner, user, home.pins[user], home.source.gateway, home.source.certificate, trusted, draw)

    def look(self) -> None:
        """Every consumer looks at the bills that came and at the own log. Bills of whose gateway is off wait."""
        self.looks += 1
        waiting: list[Bill] = []
        for number, box in enumerate(self._system.gateways):
            if not box.up:
                waiting += [one for one in self.bills if one.owner in box.owners()]
                continue
            home = self.at(number)
            with home.serving() as port:
                for owner in box.owners():
                    household = self.household(home, owner)
                    bills = [one for one in self.bills if one.owner == owner]
                    try:
                        self._check(household, port, bills)
                        self._read(household, port)
                    except HanClientError as error:
                        self._alarm("display", owner, str(error))
                    except (ContentError, RuleError) as error:
                        self._alarm("log", owner, str(error))
        self.bills = waiting

    def _check(self, household: Household, port: int, bills: Iterable[Bill]) -> None:
        for bill in bills:
            found = household.check(port, bill.values)
            self.checked += found
            wrong = {one.billed.meter: one for one in found if one.outcome == DIFFERS}
            for meter, one in wrong.items():
                self._alarm("bill", meter, f"billed {one.billed.amount}, {one.why}")
            if not wrong:
                self.paid.append(bill)

    def _read(self, household: Household, port: int) -> None:
        own = household.log(port)
        for one in own.found:
            self._alarm("log", household.owner, str(one))
        agreed = self._system.settings.taf
        first = self._read_to.get(household.owner, 0)
        for row in own.rows:
            entry = row.entry
            foreign = entry.event is LogEvent.RULES_CHANGED and f"TAF {agreed} " not in entry.text
            if row.number > first and foreign:
                self._alarm("data", household.owner, f"row {row.number}: {entry.text}; agreed is TAF {agreed}")
        self._read_to[household.owner] = own.rows[-1].number if own.rows else first

    def _alarm(self, kind: str, subject: str, detail: str) -> None:
        self._ground.record(AlarmRaised(self._ground.clock.now_ns, kind, subject, detail))
