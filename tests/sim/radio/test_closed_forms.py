"""The reference against closed forms of random access (docs/models/air.md names each). Seeds are fixed, so each of
these is deterministic; tolerances are two to three standard errors, of the jammer's 1.4."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

import numpy as np
import pytest
from small_air import AIR_TIME_NS, NEVER_CAPTURE_CDB, Stage, radios, sorted_schedule

from sim.core.seeds import Seeds
from sim.radio.link_modes import Mode

T = AIR_TIME_NS


def poisson(meters: int, frames: int, load: float, seed: int):
    """Independent uniform starts at a load of G frames an air time: (schedule, duration)."""
    span_ns = round(frames * T / load)
    start = (Seeds(seed).u64("test starts", np.arange(frames)) / 2.0**64 * span_ns).astype(np.int64)
    meter = np.arange(frames) % meters
    return sorted_schedule(start, meter, np.arange(frames) // meters), span_ns


def delivered(stage: Stage) -> float:
    return stage.fates.get("received", 0) / sum(stage.fates.values())


@pytest.mark.parametrize("load", [0.1, 0.5, 1.0])
def test_pure_aloha(load):
    stage = Stage(200, capture_cdb=NEVER_CAPTURE_CDB)
    stage.listen(demodulators=0)
    stage.run(*poisson(200, 20_000, load, 3), window_ns=10**10)
    assert delivered(stage) == pytest.approx(math.exp(-2 * load), abs=0.009)


def test_finite_and_periodic():
    meters, period_ns, rounds = 60, 60 * T, 500
    offset = Seeds(4).below("test offsets", period_ns - T, np.arange(meters)[:, None], np.arange(rounds))
    meter, k = (a.ravel() for a in np.indices(offset.shape))
    stage = Stage(meters, capture_cdb=NEVER_CAPTURE_CDB)
    stage.listen(demodulators=0)
    stage.run(sorted_schedule((offset + np.arange(rounds) * period_ns).ravel(), meter, k), rounds * period_ns)
    assert delivered(stage) == pytest.approx((1 - 2 * T / period_ns) ** (meters - 1), abs=0.009)


@pytest.mark.parametrize(("load", "threshold_db"), [(0.25, 0.0), (0.25, 10.0), (0.7, 6.0)])
def test_capture_under_log_normal_fading(load, threshold_db):
    """Success = integral of phi(x) exp(-2G Q(x - z/sigma)) dx when each interferer counts for itself. Here their powers
    add up, which can only cost frames; with sigma as wide as 20 dB the strongest is nearly the sum."""
    sigma_db = 20.0
    stage = Stage(200, fading_cdb=round(100 * sigma_db), capture_cdb=round(100 * threshold_db))
    stage.listen(demodulators=0, sensitivity_cdbm=-16_000)
    stage.run(*poisson(200, 15_000, load, 5), window_ns=10**10)
    normal = NormalDist()
    x = np.linspace(-8, 8, 1_601)
    tail = np.array([1 - normal.cdf(v - threshold_db / sigma_db) for v in x])
    expected = float((np.exp(-(x**2) / 2 - 2 * load * tail)).sum() * 0.01 / math.sqrt(2 * math.pi))
    assert delivered(stage) == pytest.approx(expected, abs=0.008 + 0.02 * load)
    if not threshold_db:
        assert expected == pytest.approx((1 - math.exp(-2 * load)) / (2 * load), abs=1e-3)


@pytest.mark.parametrize("load", [0.1, 0.5, 2.0])
def test_one_demodulator_is_erlang_b(load):
    stage = Stage(200, capture_cdb=-NEVER_CAPTURE_CDB)
    stage.listen(demodulators=1)
    stage.run(*poisson(200, 15_000, load, 6), window_ns=10**10)
    assert delivered(stage) == pytest.approx(1 / (1 + load), abs=0.009)
    assert set(stage.fates) == {"received", "receiver busy"}


def test_two_demodulators_are_erlang_b_too():
    load = 1.0
    stage = Stage(200, capture_cdb=-NEVER_CAPTURE_CDB)
    stage.listen(demodulators=2)
    stage.run(*poisson(200, 15_000, load, 6), window_ns=10**10)
    assert delivered(stage) == pytest.approx(1 - 0.5 / 2.5, abs=0.009)


def test_a_periodic_jammer_takes_the_share_of_time_it_covers():
    """Bursts of length b every p, one meter: a frame meets none with probability 1 - (b + T) / p."""
    frames, burst_ns, period_ns = 5_000, 3 * T, 10 * T
    start = np.arange(frames) * 7 * T + Seeds(7).below("test starts", 6 * T, np.arange(frames))
    stage = Stage(1)
    stage.listen()
    jammer = stage.air.add_transmitter(np.array([9.0, 0, 1.0]))

    def jam():
        for number in range(frames * 7 // 10):
            stage.air.emit(jammer, number, Mode.T1, 0, 1_000, duration_ns=burst_ns, jammer=True)
            yield stage.env.timeout(period_ns)

    stage.env.process(jam())
    stage.run(sorted_schedule(start, np.zeros(frames), np.arange(frames)), frames * 7 * T)
    assert delivered(stage) == pytest.approx(1 - (burst_ns + T) / period_ns, abs=0.01)
    assert set(stage.fates) == {"received", "jammed"}


def mixed_world(window_ns: int | None, *, backwards: bool = False) -> Stage:
    """Everything at once: three modes, fading, shadowing, busy receivers, outages, a jammer, a visitor."""
    meters, frames = 60, 4_000
    fleet = radios(meters)
    fleet.mode[:] = np.arange(meters) % 3 + 1
    places = Seeds(2).below("test places", 4_000, np.arange(meters)[:, None], np.arange(3)) / 100
    stage = Stage(meters, fleet=fleet, positions=places, fading_cdb=400, shadowing_cdb=900, gateways=4)
    spots = [(0.0, 0.0), (40.0, 40.0), (20.0, 0.0), (0.0, 30.0)]
    for x, y in spots:
        stage.listen(x=x, y=y, sensitivity_cdbm=-7_500)
    jammer = stage.air.add_transmitter(np.array([10.0, 10, 1]))
    visitor = stage.air.add_transmitter(np.array([30.0, 10, 1]))

    def trouble():
        for number in range(40):
            yield stage.env.timeout(15 * T)
            stage.air.emit(jammer, number, Mode(1 + number % 3), 0, -500, duration_ns=2 * T, jammer=True)
            stage.air.emit(visitor, number, Mode.C1, 20, 500, frame=bytes(20))
            stage.air.receivers[number % 4].up = False
            yield stage.env.timeout(5 * T)
            stage.air.receivers[number % 4].up = True

    stage.env.process(trouble())
    schedule, span_ns = poisson(meters, frames, 4.0, 8)
    stage.run(schedule, span_ns, window_ns)
    return stage


@cache
def mixed_world_at_once() -> Stage:
    """In one window; to be looked at, not run on."""
    return mixed_world(None)


def test_a_loss_has_exactly_one_reason_and_no_pair_is_lost_from_the_books():
    stage = mixed_world_at_once()
    links = stage.air.links
    readable = np.diff(np.concatenate([[0], np.cumsum(links.readable)])[links.offset])
    of_fleet = int((readable * np.bincount(np.arange(4_000) % 60)).sum())
    of_visitor = int((stage.table()[:, 1] == 61).sum())
    assert sum(stage.fates.values()) == of_fleet + of_visitor
    assert set(stage.fates) == {"received", "gateway down", "out of range", "receiver busy", "jammed", "collision"}
    assert min(stage.fates.values()) > 50
    assert stage.sent == 4_040


@pytest.mark.parametrize("window_ns", [T, 7 * T + 1, 10**8])
def test_the_window_changes_nothing(window_ns):
    whole, cut = mixed_world_at_once(), mixed_world(window_ns)
    assert whole.history.digest == cut.history.digest
    assert (whole.table() == cut.table()).all()
    assert whole.heard == cut.heard
    assert (whole.sent, whole.caught) == (cut.sent, cut.caught)


def test_another_seed_is_another_world():
    digests = set()
    for seed in (1, 2):
        stage = Stage(20, fading_cdb=300, seed=seed)
        stage.listen()
        stage.run(*poisson(20, 100, 0.5, 1))
        digests.add(stage.history.digest)
    assert len(digests) == 2
