"""What gateways send upstream: messages and bytes a second, what waits after an outage, how long it takes to catch up.

Each gateway is expected to hear each meter by the chance of one frame (served.py); telegrams that several hear go up
several times, as in the world. Bundles close by age, count or size as the gateway's rule has it (bundling.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.site.service import S_PER_DAY, Traffic
from sim.core.bundle import TELEGRAM_OVERHEAD_BYTES, envelope_bytes_max
from sim.gateway.gateway_spec import GatewaySpec
from sim.network.backhaul import Backhaul

F64 = NDArray[np.floating[Any]]
TOPIC_BYTES: Final = len("gw/gw-0001/up")
PUBLISHES_A_S: Final = 100.0  # of one connection: AWS IoT Core's quota
_GATEWAY: Final = "gw-0001"


class Upstream(NamedTuple):
    """Of one gateway, a day. `payload_bytes`: of a message, on average. `wire_bytes`: with all headers and keep-alive,
    both ways, as a carrier counts."""

    telegrams: float
    messages: float
    payload_bytes: float
    wire_bytes: float


class Outage(NamedTuple):
    """What a gateway holds when its backhaul returns, and how long it then takes until nothing waits."""

    messages: float
    bytes: float
    recovers_s: float
    """Infinite where more comes than the backhaul carries."""


def telegrams_a_day(arrive: F64, traffic: Traffic) -> float:
    """Of one gateway. `arrive`: the chance of one frame from each meter."""
    a_day = S_PER_DAY / traffic.interval_s
    if not traffic.thin_s:
        return float(arrive.sum() * a_day)
    periods = S_PER_DAY / traffic.thin_s
    frames = max(1.0, traffic.thin_s / traffic.interval_s)
    return float((1 - (1 - arrive) ** frames).sum() * min(periods, a_day))


def of_gateway(arrive: F64, traffic: Traffic, telegram_bytes: float, path: Backhaul) -> Upstream:
    """What one gateway sends. `telegram_bytes`: of a telegram on the air, without CRCs."""
    telegrams = telegrams_a_day(arrive, traffic)
    if not telegrams:
        return Upstream(0.0, 0.0, 0.0, S_PER_DAY / path.keepalive_s * path.keepalive().bytes)
    spec = GatewaySpec()
    row, envelope = 2 * telegram_bytes + TELEGRAM_OVERHEAD_BYTES, envelope_bytes_max(_GATEWAY)
    full = max(1.0, min(spec.bundle_count, (spec.bundle_bytes - envelope) // row))
    by_age = min(S_PER_DAY / traffic.bundle_s, telegrams)
    messages = by_age * math.ceil(telegrams / by_age / full)
    payload = envelope + telegrams / messages * row
    wire = messages * path.message(round(payload), TOPIC_BYTES).bytes
    wire += max(0.0, S_PER_DAY / path.keepalive_s - messages) * path.keepalive().bytes
    return Upstream(telegrams, messages, payload, wire)


def after(one: Upstream, outage_s: float, path: Backhaul) -> Outage:
    """When the backhaul was gone for so long. New telegrams come while the old ones go."""
    messages, size = one.messages / S_PER_DAY, one.messages * one.payload_bytes / S_PER_DAY
    waiting, held = messages * outage_s, size * outage_s
    spare_bytes, spare_messages = path.carries_bytes_s() - size, PUBLISHES_A_S - messages
    if spare_bytes <= 0 or spare_messages <= 0:
        return Outage(waiting, held, math.inf)
    return Outage(waiting, held, path.connects_s() + max(held / spare_bytes, waiting / spare_messages))


def answer(
    arrive: F64, chosen: Sequence[int], traffic: Traffic, telegram_bytes: float, path: Backhaul, outage_s: float
) -> dict[str, Any]:
    """Of a whole site, as the answer has it. `arrive`: (meters, candidates)."""
    each = [of_gateway(arrive[:, at], traffic, telegram_bytes, path) for at in chosen]
    busiest = max(each, key=lambda one: one.wire_bytes)
    late = after(busiest, outage_s, path)
    return {
        "backhaul": path.id, "backhaul_title": path.title, "backhaul_source": path.source,
        "backhaul_assumed": list(path.assumed), "connections": len(each),
        "telegrams_a_day": round(sum(one.telegrams for one in each), 1),
        "messages_a_s": round(sum(one.messages for one in each) / S_PER_DAY, 6),
        "payload_bytes_a_s": round(sum(one.messages * one.payload_bytes for one in each) / S_PER_DAY, 3),
        "wire_bytes_a_s": round(sum(one.wire_bytes for one in each) / S_PER_DAY, 3),
        "busiest": {
            "telegrams_a_day": round(busiest.telegrams, 1), "messages_a_day": round(busiest.messages, 1),
            "payload_bytes": round(busiest.payload_bytes), "wire_bytes_a_day": round(busiest.wire_bytes),
        },
        "bundle_arrives_s": round(path.arrives_s(round(busiest.payload_bytes), TOPIC_BYTES), 3),
        "outage": {
            "lasts_s": outage_s, "backlog_messages": round(late.messages), "backlog_bytes": round(late.bytes),
            "recovers_s": None if math.isinf(late.recovers_s) else round(late.recovers_s, 1),
        },
    }  # fmt: skip
