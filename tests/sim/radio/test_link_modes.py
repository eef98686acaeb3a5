"""Air times against the published durations of three usual telegram lengths."""

from __future__ import annotations

import pytest

from sim.radio.link_modes import RULES, Mode, air_time_ns, bytes_on_air, header_ns

# bytes with CRCs on air: ms in T1, C1, S1
DURATIONS = {37: (4.94, 3.60, 35.7), 55: (7.10, 5.04, 44.5), 73: (9.26, 6.48, 53.3)}


@pytest.mark.parametrize("on_air", DURATIONS)
def test_air_time_of_mode_5_telegrams(on_air):
    length_bytes = {37: 31, 55: 47, 73: 63}[on_air]
    assert bytes_on_air(length_bytes) == on_air
    for mode, expected_ms, digits in zip(Mode, DURATIONS[on_air], (2, 2, 1), strict=True):
        assert round(air_time_ns(mode, length_bytes) / 1e6, digits) == expected_ms


def test_format_a_has_a_crc_after_10_then_16_bytes():
    assert [bytes_on_air(n) - n for n in (10, 11, 26, 27, 42, 43, 256)] == [2, 4, 4, 6, 6, 8, 34]
    with pytest.raises(ValueError, match="at least 10"):
        bytes_on_air(9)


def test_the_header_is_known_after_preamble_sync_and_first_block():
    assert header_ns(Mode.T1) == (38 + 10 + 12 * 12) * 10_000
    assert header_ns(Mode.C1) == (32 + 32 + 12 * 8) * 10_000
    assert header_ns(Mode.S1) < air_time_ns(Mode.S1, 10)


def test_a_fast_chip_rate_shortens_a_frame():
    assert air_time_ns(Mode.T1, 63, 100_000) == round(9_260_000 / 1.1)
    assert air_time_ns(Mode.T1, 63, -100_000) == round(9_260_000 / 0.9)


def test_t1_and_c1_share_a_channel():
    assert Mode.T1.channel == Mode.C1.channel != Mode.S1.channel
    assert RULES[Mode.T1].centre_hz == RULES[Mode.C1].centre_hz == 868_950_000
