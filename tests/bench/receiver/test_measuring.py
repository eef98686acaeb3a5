"""A receiver whose curves are known is measured as it is; a real one hears what it should; errors are sentences."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.cli.main import main
from bench.receiver import measuring, receiver_command, trial
from bench.receiver.measuring import MODES, measure
from bench.receiver.trial import KNOWN, Program, Sending, heard, telegram
from bench.run_errors import CannotRun
from sim.core.parts import UnknownPart
from sim.core.seeds import Seeds
from sim.radio.receiver_profile import read
from wmbus.link import add_crcs_a
from wmbus.phy.modes import Mode

needs_rtl_433 = pytest.mark.skipif(
    shutil.which("rtl_433") is None, reason="rtl_433 is not on the PATH (Debian package rtl-433)"
)
STEP = Program("step", "rtl_433-json")
AIR_S = 0.007


def step_receiver(_: Program, mode: Mode, sendings: Sequence[Sending], __: Seeds) -> set[int]:
    """From 4 dB on over noise; from 6 dB on over a weaker one, in S1 also where the weaker began."""
    found = set()
    for one in sendings:
        others = [o for o in sendings if o is not one and abs(o.start_s - one.start_s) < AIR_S]
        first = all(one.start_s <= other.start_s for other in others) or mode.name == "S1"
        if one.snr_db >= 4 and first and all(one.snr_db - other.snr_db >= 6 for other in others):
            found.add(one.number)
    return found


def test_a_step_is_measured_as_a_step_and_saved_as_a_profile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measuring, "heard", step_receiver)
    monkeypatch.setattr(measuring, "_air_s", lambda _: AIR_S)
    file = tmp_path / "mine.toml"
    words = ["receiver", "measure", "step", "--format", "rtl_wmbus", "--save", str(file), "--frames", "8"]
    assert main([*words, "--against", "sdr-rtl_433"]) == 0
    said = capsys.readouterr().out
    assert "T1 alone" in said and "has" in said
    one = read(file)
    for row, mode in enumerate(MODES):
        assert 300 < one.easiest_cdb + one.need[row].max() + 100 * (one.sensitivity_dbm + 106.0) <= 400
        assert one.capture[row].min() >= 500 and one.capture[row].max() == 600
        assert (one.inside[row].max() == 600) == (mode == "S1")
    found = measure(STEP, ["T1"], 4, 1)
    assert dict(found.points["T1"]["alone"]) == {-3: 0, -2: 0, -1: 0, 0: 0, 1: 0, 2: 0, 3: 0, 4: 1, 5: 1}
    assert [share for _, share in found.points["T1"]["inside"]] == [0.0] * len(measuring.STRONGER_DB)


def test_each_telegram_of_a_measurement_is_one_of_its_own() -> None:
    frames = [telegram(number, Seeds(1)) for number in range(50)]
    assert len(set(frames)) == 50
    assert all(frame[0] == len(frame) - 1 and len(add_crcs_a(frame)) > 50 for frame in frames)


@needs_rtl_433
@pytest.mark.parametrize("mode", MODES)
def test_rtl_433_hears_at_20_db_and_not_at_5(mode: str) -> None:
    for snr_db, least, most in ((20.0, 5, 6), (5.0, 0, 0)):
        sendings = [Sending(n + 1, snr_db, 0.05 + 0.09 * n) for n in range(6)]
        assert least <= len(heard(KNOWN["rtl_433"], MODES[mode], sendings, Seeds(1))) <= most


@needs_rtl_433
def test_rtl_433_goes_over_to_a_frame_15_db_up_as_its_profile_says() -> None:
    sendings = [one for n in range(4) for one in (
        Sending(2 * n + 2, 15.0, 0.05 + 0.1 * n), Sending(2 * n + 1, 30.0, 0.053 + 0.1 * n)
    )]  # fmt: skip
    assert heard(KNOWN["rtl_433"], MODES["T1"], sendings, Seeds(1)) == {1, 3, 5, 7}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-receiver", "no-such-receiver is not on the PATH"),
        ("sh -c 'echo broken >&2; exit 3'", "sh ended with 3: 'broken'"),
        ("sh -c 'exit 3'", "sh ended with 3: 'it said nothing'"),
        ("sh 'x", "is no command: No closing quotation"),
        ("sh -c 'sleep 77 & wait'", "sh did not end in 0 s; it must read {iq}, or its input, to the end"),
    ],
)
def test_a_program_that_cannot_be_measured_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    monkeypatch.setattr(trial, "_PATIENCE_S", 0.4)
    with pytest.raises(CannotRun) as error:
        heard(Program(command, "rtl_wmbus"), MODES["T1"], [Sending(1, 20.0, 0.01)], Seeds(1))
    assert said in str(error.value)
    assert not [one for one in Path("/proc").glob("[0-9]*/cmdline") if b"sleep\x0077\x00" in content(one)]


def content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # gone meanwhile
        return b""


def test_what_a_program_prints_besides_telegrams_does_no_harm() -> None:
    noise = Program(r"""sh -c "cat >/dev/null; printf 'T1;1;1;x\n\033[2J\377\n0x2e44'" """, "rtl_wmbus")
    assert heard(noise, MODES["T1"], [Sending(1, 20.0, 0.01)], Seeds(1)) == set()


def asked(**other: Any) -> argparse.Namespace:
    words = {"program": "mine {iq}", "format": None, "modes": ["T1"], "save": None, "against": None, "frames": 1,
             "seed": 1, "json": False}  # fmt: skip
    return argparse.Namespace(**(words | other))


def test_wrong_words_are_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="what does it print\\? Give --format, one of amb8465, "):
        receiver_command._measure(asked())
    with pytest.raises(CannotRun, match="what does it print"):
        receiver_command._measure(asked(program="mine 'x"))
    with pytest.raises(UnknownPart, match="no line format 'rtl433'"):
        receiver_command._measure(asked(format="rtl433"))
    with pytest.raises(CannotRun, match="a profile has all three modes"):
        receiver_command._measure(asked(format="rtl_wmbus", save=tmp_path / "x"))
    with pytest.raises(UnknownPart, match="no receiver 'sdr'"):
        receiver_command._measure(asked(format="rtl_wmbus", against="sdr"))


def test_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["receiver", "list"]) == 0
    assert "transceiver-datasheet   A transceiver chip, as its data sheet has it (the def" in capsys.readouterr().out
    assert main(["receiver", "show", "sdr-rtl_433"]) == 0
    assert "[S1]" in capsys.readouterr().out
    assert main(["receiver", "show", "x"]) == 2
    assert "no receiver 'x'; known" in capsys.readouterr().err
