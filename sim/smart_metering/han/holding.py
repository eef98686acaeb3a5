"""What a gateway shows on its HAN, as it is at one instant: plain values, so that a server's threads may read them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from sim.pki.party_certificates import Certificate
from sim.smart_metering.gateway_diary import SentPart
from sim.smart_metering.gateway_logs import SignedEnds
from sim.smgw.logs.hash_chain import Row
from sim.smgw.logs.log_entries import Level, LogEvent

WATT_HOURS, CUBIC_METRES, COUNT = 30, 13, 255
"""Units of COSEM (IEC 62056-6-2) that registers here have."""


class Captured(NamedTuple):
    """A reading on the raster: it stands for `at_s` (since 1970); `value` times ten to the meter's scaler; `status` is
    the gateway's word. `period` names the billing period of a meter that begins anew."""

    at_s: int
    value: int
    status: int
    period: str


@dataclass(frozen=True, slots=True)
class HeldMeter:
    """One register of one meter, its readings oldest first."""

    name: str
    owner: str
    obis: str
    scaler: int
    unit: int
    interval_s: float
    captured: tuple[Captured, ...]

    def amount(self, value: int) -> Decimal:
        """A captured value as bills have it: in kWh, m³ or units."""
        return Decimal(value).scaleb(self.scaler - (3 if self.unit == WATT_HOURS else 0)).normalize()


class HeldContract(NamedTuple):
    """Under which rules values of these meters leave for a receiver."""

    id: str
    owner: str
    receiver: str
    taf: int
    meters: tuple[str, ...]


class Component(NamedTuple):
    """A part of the firmware; `checksum`: SHA-256 of its source, in hex."""

    name: str
    version: str
    checksum: str


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What a technician sees. `logs`: rows in each log that is nobody's, and in all consumers' together."""

    gateway: str
    now_s: int
    boots: int
    meters: int
    waiting: int
    alarms: int
    firmware: tuple[Component, ...]
    logs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """All of it."""

    state: GatewayState
    meters: tuple[HeldMeter, ...]
    contracts: tuple[HeldContract, ...]


class HanSource(Protocol):
    """Where a HAN has it from. Called from a server's threads, one at a time."""

    gateway: str

    @property
    def certificate(self) -> Certificate:
        """Of the key that the gateway signs with."""

    def now_s(self) -> int:
        """The gateway's clock, since 1970."""

    def holding(self) -> Holding: ...

    def sent(self, owner: str) -> list[SentPart]: ...

    def log(self, owner: str) -> list[Row]: ...

    def ends(self) -> SignedEnds | None:
        """The logs' ends, signed as they are now."""

    def sign(self, message: bytes) -> bytes:
        """By the module's key SIG, DER."""

    def note(self, owner: str | None, level: Level, event: LogEvent, user: str, outcome: int, text: str) -> None:
        """Into that consumer's log; None: into the system log. A full log loses it."""
