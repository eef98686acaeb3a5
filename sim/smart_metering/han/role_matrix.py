"""Who may see what on the HAN and at the WAN's servers: the matrix, as data, and the one place where it is asked.

From the BSI's brochure (2.3): a consumer reads the own data and no others'; a service technician reads the system's
state, no readings and no consumer's data; configuration comes from the administrator over the WAN and from nowhere
else. Everything that a dialect shows is asked for here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from sim.smart_metering.gateway_diary import SentPart
from sim.smart_metering.gateway_logs import SignedEnds
from sim.smart_metering.han.han_accounts import Account
from sim.smart_metering.han.holding import GatewayState, HanSource, HeldContract, HeldMeter
from sim.smgw.logs.hash_chain import Row

FOREVER_S: Final = 1 << 40


class Role(StrEnum):
    CONSUMER = "consumer"
    TECHNICIAN = "technician"


class Thing(StrEnum):
    METERS = "meters"
    READINGS = "readings"
    CONTRACTS = "contracts and tariff registers"
    SENT = "what was sent to whom"
    CONSUMER_LOG = "consumer log"
    STATE = "state of the gateway"
    SYSTEM_LOG = "system log"
    CALIBRATION_LOG = "calibration log"
    RULES = "change a rule set"


class Sees(StrEnum):
    OWN = "own"
    ALL = "all"
    NOTHING = "nothing"


MATRIX: Final[Mapping[Role, Mapping[Thing, Sees]]] = {
    Role.CONSUMER: {
        Thing.METERS: Sees.OWN, Thing.READINGS: Sees.OWN, Thing.CONTRACTS: Sees.OWN, Thing.SENT: Sees.OWN,
        Thing.CONSUMER_LOG: Sees.OWN, Thing.STATE: Sees.ALL, Thing.SYSTEM_LOG: Sees.NOTHING,
        Thing.CALIBRATION_LOG: Sees.NOTHING, Thing.RULES: Sees.NOTHING,
    },
    Role.TECHNICIAN: {
        Thing.METERS: Sees.NOTHING, Thing.READINGS: Sees.NOTHING, Thing.CONTRACTS: Sees.NOTHING,
        Thing.SENT: Sees.NOTHING, Thing.CONSUMER_LOG: Sees.NOTHING, Thing.STATE: Sees.ALL,
        Thing.SYSTEM_LOG: Sees.NOTHING, Thing.CALIBRATION_LOG: Sees.NOTHING, Thing.RULES: Sees.NOTHING,
    },
}  # fmt: skip
"""No log but a consumer's own is shown on the HAN: the administrator's are on the gateway's disk, and the state counts
their rows."""

WAN_MATRIX: Final[Mapping[str, Mapping[str, int]]] = {
    "the gateway itself": {"its clock": 200, "its rules": 200, "another's rules": 403, "hand a container in": 403},
    "another gateway": {"its clock": 403, "its rules": 403, "another's rules": 200, "hand a container in": 403},
    "participant": {"its clock": 403, "its rules": 403, "another's rules": 403, "hand a container in": 403},
    "administrator": {"its clock": 403, "its rules": 403, "another's rules": 403, "hand a container in": 204},
}
"""Party -> what it asks for -> the answer's status, at the administrator's server and at a participant's. "its": of the
gateway gw-0001. Readings can be asked for nowhere on the WAN: there is no such object."""


class Denied(Exception):
    """The role does not see that, or it is another consumer's. It says nothing of whether it exists."""

    def __init__(self, role: str, thing: Thing) -> None:
        super().__init__(f"a {role} does not see that: {thing}")
        self.thing = thing


class HanAccess:
    """What one account sees. All of them raise Denied."""

    def __init__(self, source: HanSource, account: Account) -> None:
        self._source = source
        self.account = account

    def state(self) -> GatewayState:
        self._sees(Thing.STATE)
        return self._source.holding().state

    def meters(self) -> list[HeldMeter]:
        self._sees(Thing.METERS)
        return [one for one in self._source.holding().meters if self._is_own(one.owner)]

    def readings(self, meter: str, from_s: int = 0, until_s: int = FOREVER_S) -> list[HeldMeter]:
        """A meter's registers, with the readings from one instant up to and with another."""
        self._sees(Thing.READINGS)
        found = [one for one in self.meters() if one.name == meter]
        if not found:
            raise Denied(self.account.role, Thing.READINGS)
        return [
            replace(one, captured=tuple(each for each in one.captured if from_s <= each.at_s <= until_s))
            for one in found
        ]

    def contracts(self) -> list[HeldContract]:
        self._sees(Thing.CONTRACTS)
        return [one for one in self._source.holding().contracts if self._is_own(one.owner)]

    def sent(self) -> list[SentPart]:
        self._sees(Thing.SENT)
        return self._source.sent(self.account.owner)

    def log(self) -> list[Row]:
        self._sees(Thing.CONSUMER_LOG)
        return self._source.log(self.account.owner)

    def ends(self) -> SignedEnds | None:
        self._sees(Thing.CONSUMER_LOG)
        return self._source.ends()

    def _sees(self, thing: Thing) -> None:
        if MATRIX[Role(self.account.role)][thing] is Sees.NOTHING:
            raise Denied(self.account.role, thing)

    def _is_own(self, owner: str) -> bool:
        return owner == self.account.owner
