"""How fast IQ is made: noise, a jammer and frames that overlap, as bytes. Real time is 1.6 million samples a second."""

from __future__ import annotations

import time

from sim.feeders.iq_signal import Jammer, Signal
from wmbus.phy import modes
from wmbus.phy.iq import to_bytes

RATE_HZ = 1_600_000
_BLOCK = 8_000


def rate(frames_a_s: int = 50, seconds: float = 2.0) -> float:
    """Samples a second of processor time, T1 frames of 61 bytes in pairs that overlap."""
    jammer = Jammer(-80.0, 868_963_000.0, 0.5, 0.5)
    signal = Signal(RATE_HZ, 868_950_000.0, full_scale_dbm=-60.0, noise_figure_db=6.0, spread_hz=5_000, jammer=jammer)
    signal.take(_BLOCK)
    frame, blocks, sent = bytes([60]) + bytes(range(60)), round(seconds * RATE_HZ / _BLOCK), 0
    begin = time.process_time()
    for block in range(blocks):
        while sent < frames_a_s * block * _BLOCK // RATE_HZ:
            signal.send(frame, modes.T1, -80.0 - sent % 7, signal.stream.position + 2_000 * (sent % 2))
            sent += 1
        to_bytes(signal.take(_BLOCK), "cu8")
    return blocks * _BLOCK / (time.process_time() - begin)
