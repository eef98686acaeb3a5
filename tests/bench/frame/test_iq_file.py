"""`frame iq`: telegrams as samples of a radio, heard again here by a receiver of two lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bench.command_line import Rig
from tests.bench.conftest import Here
from tests.bench.frame.frame_rig import FRAME, QUNDIS, piped, refused
from wmbus.phy import iq
from wmbus.phy.modes import T1, from_chips


def heard(file: Path, sample_format: Any, rate_hz: float) -> bytes:
    """A receiver of two lines for one T1 telegram without noise: the sign of the frequency in the middle of a chip."""
    import numpy as np

    samples = iq.from_bytes(file.read_bytes(), sample_format)
    turned = np.angle(samples[1:] * np.conj(samples[:-1]))
    first = int(np.argmax(np.abs(samples) > 0.1))
    centres = (first + (np.arange(5_000) + 0.5) * rate_hz / T1.chip_rate_hz).astype(int)
    return from_chips((turned[centres[centres < len(turned)]] > 0).astype(np.uint8), T1)


@pytest.mark.parametrize("sample_format", ["cu8", "cs8", "cs16", "cf32"])
def test_iq_of_every_format_by_suffix_and_by_option(here: Here, tmp_path: Path, sample_format: str) -> None:
    for name, more in ((f"air.{sample_format}", ()), ("air.iq", ("--format", sample_format))):
        file = tmp_path / name
        done = here("frame", "iq", FRAME.hex(), "--mode", "T1", "--out", file, "--snr-db", "inf", *more)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"{name}: 1 telegrams in 0.1" in done.stdout
        assert heard(file, sample_format, 1.6e6) == FRAME


def test_iq_is_the_seeds_own_and_goes_to_standard_output(rig: Rig) -> None:
    words = ("iq", FRAME.hex(), "--out", "-", "--format", "cs8", "--rate-hz", "8e5")
    first = piped(rig, b"", *words).stdout
    assert first == piped(rig, b"", *words).stdout != piped(rig, b"", *words, "--seed", "2").stdout
    assert len(first) > 2 * 8e5 * 0.1


def test_several_telegrams_a_collision_and_a_jammer(here: Here, tmp_path: Path) -> None:
    def seconds(*words: str) -> float:
        file = tmp_path / "air.cs8"
        done = here("frame", "iq", *words, "--out", file, "--rate-hz", "4e5", "--snr-db", "inf")
        assert done.returncode == 0, done.stderr
        return file.stat().st_size / 2 / 4e5

    two = (FRAME.hex(), QUNDIS)
    in_turn, together = seconds(*two), seconds(*two, "--collide")
    assert in_turn > together + 0.1
    assert seconds(f"{two[0]}@start_ms=0", f"{two[1]}@start_ms=300,level_db=-6,offset_hz=2e4,mode=C1A") > 0.4
    assert seconds(*two, "--repeat", "3") > 3 * in_turn - 0.3
    assert seconds(*two, "--jammer-db", "-3", "--jammer-hz", "2e4") == in_turn


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([QUNDIS, "--out", "air.wav"], "air.wav: which sample format? End the name in cu8, .cs8, .cs16, .cf32"),
        ([QUNDIS, "--out", "-"], "-: which sample format?"),
        (["zz", "--out", "a.cu8"], "'z' is no hex digit (at 0)"),
        ([QUNDIS[:-2], "--out", "a.cu8"], "is no telegram: length-mismatch at byte 0"),
        ([QUNDIS + "@level=3", "--out", "a.cu8"], "'level=3' behind @: a telegram has start_ms, level_db"),
        ([QUNDIS + "@level_db=x", "--out", "a.cu8"], "start_ms, level_db and offset_hz are numbers"),
        ([QUNDIS + "@mode=N1", "--out", "a.cu8"], "mode=N1: the modes are T1, C1A, C1B, S1, S1M"),
        ([QUNDIS + "@start_ms=-5", "--out", "a.cu8"], "start_ms=-5 is before the recording begins"),
        ([QUNDIS + "@start_ms=nan", "--out", "a.cu8"], "is not a finite number"),
        ([QUNDIS + "@start_ms=1e12", "--out", "a.cu8"], "a recording has at most"),
        ([QUNDIS, "--out", "a.cu8", "--rate-hz", "10"], "--rate-hz 10: between 200000 and 2e+07"),
        ([QUNDIS, "--out", "a.cu8", "--rate-hz", "nan"], "--rate-hz nan: between"),
        ([QUNDIS, "--out", "a.cu8", "--offset-hz", "9e5"], "beyond half of 1.6e+06 samples a second"),
        ([QUNDIS, "--out", "a.cu8", "--snr-db", "nan"], "is not a finite number"),
        ([QUNDIS, "--out", "a.cu8", "--chip-rate-hz", "0"], "0 chips a second"),
        ([QUNDIS, "--out", "a.cu8", "--gap-ms", "-7"], "--gap-ms -7"),
        ([QUNDIS, "--out", "a.cu8", "--mode", "N1"], "invalid choice: 'N1'"),
        ([QUNDIS, "--out", "nowhere/a.cu8"], "nowhere/a.cu8"),
        ([QUNDIS], "the following arguments are required: --out"),
    ],
)
def test_what_cannot_be_sent(here: Here, words: list[str], says: str) -> None:
    error = refused(here, "iq", *words)
    assert says in error
    assert "fault of wmbench" not in error
