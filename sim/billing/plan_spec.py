"""A plan as a file: what is sent, and every price in it. One TOML a plan; see scenarios/plans.

plan = load(Path("scenarios/plans/flats-377.toml"))
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sim.billing.costs import Traffic, exact, kinds
from sim.core.settings import build, number, one_of, read_toml


@dataclass(frozen=True, slots=True)
class TrafficSpec:
    """`telegrams_a_day`: of each meter, that a gateway passes on; fewer than it hears where it thins. `telegram_bytes`:
    in a bundle. `packet_bytes`: what TCP, TLS and IP add to a message, `handshake_bytes` to a connection, as the
    carrier counts them."""

    telegrams_a_day: float = number(96.0, low=0.001, high=86_400.0)
    telegram_bytes: int = number(84, low=10, high=1_000)
    bundle_s: float = number(900.0, low=1.0, high=604_800.0)
    bundle_bytes: int = number(131_072, low=100, high=16_777_216)
    frame_bytes: int = number(0, low=0, high=10_000)
    topic_bytes: int = number(30, low=1, high=256)
    packet_bytes: int = number(0, low=0, high=10_000)
    connects_a_day: float = number(0.0, low=0.0, high=86_400.0)
    handshake_bytes: int = number(0, low=0, high=100_000)


@dataclass(frozen=True, slots=True)
class Plan:
    """`on`: the day of the plan, from which the age of a price counts. `currency`: of all prices in the file."""

    title: str
    on: date
    cost: tuple[Any, ...] = one_of(kinds, required=True)
    meters: int = number(1, low=1, high=100_000_000)
    gateways: int = number(1, low=1, high=10_000_000)
    years: int = number(10, low=1, high=50)
    currency: str = "USD"
    old_after_days: int = number(366, low=1, high=10_000)
    traffic: TrafficSpec = TrafficSpec()

    def sent(self) -> Traffic:
        """What one gateway sends, on average: telegrams of an equal share of the meters, in bundles that go when they
        are `bundle_s` old or full."""
        told = self.traffic
        telegrams = exact(told.telegrams_a_day) * self.meters / self.gateways
        goes = min(Decimal(86_400) / exact(told.bundle_s), telegrams)  # no bundle without a telegram
        body = telegrams / goes * told.telegram_bytes
        room = max(told.bundle_bytes - told.frame_bytes, told.telegram_bytes)
        pieces = math.ceil(body / room)
        payload = math.ceil(body / pieces) + told.frame_bytes
        messages = goes * pieces
        connects = exact(told.connects_a_day)
        extra = messages * (told.topic_bytes + told.packet_bytes + told.frame_bytes) + connects * told.handshake_bytes
        return Traffic(
            self.years, self.meters, self.gateways, messages, payload, told.topic_bytes, connects,
            telegrams * told.telegram_bytes + extra,
        )  # fmt: skip


def load(path: Path) -> Plan:
    """Raises SpecError."""
    table, place = read_toml(path)
    if "on" not in table:
        raise place.error("on", "is missing: the day of the plan, as in on = 2026-11-27; a price's age counts from it")
    return build(Plan, table, place)
