"""What a run would have cost on AWS IoT Core, by a dated table of prices. Pure.

Counted as AWS counts (planning figures of its price page, us-east-1, transcribed from several copies dated to mid 2026;
other regions cost more, and tiers above 1 000 million messages cost less and are not applied): a message is metered in
units of 5 KB of topic and payload; CONNECT, SUBSCRIBE, PUBLISH in, PUBLISH out and a device's PUBACK are messages;
PINGREQ, CONNACK, SUBACK, AWS's own PUBACK and DISCONNECT are not. Basic Ingest has no message, only a rule and its
actions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from sim.endpoint.aws.shadows import request_of
from sim.endpoint.aws.topics import ingested
from sim.endpoint.port import FENCE

UNIT_BYTES: Final = 5_120
_MARKERS: Final = FENCE.partition("{")[0]
DAYS_A_MONTH: Final = 30


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars a million."""

    region: str
    dated: str
    messages: Decimal
    connection_minutes: Decimal
    shadow_operations: Decimal
    rules: Decimal
    actions: Decimal


US_EAST_1: Final = Prices(
    "us-east-1", "2026-06", Decimal("1.00"), Decimal("0.08"), Decimal("1.25"), Decimal("0.15"), Decimal("0.15")
)


def units(topic_bytes: int, payload_bytes: int) -> int:
    """Of one message; at least one."""
    return max(1, math.ceil((topic_bytes + payload_bytes) / UNIT_BYTES))


@dataclass(slots=True)
class Meter:
    """What is billed, as counts. `connected_s`: the sum over all connections."""

    messages: int = 0
    connected_s: float = 0.0
    shadow_operations: int = 0
    rules: int = 0
    actions: int = 0

    def published(self, topic: str, payload_bytes: int) -> None:
        """By a client. A request to a shadow is an operation of the shadow's; Basic Ingest is billed with the rule that
        it reaches; the bench's own markers are left out."""
        if topic.startswith(_MARKERS) or ingested(topic) is not None:
            return
        size = units(len(topic.encode()), payload_bytes)
        if request_of(topic):
            self.shadow_operations += size
        else:
            self.messages += size

    def __add__(self, other: Meter) -> Meter:
        return Meter(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def connection_minutes(self) -> Decimal:
        return Decimal(str(self.connected_s)) / 60


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars, exact; `lines` and `total` are rounded to the cent where they are printed."""

    messages: Decimal
    connection: Decimal
    shadows: Decimal
    rules: Decimal
    actions: Decimal

    @property
    def total(self) -> Decimal:
        return self.messages + self.connection + self.shadows + self.rules + self.actions


def bill(meter: Meter, prices: Prices = US_EAST_1) -> Bill:
    """The cost of what was counted."""
    million = Decimal(1_000_000)
    return Bill(
        meter.messages * prices.messages / million,
        meter.connection_minutes * prices.connection_minutes / million,
        meter.shadow_operations * prices.shadow_operations / million,
        meter.rules * prices.rules / million,
        meter.actions * prices.actions / million,
    )


def cents(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))
