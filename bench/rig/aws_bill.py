"""What a world on an AWS endpoint would have cost: figures of a run like any other (`world.measure`)."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol, runtime_checkable

from bench.rig.scenario import Stage
from sim.core.clock import NS_PER_S
from sim.endpoint.aws.bill import DAYS_A_MONTH, US_EAST_1, Meter, bill


@runtime_checkable
class Metered(Protocol):
    """An endpoint that counts what AWS bills."""

    def meter(self) -> Meter: ...


def a_month(meter: Meter, sessions: int, world_s: float) -> Meter:
    """A month at the rate of a world of `world_s` simulated seconds, `sessions` of them connected all the time: the
    wall's connection time says nothing where time is compressed."""
    month_s = DAYS_A_MONTH * 86_400
    scale = Decimal(month_s) / Decimal(str(world_s))
    return Meter(
        messages=round(meter.messages * scale),
        connected_s=float(sessions * month_s),
        shadow_operations=round(meter.shadow_operations * scale),
        rules=round(meter.rules * scale),
        actions=round(meter.actions * scale),
    )


def measure_bill(stage: Stage) -> None:
    """Message units, operations and the month's cost, where the endpoint counts them."""
    endpoint = stage.inner.system.endpoint
    if not isinstance(endpoint, Metered) or stage.inner.now_ns <= 0:
        return
    meter, world_s = endpoint.meter(), stage.inner.now_ns / NS_PER_S
    month = a_month(meter, stage.spec.gateways + 1, world_s)
    stage.measure("AWS: message units of this run", meter.messages)
    stage.measure("AWS: connection minutes of this run, in the world's time", (stage.spec.gateways + 1) * world_s / 60)
    stage.measure("AWS: shadow operations of this run", meter.shadow_operations)
    stage.measure("AWS: rules triggered in this run", meter.rules)
    stage.measure("AWS: actions of rules in this run", meter.actions)
    prices = f"{US_EAST_1.region}, prices of {US_EAST_1.dated}"
    stage.measure(f"AWS: cost of a month at this rate ({prices})", round(float(bill(month).total), 2), "USD")
