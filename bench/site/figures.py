"""What a plan's gateways carry and cost in one world, as plain numbers, so that each can have an interval.

    load_erlang              of the busiest place
    messages_a_s             of all gateways
    wire_bytes_a_s           of all gateways, with all headers, both ways
    busiest_bytes_a_day      the same of the gateway that sends most
    backlog_bytes            what that one holds after an outage of its backhaul
    recovers_s               and how long it then takes
    a_meter_and_year         what all of it costs
    a_meter_and_year_needed  with as many gateways as that world needs, in the places that it would take

Infinite: it never recovers, or no number of gateways reaches the service. A cost is told where prices are given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.site import site_prices, upstream
from bench.site.service import Traffic
from bench.site.upstream import Upstream
from sim.billing.plan_cost import small
from sim.billing.plan_spec import Plan
from sim.network.backhaul import Backhaul

F64 = NDArray[np.floating[Any]]
WORDS: Final[Mapping[str, tuple[str, str, float]]] = {
    "load_erlang": ("busiest gateway, erlang", ".5f", 1.0),
    "messages_a_s": ("upstream, messages/s", ",.3f", 1.0),
    "wire_bytes_a_s": ("upstream, bytes/s", ",.0f", 1.0),
    "busiest_bytes_a_day": ("busiest gateway, MB/day", ",.2f", 1e6),
    "backlog_bytes": ("held after the outage, MB", ",.1f", 1e6),
    "recovers_s": ("then caught up in, s", ",.0f", 1.0),
    "a_meter_and_year": ("cost a meter and year", "", 1.0),
    "a_meter_and_year_needed": ("the same, as many as needed", "", 1.0),
}
"""Name -> (words for people, how to print it, divided by); without a form it is money."""


class Carried(NamedTuple):
    """What no world changes. `outage_s`: of the backhaul. `prices` None: nothing is told of costs."""

    traffic: Traffic
    telegram_bytes: float
    backhaul: Backhaul
    outage_s: float
    meters: int
    prices: Plan | None

    def each(self, arrive: F64, chosen: Sequence[int]) -> list[Upstream]:
        """What each of some places sends. `arrive`: (meters, candidates), the chance of one frame."""
        return [upstream.of_gateway(arrive[:, at], self.traffic, self.telegram_bytes, self.backhaul) for at in chosen]

    def cost(self, each: Sequence[Upstream]) -> float:
        """A meter and year."""
        assert self.prices is not None
        return float(site_prices.costs(self.prices, self.meters, each, self.backhaul).a_meter_and_year)


def of_world(
    of: Carried, chosen: Sequence[int], arrive: F64, load_erlang: float, needed: Sequence[int] | None
) -> dict[str, float]:
    """By name, as in WORDS. `needed`: the places that would be needed; None: all are too few."""
    each = of.each(arrive, chosen)
    busiest = max(each, key=lambda one: one.wire_bytes)
    late = upstream.after(busiest, of.outage_s, of.backhaul)
    told = {
        "load_erlang": load_erlang,
        "messages_a_s": sum(one.messages for one in each) / 86_400,
        "wire_bytes_a_s": sum(one.wire_bytes for one in each) / 86_400,
        "busiest_bytes_a_day": busiest.wire_bytes, "backlog_bytes": late.bytes, "recovers_s": late.recovers_s,
    }  # fmt: skip
    if of.prices is not None:
        told["a_meter_and_year"] = of.cost(each)
        told["a_meter_and_year_needed"] = math.inf if needed is None else of.cost(of.each(arrive, needed))
    return told


def table(told: Mapping[str, Mapping[str, float | None]]) -> list[list[str]]:
    """For people, a row a figure: its words, as planned, low, middle, high."""
    ends = ("planned", "low", "middle", "high")
    return [[WORDS[name][0], *(_shown(name, one[end]) for end in ends)] for name, one in told.items()]


def _shown(name: str, value: float | None) -> str:
    """None: there is none."""
    if value is None:
        return "never" if name == "recovers_s" else "none do"
    _, form, by = WORDS[name]
    return f"{value / by:{form}}" if form else small(value)
