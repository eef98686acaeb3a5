"""The engine against closed forms within 5e-4: millions of frames, in many cells that know nothing of each other."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from small_air import NEVER_CAPTURE_CDB

from sim.core.seeds import Seeds
from sim.meters.sending_times import ACC_PREFIX, starts
from sim.radio.engine import Engine
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.links import Links, Radios, Receivers
from sim.radio.propagation import Propagation
from sim.radio.receiver_profile import ReceiverProfile
from sim.radio.sweep_arrays import Frames

pytest.importorskip("numba")
T = air_time_ns(Mode.T1, 63)
LIMIT = 5e-4


def cells(count: int, meters: int, *, demodulators=0, fading_cdb=0, capture=NEVER_CAPTURE_CDB, duration_ns=T) -> Engine:
    """`count` receivers with so many meters each, all equally loud."""
    n = count * meters
    radios = Radios(*(np.full(n, v) for v in (int(Mode.T1), 63, 700, duration_ns)))
    home = np.arange(n) // meters
    links = Links(np.arange(n + 1), home, np.full(n, -8_000), np.ones(n, dtype=bool))
    plain = [ReceiverProfile.plain(capture)] * count
    receivers = Receivers.of(np.zeros((count, 3)), [-16_000] * count, [frozenset(Mode)] * count, plain)
    air = Propagation(2_800, 400, 0, fading_cdb, Seeds(11))
    return Engine(air, receivers, links, radios, [demodulators] * count)


def random_access(engine: Engine, load: float, seed: int = 1) -> float:
    """One frame a meter, uniform in a span that makes the load; the share received."""
    n = engine.meters
    span_ns = round(n // engine.gateways * T / load)
    start = (Seeds(seed).u64("test starts", np.arange(n)) / 2.0**64 * span_ns).astype(np.int64)
    counts = engine.window(span_ns, Frames(np.arange(n + 1), start, np.zeros(n, np.int64))).counts
    end = engine.window(span_ns + T + 1, Frames(np.zeros(n + 1, np.int64), start[:0], start[:0]))
    total = counts + end.counts
    assert total.sum() == n
    return float(total[:, 0].sum() / n)


@pytest.mark.parametrize("load", [0.1, 0.5, 1.0])
def test_pure_aloha(load):
    meters = 8_000
    expected = (1 - 2 * load / meters) ** (meters - 1)
    assert expected == pytest.approx(math.exp(-2 * load), abs=1e-4)
    assert random_access(cells(250, meters), load) == pytest.approx(expected, abs=LIMIT)


@pytest.mark.parametrize("load", [0.1, 0.5, 2.0])
def test_one_demodulator(load):
    engine = cells(250, 8_000, demodulators=1, capture=-NEVER_CAPTURE_CDB)
    assert random_access(engine, load) == pytest.approx(1 / (1 + load), abs=LIMIT)


@pytest.mark.parametrize(("load", "threshold_db"), [(0.05, 0.0), (0.05, 10.0)])
def test_capture_under_log_normal_fading(load, threshold_db):
    """At a low load two interferers at once are rare, so that adding their powers up, as the engine does and the
    formula does not, costs less than the limit."""
    sigma_db, normal = 20.0, NormalDist()
    x = np.linspace(-8, 8, 1_601)
    tail = np.array([1 - normal.cdf(v - threshold_db / sigma_db) for v in x])
    expected = float((np.exp(-(x**2) / 2 - 2 * load * tail)).sum() * 0.01 / math.sqrt(2 * math.pi))
    engine = cells(500, 4_000, fading_cdb=2_000, capture=round(100 * threshold_db))
    assert random_access(engine, load) == pytest.approx(expected, abs=LIMIT)


# EMH eHZB manual, after PTB-A 50.8: with T = 29.5 ms every 90 s, so many meters lose n telegrams running at most 1 % of
# the time
@pytest.mark.parametrize(("meters", "telegrams"), [(175, 2), (377, 3), (596, 4), (783, 5), (954, 6)])
def test_the_published_table_of_a_meter_manual(meters, telegrams):
    air_ns, period_ns, rounds = 29_500_000, 90 * 10**9, 12
    count = 1_800_000 // (meters * rounds)
    n = count * meters
    engine = cells(count, meters, duration_ns=air_ns)
    seeds, meter = Seeds(5), np.arange(n)
    t0 = (seeds.u64("test phase", meter) / 2.0**64 * period_ns).astype(np.int64)
    acc0 = seeds.below("test acc", len(ACC_PREFIX), meter)
    k = np.tile(np.arange(4, rounds + 4), n)
    start = starts(np.repeat(t0, rounds), np.full(n * rounds, period_ns), np.repeat(acc0, rounds), k)
    # the first and the last period are run-in: only frames inside count
    inside = (start >= 5 * period_ns) & (start < (rounds + 2) * period_ns)
    first = np.concatenate([[0], np.cumsum(inside.reshape(n, rounds).sum(axis=1))])
    engine.now_ns = 5 * period_ns
    counts = engine.window((rounds + 2) * period_ns, Frames(first, start[inside], k[inside])).counts
    lost = 1 - counts[:, 0].sum() / counts.sum()
    assert lost == pytest.approx(1 - (1 - 2 * air_ns / period_ns) ** (meters - 1), abs=0.002)
    assert lost**telegrams == pytest.approx(0.01, abs=0.002)
