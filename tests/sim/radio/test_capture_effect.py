"""A packet-error curve is a drawn threshold: one interferer, many frames, the curve comes out again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_air import AIR_TIME_NS, Stage, radios, sorted_schedule

from sim.radio.capture_effect import ENTRIES, capture_table, fsk

T = AIR_TIME_NS


@pytest.mark.parametrize("ratio_db", [10.0, 10.8, 11.5])
def test_frames_survive_as_often_as_non_coherent_fsk_says(ratio_db):
    bits, frames = 584, 4_000
    fleet = radios(2)
    fleet.power_cdbm[:] = [round(100 * ratio_db), 0]
    stage = Stage(2, fleet=fleet, capture_cdb=fsk(bits))
    stage.listen(demodulators=0)
    start = np.repeat(np.arange(frames) * 3 * T, 2)
    stage.run(sorted_schedule(start, np.arange(2 * frames) % 2, np.arange(2 * frames) // 2), 3 * frames * T)
    strong = stage.table()[stage.table()[:, 1] == 0]
    survived = (strong[:, 4] == 0).mean()
    bit_error = 0.5 * math.exp(-(10 ** (ratio_db / 10)) / 2)
    assert survived == pytest.approx((1 - bit_error) ** bits, abs=0.025)


def test_a_curve_rises_and_a_real_receiver_s_lies_higher():
    ideal, real = fsk(300), fsk(300, implementation_loss_db=2.0)
    assert (np.diff(ideal) >= 0).all()
    assert (real - ideal == 200).all()
    assert fsk(600)[128] > ideal[128]


def test_tables_are_checked():
    assert capture_table(800).tolist() == [800] * ENTRIES
    assert capture_table(np.array([1, 2])).tolist() == [1] * 128 + [2] * 128
    for wrong in (np.arange(3), np.array([2, 1]), np.zeros(0, dtype=np.int64)):
        with pytest.raises(ValueError, match="capture table"):
            capture_table(wrong)
    with pytest.raises(ValueError, match="0 bits"):
        fsk(0)
