"""What the gateways of an answer cost, by a plan's prices and what they are expected to send."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

from bench.site.service import S_PER_DAY
from bench.site.upstream import TOPIC_BYTES, Upstream
from sim.billing import plan_cost, plan_spec
from sim.network.backhaul import Backhaul


def load(path: Path | None) -> plan_spec.Plan | None:
    """Raises SpecError."""
    return None if path is None else plan_spec.load(path)


def costs(prices: plan_spec.Plan, meters: int, each: Sequence[Upstream], path: Backhaul) -> plan_cost.Answer:
    """The plan with our meters, gateways and traffic; connections a day and the prices are its own."""
    told = prices.traffic
    gateways = max(1, len(each))
    telegrams, messages = sum(one.telegrams for one in each), sum(one.messages for one in each)
    if not telegrams or not messages:
        return plan_cost.answer(dataclasses.replace(prices, meters=meters, gateways=gateways))
    payload = sum(one.messages * one.payload_bytes for one in each)
    connection = path.connection().bytes
    traffic = dataclasses.replace(
        told,
        telegrams_a_day=min(S_PER_DAY, telegrams / meters), telegram_bytes=max(10, math.ceil(payload / telegrams)),
        bundle_s=min(604_800.0, max(1.0, S_PER_DAY * gateways / messages)), topic_bytes=TOPIC_BYTES, frame_bytes=0,
        packet_bytes=max(0, round((sum(one.wire_bytes for one in each) - payload) / messages) - TOPIC_BYTES),
        handshake_bytes=connection,
    )  # fmt: skip
    return plan_cost.answer(dataclasses.replace(prices, meters=meters, gateways=gateways, traffic=traffic))
