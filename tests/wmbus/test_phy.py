"""The radio layer: a published recording's chips, air times, and rtl_433 as the receiver nobody here wrote."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published import telegrams

from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.phy import codes, iq, modes
from wmbus.phy.modes import MODES

QDS = telegrams()[315].frame
TCH = telegrams()[327].frame
RATE_HZ = 1.6e6
TIMES = 10


@pytest.mark.parametrize("name", MODES)
def test_chips_and_back_for_every_published_telegram(name):
    ran = 0
    for t in telegrams():
        try:
            chips = modes.to_chips(t.frame, MODES[name])
        except CannotEncode:
            assert name == "C1B"  # format B counts its CRCs in L
            continue
        assert modes.from_chips(chips, MODES[name]) == t.frame
        ran += 1
    assert ran >= 343


@pytest.mark.parametrize(
    ("size", "t1_ms", "c1_ms", "s1_ms"), [(37, 4.94, 3.60, 35.7), (55, 7.10, 5.04, 44.5), (73, 9.26, 6.48, 53.3)]
)
def test_air_times(size, t1_ms, c1_ms, s1_ms):
    assert modes.air_time_s(size, modes.T1) * 1e3 == pytest.approx(t1_ms, abs=0.01)
    assert modes.air_time_s(size, modes.C1A) * 1e3 == pytest.approx(c1_ms, abs=0.01)
    assert modes.air_time_s(size, modes.S1) * 1e3 == pytest.approx(s1_ms, abs=0.06)


def test_air_chips_counts_the_chips():
    for mode in MODES.values():
        chips = modes.to_chips(QDS, mode)
        assert len(chips) == modes.air_chips(len(modes.wire_bytes(QDS, mode)), mode)
    assert modes.air_time_s(37, modes.T1, 90_000) > modes.air_time_s(37, modes.T1)
    with pytest.raises(CannotEncode):
        modes.air_time_s(37, modes.T1, 89_000)


def test_a_frame_is_found_inside_other_chips():
    noise = np.random.Generator(np.random.PCG64(1)).integers(0, 2, 5000).astype(np.uint8)
    for mode in MODES.values():
        chips = np.concatenate((noise, modes.to_chips(QDS, mode), noise))
        assert modes.from_chips(chips, mode) == QDS


def test_every_single_wrong_chip_after_the_sync_word_is_refused():
    for mode in MODES.values():
        chips = modes.to_chips(TCH, mode)
        head = len(mode.lead) + len(mode.sync)
        for at in range(head, len(chips) - len(mode.tail), 7):
            chips[at] ^= 1
            with pytest.raises(BadTelegram):
                modes.from_chips(chips, mode)
            chips[at] ^= 1
    with pytest.raises(BadTelegram) as refused:
        modes.from_chips(np.zeros(1000, dtype=np.uint8), modes.T1)
    assert refused.value.reason is Reason.NO_SYNC


@given(st.binary(max_size=300))
def test_codes_are_exact_inverses(data):
    assert codes.decode_3of6(codes.encode_3of6(data)) == data
    assert codes.decode_manchester(codes.encode_manchester(data)) == data
    assert codes.from_bits(codes.bits(data)) == data


def test_every_3of6_symbol_has_three_ones():
    assert len(set(codes.SYMBOLS)) == 16
    assert all(bin(s).count("1") == 3 for s in codes.SYMBOLS)


@pytest.mark.parametrize("sample_format", ["cu8", "cs8", "cs16", "cf32"])
def test_sample_formats_there_and_back(sample_format):
    samples = iq.mix([iq.emission(QDS, modes.T1, offset_hz=12e3)], RATE_HZ)
    again = iq.from_bytes(iq.to_bytes(samples, sample_format), sample_format)
    assert np.max(np.abs(again - samples)) < {"cu8": 0.006, "cs8": 0.006, "cs16": 3e-5, "cf32": 1e-9}[sample_format]
    for call in (lambda: iq.to_bytes(samples, "wav"), lambda: iq.from_bytes(b"", "wav")):
        with pytest.raises(CannotEncode):
            call()


def test_frequency_and_level_of_the_samples():
    one = iq.Emission(np.ones(100, dtype=np.uint8), 100_000, 50_000, offset_hz=20e3, amplitude=0.25)
    wave = iq.modulate(one, RATE_HZ)
    assert np.allclose(np.abs(wave), 0.25, atol=1e-6)
    turned = np.angle(wave[1:] * np.conj(wave[:-1])) * RATE_HZ / (2 * np.pi)
    assert np.allclose(turned, 70e3, atol=200)


# --- rtl_433 --------------------------------------------------------------------------------------------------

RTL_433 = shutil.which("rtl_433")
needs_rtl_433 = pytest.mark.skipif(RTL_433 is None, reason="rtl_433 is not on the PATH (Debian package rtl-433)")


def heard(tmp_path, sources, snr_db=20.0, sample_format="cu8"):
    """What rtl_433 makes of a recording with noise `snr_db` below an amplitude of 0.5: its JSON objects."""
    samples = iq.mix(sources, RATE_HZ, pad_s=0.05)
    noise = np.random.Generator(np.random.PCG64(7)).standard_normal((len(samples), 2)) @ (1, 1j)
    samples = (samples + noise * 0.5 * 10 ** (-snr_db / 20) / np.sqrt(2)).astype(np.complex64)
    file = tmp_path / f"air.{sample_format}"
    file.write_bytes(iq.to_bytes(samples, sample_format))
    out = subprocess.run(
        [RTL_433, "-s", "1600k", "-R", "104", "-R", "105", "-Y", "minmax", "-r", file, "-F", "json"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in out.stdout.splitlines()]


def ten_times(frame, mode, **options):
    return [iq.emission(frame, mode, start_s=0.1 * n, **options) for n in range(TIMES)]


@needs_rtl_433
@pytest.mark.parametrize("name", MODES)
def test_rtl_433_hears_every_variant(tmp_path, name):
    seen = heard(tmp_path, ten_times(QDS, MODES[name]))
    assert len(seen) >= 8
    for one in seen:
        assert one["M"] == "QDS"
        assert one["id"] == 10000001
        assert one["mic"] == "CRC"
        assert one["mode"] == name[0]
        data = bytes.fromhex(one["data"])
        # Byte 0 is its own count; two CRC bytes trail in format A.
        assert data[1:].startswith(QDS[1:-2])
    print(f"{name}: {len(seen)} of {TIMES} heard at 20 dB")


@needs_rtl_433
@pytest.mark.parametrize("sample_format", ["cs8", "cs16", "cf32"])
def test_rtl_433_reads_every_sample_format(tmp_path, sample_format):
    assert len(heard(tmp_path, ten_times(QDS, modes.T1), sample_format=sample_format)) >= 8


@needs_rtl_433
@pytest.mark.parametrize("chip_rate_hz", [90_000, 110_000])
def test_rtl_433_hears_a_t_meter_whose_rate_is_ten_percent_off(tmp_path, chip_rate_hz):
    assert len(heard(tmp_path, ten_times(QDS, modes.T1, chip_rate_hz=chip_rate_hz))) >= 8


@needs_rtl_433
@pytest.mark.parametrize("offset_hz", [-60e3, 60e3])
def test_rtl_433_hears_a_frequency_offset(tmp_path, offset_hz):
    assert len(heard(tmp_path, ten_times(QDS, modes.T1, offset_hz=offset_hz))) >= 8


@needs_rtl_433
def test_noise_silences_rtl_433(tmp_path):
    assert len(heard(tmp_path, ten_times(QDS, modes.T1), snr_db=15)) >= 8
    assert not heard(tmp_path, ten_times(QDS, modes.T1), snr_db=5)


def collision(weaker_db):
    strong = ten_times(QDS, modes.T1, amplitude=0.45)
    weak = [
        iq.emission(TCH, modes.T1, start_s=0.1 * n + 0.0002 + 0.0003 * n, amplitude=0.45 * 10 ** (-weaker_db / 20))
        for n in range(TIMES)
    ]
    return strong + weak


@needs_rtl_433
def test_a_collision_of_equals_loses_both_and_a_stronger_frame_is_captured(tmp_path):
    assert not heard(tmp_path, collision(0), snr_db=30)
    survivors = {one["id"] for one in heard(tmp_path, collision(6), snr_db=30)}
    assert survivors == {10000001}


@needs_rtl_433
def test_a_carrier_jams_above_minus_15_db(tmp_path):
    meters = ten_times(QDS, modes.T1, amplitude=0.4)
    for level_db, at_least, at_most in ((-20, 8, 10), (-3, 0, 0)):
        jammer = iq.Carrier(1.1, 0.0, 13e3, 0.4 * 10 ** (level_db / 20))
        assert at_least <= len(heard(tmp_path, [*meters, jammer])) <= at_most
