"""What a plan pays for, one class a kind of price, each with the day its prices were read and where.

The rule kept here: a kind says what it costs a year for a given traffic, exactly (Decimal), or None where a price is
missing; nothing is assumed in its place. A year has 365 days; what is billed by the month is billed 12 times, but AWS's
figures are for 30 days, as its own examples are. Sources of the shipped plans: see scenarios/plans.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from sim.core.settings import number
from sim.endpoint.aws.bill import DAYS_A_MONTH, Meter, Prices, bill, units

DAYS_A_YEAR: Final = 365
MONTHS_A_YEAR: Final = 12


class Traffic(NamedTuple):
    """What the costs depend on. `messages_a_day`, `bytes_a_day`: of one gateway, upstream; bytes as the carrier counts
    them. `payload_bytes`, `topic_bytes`: of one message."""

    years: int
    meters: int
    gateways: int
    messages_a_day: Decimal
    payload_bytes: int
    topic_bytes: int
    connects_a_day: Decimal
    bytes_a_day: Decimal


class Cost(NamedTuple):
    """`a_year`: None where a price is missing. `note`: what decided it."""

    a_year: Decimal | None
    note: str


def exact(price: float) -> Decimal:
    """A number as its file wrote it."""
    return Decimal(str(price))


def price(default: float | None = None) -> Any:
    """A key for money; left out, it is missing and its line is marked."""
    return number(default, low=0.0, high=1e9)


@dataclass(frozen=True, slots=True)
class AwsIotCore:
    """Prices a million, in the plan's currency. A message goes in and, unless `basic_ingest`, out to the portal, whose
    PUBACK counts too. Tiers above 1 000 million messages a month are not applied."""

    dated: date
    source: str
    region: str
    messages: float | None = price()
    connection_minutes: float | None = price()
    rules: float | None = price()
    actions: float | None = price()
    basic_ingest: bool = False
    kind: Literal["aws-iot-core"] = "aws-iot-core"

    def month(self, traffic: Traffic) -> Meter:
        """What is counted in 30 days."""
        of_all = traffic.gateways * DAYS_A_MONTH
        sent, size = int(traffic.messages_a_day * of_all), units(traffic.topic_bytes, traffic.payload_bytes)
        connected_s, connects = float(of_all * 86_400), int(traffic.connects_a_day * of_all)
        if self.basic_ingest:
            return Meter(connects, connected_s, rules=sent * size, actions=sent * size)
        return Meter(connects + sent * (2 * size + 1), connected_s)

    def cost(self, traffic: Traffic) -> Cost:
        size = units(traffic.topic_bytes, traffic.payload_bytes)
        note = (
            f"{size} unit{'s' * (size > 1)} of 5120 bytes a message of {traffic.payload_bytes} + {traffic.topic_bytes}"
        )
        needed = (self.messages, self.connection_minutes) + ((self.rules, self.actions) if self.basic_ingest else ())
        if None in needed:
            return Cost(None, note)
        told = [exact(one or 0.0) for one in (self.messages, self.connection_minutes, 0.0, self.rules, self.actions)]
        month = bill(self.month(traffic), Prices(self.region, str(self.dated), *told)).total
        return Cost(month * DAYS_A_YEAR / DAYS_A_MONTH, note)


@dataclass(frozen=True, slots=True)
class Servers:
    """Broker and portal on machines of one's own, rented by the month; `hours_a_month` is the work on them."""

    dated: date
    source: str
    count: int = number(1, low=1, high=10_000)
    price_a_month: float | None = price()
    hours_a_month: float = number(0.0, low=0.0, high=1e6)
    price_an_hour: float | None = price()
    kind: Literal["servers"] = "servers"

    def cost(self, traffic: Traffic) -> Cost:
        note = f"{self.count} machine{'s' * (self.count > 1)}, {self.hours_a_month:g} h of work a month"
        if self.price_a_month is None or (self.hours_a_month and self.price_an_hour is None):
            return Cost(None, note)
        month = self.count * exact(self.price_a_month) + exact(self.hours_a_month) * exact(self.price_an_hour or 0.0)
        return Cost(month * MONTHS_A_YEAR, note)


