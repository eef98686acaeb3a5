"""A gateway's way to the broker in virtual time: a backhaul's file (backhaul.py) as a path that each gateway has of its
own, with what it takes, loses, and for how long it is away.

    [backhaul]
    kind = "nb-iot"          a file of sim/network/backhauls; "none": bundles are at the broker when they are closed
    spread = 0.25            each gateway's latency and time on the way are the file's times e^(spread z), z drawn once
    outages_a_week = 2.0     in the mean, at drawn times, each `outage_s` long

A bundle is sent when it is closed and those before it are through; it arrives after its bytes' time, the latency, slow
start, and what was lost and sent again: a lost segment costs a round trip where three later ones tell of it (fast
retransmit, RFC 6582 one a round trip), else three round trips or a second, each time twice as long (RFC 6298: the time
that a first measurement gives). An outage breaks off what is under way: it goes again from its begin when the path is
back and a connection was made. Answers of the portal travel back within the window in which it took a bundle.

All of it is a pure function of (seed, gateway, number of the message). `spread` is an assumption without a source.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sim.core.clock import ns
from sim.core.seeds import Seeds
from sim.core.settings import name_from, number
from sim.gateway.port import Carried
from sim.network.backhaul import Backhaul, backhaul, backhauls

NONE: Final = "none"
RTO_LEAST_S: Final = 1.0
FAST_SEGMENTS: Final = 3
TRIES_MOST: Final = 10
WEEK_S: Final = 604_800.0
_ONE: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class UplinkSpec:
    """[backhaul] of a world."""

    kind: str = name_from(lambda: (NONE, *backhauls()), default=NONE)
    spread: float = number(0.25, low=0.0, high=2.0)
    outages_a_week: float = number(0.0, low=0.0, high=1_000.0)
    outage_s: float = number(3_600.0, low=1.0, high=30 * 86_400.0)


class Uplink:
    """See gateway.port.Way."""

    def __init__(self, spec: UplinkSpec, gateway: int, topic_bytes: int, seeds: Seeds) -> None:
        self._spec, self._gateway, self._topic_bytes, self._seeds = spec, gateway, topic_bytes, seeds
        told = backhaul(spec.kind)
        self.loss = told.loss
        self.path: Backhaul = dataclasses.replace(
            told, loss=0.0, latency_ms=told.latency_ms * self._slower("latency"),
            up_bit_s=told.up_bit_s / self._slower("rate"),
        )  # fmt: skip
        self._held: deque[Carried] = deque()
        self._free_s = self._last_s = 0.0
        self._messages = 0
        self.spans: list[tuple[int, int]] = []
        """World ns in which something was on the way, one after the other: so much older a reading may be."""
        self._outages: list[float] = []

    def _slower(self, what: str) -> float:
        drawn = self._seeds.one_normal_q16(f"backhaul {what}", self._gateway) / 65_536
        return math.exp(self._spec.spread * drawn)

    # --- the port ---------------------------------------------------------------------------------------------------

    def send(self, now_ns: int, sequence: int, payload: bytes) -> None:
        self._messages += 1
        start_s = max(now_ns / 1e9, self._free_s)
        again_s = self._again_s(len(payload))
        clear_s = self._clear_s(len(payload))
        arrive_s = self.path.arrives_s(len(payload), self._topic_bytes)
        start_s = self._spared(start_s, arrive_s + again_s)
        self._free_s = start_s + clear_s + again_s
        self._last_s = max(self._last_s, start_s + arrive_s + again_s)
        one = Carried(sequence, payload, now_ns, max(now_ns, ns(round(self._last_s, 6))))
        self._held.append(one)
        if self.spans and now_ns <= self.spans[-1][1]:
            self.spans[-1] = self.spans[-1][0], one.arrives_ns
        else:
            self.spans.append((now_ns, one.arrives_ns))

    def arrived(self, now_ns: int) -> Sequence[Carried]:
        out = []
        while self._held and self._held[0].arrives_ns <= now_ns:
            out.append(self._held.popleft())
        return out

    @property
    def under_way(self) -> tuple[int, ...]:
        return tuple(one.sequence for one in self._held)

    @property
    def payloads(self) -> tuple[bytes, ...]:
        """Of what is under way, oldest first."""
        return tuple(one.payload for one in self._held)

    def cut(self, now_ns: int) -> None:
        self._held.clear()
        self._free_s = self._last_s = now_ns / 1e9

    # --- what it costs ----------------------------------------------------------------------------------------------

    def _clear_s(self, payload_bytes: int) -> float:
        """The bytes' own time: then the next message may go."""
        latency_s = self.path.latency_ms / 1000
        return self.path.arrives_s(payload_bytes, self._topic_bytes) - latency_s

    def _again_s(self, payload_bytes: int) -> float:
        """What is lost and sent again costs."""
        if not self.loss:
            return 0.0
        segments = math.ceil(self.path.message_stream_bytes(payload_bytes, self._topic_bytes) / self.path.segment_bytes)
        limit, round_s, cost_s = int(self.loss * _ONE), self.path.round_trip_s, 0.0
        for segment in range(segments):
            for tries in range(TRIES_MOST):
                number_ = segment * TRIES_MOST + tries
                if self._seeds.one_u32("backhaul loss", self._gateway, self._messages, number_) >= limit:
                    break
                fast = tries == 0 and segments - 1 - segment >= FAST_SEGMENTS
                cost_s += round_s if fast else max(RTO_LEAST_S, 3 * round_s) * 2**tries
        return cost_s

    def _spared(self, start_s: float, takes_s: float) -> float:
        """When a transmission that takes so long can begin and is not broken off."""
        if not self._spec.outages_a_week:
            return start_s
        at = 0
        while True:
            begin_s = self._outage(at)
            if begin_s >= start_s + takes_s:
                return start_s
            end_s = begin_s + self._spec.outage_s
            if end_s > start_s:
                start_s = end_s + self.path.connects_s()
            at += 1

    def _outage(self, at: int) -> float:
        """When the path fails for the `at`-th time."""
        while len(self._outages) <= at:
            drawn = self._seeds.one_u32("backhaul outage", self._gateway, len(self._outages))
            gap_s = -math.log((drawn + 1) / (_ONE + 1)) * WEEK_S / self._spec.outages_a_week
            before_s = self._outages[-1] + self._spec.outage_s if self._outages else 0.0
            self._outages.append(before_s + gap_s)
        return self._outages[at]
