"""What a backhaul carries: the model's bytes and times against real MQTT over TLS 1.3 between two network namespaces,
and its arithmetic where nothing real is needed."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from sim.core.parts import UnknownPart
from sim.network.backhaul import TCP_IP_BYTES, Backhaul, backhaul, backhauls
from tests.sim.network.slow_publishing import TOPIC, needs_mosquitto, published

PATH = Backhaul("a test", "this file", date(2026, 11, 27), up_bit_s=400_000, down_bit_s=400_000, latency_ms=60)


def test_every_file_is_whole_and_an_unknown_one_is_named() -> None:
    assert {"lte-m", "nb-iot", "ethernet"} <= set(backhauls())
    for one in backhauls().values():
        assert one.source and one.arrives_s(10_000, 13) > one.latency_ms / 1000
        assert one.loss == 0 or "loss" in one.assumed
    assert backhaul("nb-iot").arrives_s(10_000, 13) > backhaul("lte-m").arrives_s(10_000, 13)
    with pytest.raises(UnknownPart, match="no backhaul 'lte'; there are lte-m"):
        backhaul("lte")


def test_bytes_grow_by_segments_and_records_and_loss_sends_again() -> None:
    small, large = PATH.message(100, 13), PATH.message(40_000, 13)
    assert small.up_bytes == 1 + 1 + 2 + 13 + 2 + 100 + 22 + 2 * TCP_IP_BYTES  # one segment, and an acknowledgement
    assert small.down_bytes == 4 + 22 + TCP_IP_BYTES
    mqtt = 1 + 3 + 4 + 13 + 40_000
    segments = -(-(mqtt + 3 * 22) // PATH.segment_bytes)
    assert large.up_bytes == mqtt + 3 * 22 + (segments + 1) * TCP_IP_BYTES
    lossy = dataclasses.replace(PATH, loss=0.1)
    assert lossy.message(40_000, 13).up_bytes == pytest.approx(large.up_bytes / 0.9, rel=0.02)
    assert lossy.carries_bytes_s() == pytest.approx(0.9 * PATH.carries_bytes_s())


def test_a_long_path_waits_for_acknowledgements_until_it_is_full() -> None:
    fast = dataclasses.replace(PATH, up_bit_s=100e6, latency_ms=500)
    assert fast.arrives_s(10_000, 13) < 0.51  # all in the first flight
    assert fast.arrives_s(40_000, 13) == pytest.approx(0.5 + 1.0, abs=0.02)  # a second flight, a round trip later
    assert fast.arrives_s(100_000, 13) == pytest.approx(0.5 + 2.0, abs=0.05)


@needs_mosquitto
def test_real_sockets_take_the_bytes_and_the_time_of_the_model(tmp_path: Path) -> None:
    found = published(PATH, tmp_path, (1, 10_000, 60_000))
    taken = {size: bytes_ for size, (bytes_, _) in found.items()}
    logical_s = {size: seconds for size, (_, seconds) in found.items()}
    one, connected = PATH.message(1, len(TOPIC)), PATH.connection()
    assert taken[1].up_bytes - one.up_bytes == pytest.approx(connected.up_bytes, rel=0.15)
    assert taken[1].down_bytes - one.down_bytes == pytest.approx(connected.down_bytes, rel=0.15)
    known_s = PATH.connects_s() + PATH.arrives_s(1, len(TOPIC)) + PATH.latency_ms / 1000
    # the connection's end takes one and a half more, and a client that waits for acknowledgements (Nagle) up to two
    assert known_s < logical_s[1] < known_s + 4 * PATH.round_trip_s
    for size in (10_000, 60_000):
        more = PATH.message(size, len(TOPIC)).up_bytes - one.up_bytes
        near = 0.02 if size < 60_000 else 0.006  # an acknowledgement more or less; headers of 12 bytes less would show
        assert taken[size].up_bytes - taken[1].up_bytes == pytest.approx(more, rel=near)
        longer_s = PATH.arrives_s(size, len(TOPIC)) - PATH.arrives_s(1, len(TOPIC))
        assert logical_s[size] - logical_s[1] == pytest.approx(longer_s, rel=0.1)
