"""LoRaSim's rules on the same engine, held against delivery ratios of LoRaSim 0.2.1 (Bor et al., MSWiM 2016).

Its air is another one than ours, and the engine's settings express it:

- Nodes keep to a channel, in equal numbers, and channels do not meet: each channel is a receiver of its own, in reach
  of its nodes only.
- Of two packets the later one hurts the earlier only if that still runs three symbols on: packets are of one length, so
  that is two packets shortened by three symbols which overlap.
- Within 6 dB both are lost, else the weaker: a capture threshold of 6 dB against each other packet *by itself*. The
  engine adds interferers up. So levels and threshold are stretched three times, which makes a sum nearly its largest
  term (two equal ones: 1 dB instead of 3), and the rule taken literally, pair by pair, is worked out beside it.
- Any number of packets are received at once: no demodulators to be taken.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.core.seeds import Seeds
from sim.radio.emissions import Schedule
from sim.radio.engine import Engine
from sim.radio.link_modes import Mode
from sim.radio.links import Links, Radios, Receivers
from sim.radio.propagation import Propagation
from sim.radio.receiver_profile import ReceiverProfile
from sim.radio.sweep_arrays import Frames

PAUSE_S = 1_000.0
WINDOWS, WINDOW_NS = 60, 1_000 * 10**9
STRETCH = 3
LOUDEST_CDB = 16_000 // STRETCH - 600  # above the weakest; one node in a hundred is nearer, and is as loud as this
SEEDS, PUBLISHED_SEEDS = range(16), 5


def air_time_s(sf: int, cr: int, bandwidth_hz: int, bytes_: int = 20) -> tuple[float, float]:
    """A packet's and a symbol's, by the formula of the SX1272 data sheet; SF 6 has no header."""
    symbol_s = 2**sf / bandwidth_hz
    slow = 2 if bandwidth_hz == 125_000 and sf >= 11 else 0
    bits = 8 * bytes_ - 4 * sf + 28 + 16 - (20 if sf == 6 else 0)
    payload = 8 + max(math.ceil(bits / (4 * (sf - slow))) * (cr + 4), 0)
    return (8 + 4.25 + payload) * symbol_s, symbol_s


class Nodes:
    """`n` nodes and their packets, (start, node) by node and number."""

    def __init__(self, n: int, channels: int, packet_s: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.channel = np.arange(n) % channels
        range_ = np.maximum(*rng.random((2, n)))
        self.above_cdb = np.minimum(np.round(-2_080 * np.log(range_)), LOUDEST_CDB).astype(np.int64)
        most = int(WINDOWS * 1.25) + 30
        gap_s = rng.exponential(PAUSE_S, (n, most)) + packet_s
        start_s = np.cumsum(gap_s, axis=1) - packet_s
        inside = start_s < WINDOWS * WINDOW_NS / 1e9
        assert not inside[:, -1].any()
        self.node, self.k = np.nonzero(inside)
        self.start_ns = (start_s[inside] * 1e9).astype(np.int64)


def by_the_engine(nodes: Nodes, channels: int, hurt_ns: int) -> float:
    n = len(nodes.channel)
    level = (nodes.above_cdb - LOUDEST_CDB) * STRETCH - 600
    links = Links(np.arange(n + 1), nodes.channel, level, np.ones(n, dtype=bool))
    plain = [ReceiverProfile.plain(600 * STRETCH)] * channels
    receivers = Receivers.of(np.zeros((channels, 3)), [-16_000] * channels, [frozenset(Mode)] * channels, plain)
    radios = Radios(*(np.full(n, v) for v in (Mode.T1, 20, 1_400, hurt_ns)))
    propagation = Propagation(2_800, 400, 0, 0, Seeds(1))
    engine = Engine(propagation, receivers, links, radios, [0] * channels)
    counts = np.zeros(6, dtype=np.int64)
    for window in range(WINDOWS):
        mine = nodes.start_ns // WINDOW_NS == window
        frames = Frames.of(Schedule(nodes.start_ns[mine], nodes.node[mine], nodes.k[mine]), n)
        counts += engine.window((window + 1) * WINDOW_NS, frames).counts.sum(axis=0)
    assert counts[1:5].sum() == 0  # nothing but collisions
    return float(counts[0] / counts.sum())


def pair_by_pair(nodes: Nodes, hurt_ns: int) -> float:
    """The rule taken literally."""
    order = np.lexsort((nodes.start_ns, nodes.channel[nodes.node]))
    start, node = nodes.start_ns[order], nodes.node[order]
    channel, level = nodes.channel[node], nodes.above_cdb[node]
    lost = np.zeros(len(start), dtype=bool)
    for distance in range(1, len(start)):
        meets = (channel[distance:] == channel[:-distance]) & (start[distance:] < start[:-distance] + hurt_ns)
        if not meets.any():
            break
        difference = level[distance:] - level[:-distance]
        lost[:-distance] |= meets & (difference > -600)
        lost[distance:] |= meets & (difference < 600)
    return 1 - float(lost.mean())


@pytest.mark.parametrize(
    ("n", "sf", "cr", "bandwidth_hz", "channels", "published"),
    [
        (120, 12, 4, 125_000, 1, 0.7655),
        (500, 12, 1, 125_000, 8, 0.8994),
        (1_000, 12, 1, 125_000, 8, 0.8100),
        (2_000, 12, 1, 125_000, 8, 0.6602),
        (1_000, 6, 1, 500_000, 8, 0.9989),
    ],
)
def test_delivery_is_lorasim_s(n, sf, cr, bandwidth_hz, channels, published):
    packet_s, symbol_s = air_time_s(sf, cr, bandwidth_hz)
    hurt_ns = round((packet_s - 3 * symbol_s) * 1e9)
    worlds = [Nodes(n, channels, packet_s, seed) for seed in SEEDS]
    engine = np.array([by_the_engine(world, channels, hurt_ns) for world in worlds])
    literal = np.array([pair_by_pair(world, hurt_ns) for world in worlds])
    sigma = engine.std(ddof=1) * math.sqrt(1 / len(SEEDS) + 1 / PUBLISHED_SEEDS)  # of the difference of the means
    print(f"n {n}: engine {engine.mean():.4f}, pair by pair {literal.mean():.4f}, published {published}, {sigma:.4f}")
    assert abs(engine.mean() - published) < 2 * sigma
    assert abs(literal.mean() - published) < 2 * sigma
    assert (np.abs(engine - literal) < 5e-4).all()
