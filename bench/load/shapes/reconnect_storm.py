"""Power fails everywhere after a third of the time and comes back after a sixth more: all gateways dial at once, each
with its TLS handshake, and go on sending. Without power a gateway hears nothing, so nothing is due meanwhile; what it
had published and not yet been acknowledged goes out again."""

from __future__ import annotations

from bench.load.schedule import Away, Load, Schedule, numbered, steady_times
from bench.load.shapes.port import Shape


def _schedule(load: Load) -> Schedule:
    away = Away(load.seconds_s / 3, load.seconds_s / 2)
    gateway, due_s = steady_times(load)
    powered = (due_s < away.cut_s) | (due_s >= away.back_s)
    return numbered(gateway[powered], due_s[powered], away)


SHAPE = Shape(
    "reconnect-storm", "All connections end, and all gateways dial at once after a power cut", _schedule,
    not_by_c="mosquitto_pub keeps nothing that it published before its connection ended",
)  # fmt: skip
