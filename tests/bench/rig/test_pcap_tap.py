"""A world's capture that was cut says so in its section header: limit, first and last time, how many were left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.rig import pcap_tap
from reports import capture
from sim.core.clock import NS_PER_S
from sim.world import World
from tests.small_worlds import dozen

RUN_NS = 120 * NS_PER_S


def recorded(folder: Path, *, one_by_one: bool = False) -> Path:
    path = folder / "air.pcapng"
    folder.mkdir(exist_ok=True)
    with World(dozen(folder), 1, folder / "world") as world:
        log = pcap_tap.AirLog(world, path)
        if one_by_one:
            world.air.taps[-1] = lambda *row: log(*row)
        world.run(RUN_NS)
        log.close()
    return path


def test_a_cut_capture_accounts_for_every_packet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = recorded(tmp_path / "whole")
    whole = {extent.interface: extent for extent in capture.extents(path)}
    on_air = sorted(packet.time_ns for packet in capture.packets(path) if packet.interface == capture.AIR)
    assert [extent.limit for extent in whole.values()] == ["", ""]
    assert whole["air"].kept == len(on_air) and whole["broker"].kept > 3
    assert (whole["air"].first_ns, whole["air"].last_ns) == (on_air[0], on_air[-1])

    monkeypatch.setattr(pcap_tap, "GENUINE_FRAMES_MAX", 5)
    monkeypatch.setattr(pcap_tap, "MESSAGE_BYTES_MAX", 1_000)
    cut = {extent.interface: extent for extent in capture.extents(recorded(tmp_path / "cut"))}
    assert cut["air"].limit == "5 receptions of meters' frames"
    assert cut["broker"].limit == "1000 bytes of messages"
    assert cut["air"].kept == 5
    for name, extent in cut.items():
        assert extent.left_out > 0
        assert extent.kept + extent.left_out == whole[name].kept
        assert extent.first_ns == whole[name].first_ns
        assert extent.left_out_last_ns == whole[name].last_ns
        assert extent.last_ns <= extent.left_out_last_ns


@pytest.mark.parametrize("most", [5, 20_000])
def test_a_window_is_kept_as_its_frames_are_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(pcap_tap, "GENUINE_FRAMES_MAX", most)
    at_once, one_by_one = recorded(tmp_path / "a"), recorded(tmp_path / "b", one_by_one=True)
    assert at_once.read_bytes() == one_by_one.read_bytes()
