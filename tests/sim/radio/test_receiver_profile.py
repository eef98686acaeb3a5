"""Receivers as data: the tables of each profile come out of a played air again, and a wrong file is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_air import Stage, radios, sorted_schedule

from bench.cli.main import main
from sim.core import own
from sim.core.events import Fate
from sim.core.parts import UnknownPart
from sim.core.settings import SpecError, build, read_toml
from sim.gateway.gateway_spec import GatewaySpec
from sim.radio.air import ENGINES
from sim.radio.capture_effect import ENTRIES, NEVER_CDB, quantiles
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.receiver_names import DEFAULT
from sim.radio.receiver_profile import FOLDER, ReceiverProfile, profile, profiles, read

FRAMES = 600
LENGTH = 50


def share_at(table: np.ndarray, ratio_db: float) -> float:
    """The share of frames whose threshold is at or below a ratio."""
    return float((table <= round(100 * ratio_db)).mean())


def two(
    one: ReceiverProfile, mode: Mode, stronger_db: float, later_ns: int, engine: str, *, deferred: bool = True
) -> tuple[float, float]:
    """(share received of the stronger, of the weaker) of pairs that overlap; the stronger begins `later_ns` after the
    weaker, or before it where that is negative. One demodulator."""
    fleet = radios(2, mode, LENGTH)
    fleet.power_cdbm[:] = [round(100 * stronger_db), 0]
    stage = Stage(2, fleet=fleet, profile=one, engine=engine)
    stage.listen(deferred=deferred, sensitivity_cdbm=-13_000)
    at = np.arange(FRAMES) * 3 * air_time_ns(mode, LENGTH) + 10**7
    start = np.concatenate([at + max(later_ns, 0), at + max(-later_ns, 0)])
    who, k = np.repeat([0, 1], FRAMES), np.tile(np.arange(FRAMES), 2)
    stage.run(sorted_schedule(start, who, k), int(start.max()) + 10**9)
    rows = stage.table()
    assert len(rows) == 2 * FRAMES
    strong, weak = ((rows[rows[:, 1] == who][:, 4] == Fate.RECEIVED).mean() for who in (0, 1))
    return float(strong), float(weak)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("id_", ["sdr-rtl_wmbus", "sdr-rtl_433", "transceiver-datasheet"])
def test_capture_and_overtaking_come_out_as_they_were_measured(id_: str, mode: Mode, engine: str) -> None:
    one, row, half_ns = profile(id_), mode - 1, air_time_ns(mode, LENGTH) // 2
    for stronger_db in (1.0, 3.5, 8.7):
        first, _ = two(one, mode, stronger_db, -half_ns, engine)
        assert first == pytest.approx(share_at(one.capture[row], stronger_db), abs=0.07)
        within, followed = two(one, mode, stronger_db, half_ns, engine)
        both = np.maximum(one.inside[row], one.capture[row])  # who breaks in must survive, too
        assert within == pytest.approx(share_at(both, stronger_db), abs=0.07)
        assert within + followed <= 1
        if one.early_ns[row]:
            early, _ = two(one, mode, stronger_db, int(one.early_ns[row]) - 1, engine)
            after, _ = two(one, mode, stronger_db, int(one.early_ns[row]), engine)
            both = np.maximum(one.early[row], one.capture[row])
            assert early == pytest.approx(share_at(both, stronger_db), abs=0.07)
            assert after == within or after == pytest.approx(within, abs=0.07)


def test_in_s_mode_a_receiver_goes_over_to_the_stronger_frame_and_in_t_it_stays() -> None:
    """'Message in message': the frame it leaves is lost, and the reason is the demodulator."""
    one = profile("sdr-rtl_wmbus")
    for mode, kept in ((Mode.S1, 1.0), (Mode.T1, 0.13)):
        strong, weak = two(one, mode, 12.0, air_time_ns(mode, LENGTH) // 2, "arrays")
        assert (strong, weak) == (pytest.approx(kept, abs=0.04), 0.0)
    fleet = radios(2, Mode.S1, LENGTH)
    fleet.power_cdbm[:] = [1_200, 0]
    stage = Stage(2, fleet=fleet, profile=one)
    stage.listen(sensitivity_cdbm=-13_000)
    stage.run(sorted_schedule([0, 10**7], [1, 0], [0, 0]), 10**9)
    assert [Fate(fate).name for fate in stage.table()[:, 4].tolist()] == [
        "RECEIVER_BUSY", "RECEIVED",
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("id_", list(profiles()))
def test_over_noise_the_share_of_frames_is_the_curve_s(id_: str, engine: str) -> None:
    one = profile(id_)
    easiest_cdbm = one.easiest_cdbm(-80.0)
    for mode in Mode:
        for over_cdb in (90, 210):
            stage = Stage(1, fleet=radios(1, mode, LENGTH), profile=one, engine=engine)
            stage.listen(deferred=True, sensitivity_cdbm=easiest_cdbm)
            stage.air.radios.power_cdbm[:] = easiest_cdbm + over_cdb - (700 - 5878 + 2800 - 4136) + 700
            k = np.arange(FRAMES)
            stage.run(sorted_schedule(k * 10**8, k * 0, k), FRAMES * 10**8)
            level = stage.table()[0, 5]
            wanted = share_at(one.need[mode - 1], (level - easiest_cdbm) / 100)
            assert stage.fates.get("received", 0) / FRAMES == pytest.approx(wanted, abs=0.07)


def test_half_of_the_t1_frames_arrive_at_the_level_that_a_profile_and_a_gateway_name() -> None:
    for one in profiles().values():
        for told_dbm in (None, -77.0):
            level = round(100 * (one.sensitivity_dbm if told_dbm is None else told_dbm))
            share = share_at(one.need[0], (level - one.easiest_cdbm(told_dbm)) / 100)
            assert share == 1.0 if one.id == DEFAULT else share == pytest.approx(0.5, abs=0.01)


def test_a_table_holds_the_points_of_a_curve_and_pools_what_falls_by_chance() -> None:
    table = quantiles([(-1, 0.0), (0, 0.5), (2, 0.4), (4, 0.9)])  # 0.5 and 0.4 are 0.45 twice
    assert share_at(table, 0) == share_at(table, 2) == pytest.approx(0.45, abs=1 / ENTRIES)
    assert share_at(table, 3) == pytest.approx(0.675, abs=1 / ENTRIES)
    assert share_at(table, 4) == share_at(table, 99) == pytest.approx(0.9, abs=1 / ENTRIES)
    assert share_at(table, -1.01) == 0
    assert (quantiles([]) == NEVER_CDB).all()
    assert (quantiles([(8.7, 1.0)]) == 870).all()


@pytest.mark.parametrize(
    ("line", "wrong", "said"),
    [
        ("capture = [[8.7, 1.0]]", "capture = []", "T1.capture: needs at least one point"),
        ("capture = [[8.7, 1.0]]", "capture = [[8.7, 1.5]]", "T1.capture: a share is between 0 and 1"),
        ("capture = [[8.7, 1.0]]", "capture = [[8.7]]", "T1.capture: each point is a pair: dB, share"),
        ("capture = [[8.7, 1.0]]", "capture = [[8.7, 0], [3, 1]]", "T1.capture: the points must rise in dB"),
        ("capture = [[8.7, 1.0]]", "capture = [[870, 1]]", "T1.capture: a ratio is between -100 and 100 dB"),
        ("sensitivity = [[0.0, 1.0]]", "sensitivity = [[0, 0.4]]", "T1.sensitivity: must reach half of the frames"),
        ("sensitivity_dbm = -100.0", "sensitivity = -100.0", "sensitivity: unknown key"),
    ],
)
def test_a_wrong_file_is_named_with_line_and_key(tmp_path: Path, line: str, wrong: str, said: str) -> None:
    text = (FOLDER / f"{DEFAULT}.toml").read_text(encoding="utf-8")
    assert line in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(line, wrong, 1), encoding="utf-8")
    with pytest.raises(SpecError, match=r"mine\.toml.*line \d+") as error:
        read(file)
    assert said in str(error.value)


def test_an_unknown_receiver_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownPart, match="no receiver 'sdr-rtl433'; known, nearest first: sdr-rtl_433, "):
        profile("sdr-rtl433")
    file = tmp_path / "world.toml"
    file.write_text('receiver = "sdr-rtl433"\n', encoding="utf-8")
    with pytest.raises(SpecError, match=r"line 1: receiver: 'sdr-rtl433' is not one of .*transceiver-datasheet.*mean"):
        build(GatewaySpec, *read_toml(file))


def test_a_users_own_profile_is_found_beside_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / own.RECEIVERS).mkdir()
    (tmp_path / own.SETTINGS).touch()
    text = (FOLDER / f"{DEFAULT}.toml").read_text().replace("sensitivity_dbm = -100.0", "sensitivity_dbm = -97.5")
    (tmp_path / own.RECEIVERS / "mine.toml").write_text(text)
    monkeypatch.setenv(own.PLACE, str(tmp_path))
    assert "mine" in profiles() and profile("mine").sensitivity_dbm == -97.5
    assert GatewaySpec(receiver="mine").easiest_cdbm != GatewaySpec().easiest_cdbm
    assert main(["receiver", "show", "mine"]) == 0
    assert capsys.readouterr().out == (tmp_path / own.RECEIVERS / "mine.toml").read_text()
    monkeypatch.delenv(own.PLACE)
    assert "mine" not in profiles()


def test_a_users_own_profile_with_the_name_of_ours_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / own.RECEIVERS).mkdir()
    (tmp_path / own.RECEIVERS / f"{DEFAULT}.toml").write_text((FOLDER / f"{DEFAULT}.toml").read_text())
    monkeypatch.setenv(own.PLACE, str(tmp_path))
    with pytest.raises(SpecError, match="have the same name: give yours another"):
        profiles()