@dataclass(frozen=True, slots=True)
class SimPrepaid:
    """A card with so much data for so many years; when either is used up, another package is bought."""

    dated: date
    source: str
    mb: float = number(500.0, low=0.001, high=1e9)
    valid_years: float = number(10.0, low=0.01, high=100.0)
    price_a_package: float | None = price()
    price_a_card: float | None = price()
    kind: Literal["sim-prepaid"] = "sim-prepaid"

    def lasts_days(self, traffic: Traffic) -> Decimal:
        """How long a package's data lasts a gateway."""
        return exact(self.mb) * 1_000_000 / traffic.bytes_a_day

    def cost(self, traffic: Traffic) -> Cost:
        days = self.lasts_days(traffic)
        packages = math.ceil(traffic.years / min(days / DAYS_A_YEAR, exact(self.valid_years)))
        note = f"{packages} package{'s' * (packages > 1)} a gateway in {traffic.years} years; data for {days:.0f} days"
        if self.price_a_package is None or self.price_a_card is None:
            return Cost(None, note)
        once = packages * exact(self.price_a_package) + exact(self.price_a_card)
        return Cost(traffic.gateways * once / traffic.years, note)


@dataclass(frozen=True, slots=True)
class SimMonthly:
    """A card with a monthly price and one a megabyte (of 10^6 bytes)."""

    dated: date
    source: str
    price_a_month: float | None = price()
    price_a_mb: float | None = price()
    price_a_card: float | None = price()
    kind: Literal["sim-monthly"] = "sim-monthly"

    def cost(self, traffic: Traffic) -> Cost:
        mb = traffic.bytes_a_day * DAYS_A_YEAR / 1_000_000
        note = f"{mb:.1f} MB a gateway and year"
        if self.price_a_month is None or self.price_a_mb is None or self.price_a_card is None:
            return Cost(None, note)
        card = exact(self.price_a_card) / traffic.years
        return Cost(
            traffic.gateways * (exact(self.price_a_month) * MONTHS_A_YEAR + mb * exact(self.price_a_mb) + card), note
        )


@dataclass(frozen=True, slots=True)
class Bought:
    """Paid once for each gateway, or each meter, and again when it is worn out: hardware, mounting, a visit."""

    what: str
    dated: date
    source: str
    price_each: float | None = price()
    each: Literal["gateway", "meter"] = "gateway"
    lasts_years: float = number(10.0, low=0.01, high=100.0)
    kind: Literal["bought"] = "bought"

    def cost(self, traffic: Traffic) -> Cost:
        count = traffic.gateways if self.each == "gateway" else traffic.meters
        times = math.ceil(traffic.years / exact(self.lasts_years))
        note = f"{self.what}: {count}, {times} time{'s' * (times > 1)} in {traffic.years} years"
        if self.price_each is None:
            return Cost(None, note)
        return Cost(count * times * exact(self.price_each) / traffic.years, note)


@dataclass(frozen=True, slots=True)
class Power:
    """Mains for each gateway."""

    dated: date
    source: str
    watts: float = number(3.0, low=0.0, high=1_000.0)
    price_a_kwh: float | None = price()
    kind: Literal["power"] = "power"

    def cost(self, traffic: Traffic) -> Cost:
        kwh = exact(self.watts) * 24 * DAYS_A_YEAR / 1_000
        note = f"{kwh:.1f} kWh a gateway and year"
        return Cost(None if self.price_a_kwh is None else traffic.gateways * kwh * exact(self.price_a_kwh), note)


def kinds() -> Mapping[str, type[Any]]:
    """Kind -> its class."""
    every: tuple[Any, ...] = (AwsIotCore, Servers, SimPrepaid, SimMonthly, Bought, Power)
    return {one.__dataclass_fields__["kind"].default: one for one in every}
