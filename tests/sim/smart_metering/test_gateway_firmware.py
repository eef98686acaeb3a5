"""Installing firmware: power may be cut between any two writes, and inside one."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from sim.core.clock import NS_PER_S
from sim.core.events import FirmwareTold
from sim.faults.gateway_power_cut import PowerCut
from sim.pki.slot_keys import DRAWN_BYTES, SlotKey, verifies
from sim.smart_metering.gateway_firmware import DEVICE, FIRST, PIECE_BYTES, GatewayFirmware
from sim.smgw.firmware_image import Expected, Firmware, encode
from sim.smgw.logs.log_entries import CALIBRATION, SYSTEM, LogEvent
from sim.systems._smgw_running import smgw
from sim.world import World
from tests.small_worlds import dozen

MAKER = SlotKey(bytes(range(DRAWN_BYTES)))
EXPECTED = Expected(DEVICE, "maker", lambda body, signature: verifies(MAKER.public, body, signature))
NEW = Firmware(DEVICE, (1, 1, 0), bytes(range(251)) * 60)
IMAGE = encode(NEW, "maker", MAKER.sign)


def on(folder: Path, told: list[str]) -> GatewayFirmware:
    made = GatewayFirmware(folder, EXPECTED, lambda what, detail, installed: told.append(what))
    made.open()
    return made


def test_a_fresh_one_has_the_makers_and_takes_a_newer_one(tmp_path: Path) -> None:
    told: list[str] = []
    box = on(tmp_path, told)
    assert (box.version, box.program) == (FIRST.version, FIRST.program)
    assert box.install(IMAGE, 100) and (box.version, box.program) == (NEW.version, NEW.program)
    assert not box.install(encode(Firmware(DEVICE, (1, 0, 9), b"old"), "maker", MAKER.sign), 200)
    assert told == ["firmware installed: 1.1.0", "firmware refused: version"]
    assert [one.at_s for one in box.untold] == [100, 200]
    box.told(1)
    again = on(tmp_path, told)
    assert [one.what for one in again.untold] == told[1:] and again.program == NEW.program


@pytest.mark.parametrize("stop", range(-(-len(NEW.program) // PIECE_BYTES) + 2))
def test_a_power_cut_between_two_writes_leaves_the_old_or_the_new_one(tmp_path: Path, stop: int) -> None:
    told: list[str] = []
    box = on(tmp_path, told)
    done = list(itertools.islice(box.steps(IMAGE, 100), stop + 1))
    assert len(done) == stop + 1
    again = on(tmp_path, told)
    runs_new = done[-1] == "it runs"
    runs = NEW if runs_new else FIRST
    assert (again.version, again.program) == (runs.version, runs.program)
    assert told == (["firmware installed: 1.1.0"] if runs_new else [])
    assert sorted(one.name for one in tmp_path.glob("*.bin")) == ["b.bin" if runs_new else "a.bin"]
    assert again.install(IMAGE, 200) and again.program == NEW.program


class CutError(Exception):
    """The power is gone."""


@pytest.mark.parametrize("instant", range(1, 24))
def test_a_power_cut_inside_a_write_leaves_the_old_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instant: int
) -> None:
    """Every write and every rename is an instant: what was to be written is there to its half, or not renamed."""
    told: list[str] = []
    box, count = on(tmp_path, told), 0
    real_open, real_replace = Path.open, Path.replace

    def due() -> bool:
        nonlocal count
        count += 1
        return count == instant

    class Torn:
        def __init__(self, file) -> None:  # type: ignore[no-untyped-def]
            self._file = file

        def __enter__(self) -> Torn:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def __getattr__(self, name: str) -> object:
            return getattr(self._file, name)

        def write(self, data: bytes) -> None:
            if due():
                self._file.write(data[: len(data) // 2])
                self._file.flush()
                raise CutError
            self._file.write(data)

    def torn_open(path: Path, mode: str = "r", *given: object, **more: object):  # type: ignore[no-untyped-def]
        made = real_open(path, mode, *given, **more)  # type: ignore[call-overload]
        return Torn(made) if "w" in mode else made

    def torn_replace(path: Path, target: Path) -> Path:
        if due():
            raise CutError
        return real_replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", torn_open)
        patch.setattr(Path, "replace", torn_replace)
        try:
            box.install(IMAGE, 100)
        except CutError:
            pass
        else:
            assert count < instant, "there are no more instants"
    again = on(tmp_path, told)
    assert again.program in (FIRST.program, NEW.program) and again.version in (FIRST.version, NEW.version)
    assert (again.program == NEW.program) == (again.version == NEW.version)
    if again.version == NEW.version:
        assert "firmware installed: 1.1.0" in [one.what for one in again.untold], "and the administrator will be told"


def test_in_a_world_a_gateway_that_loses_its_power_has_the_old_one_and_takes_it_again(tmp_path: Path) -> None:
    spec = dozen(tmp_path, system__kind="smgw", window_s=300.0, fleet__interval_s=300.0)
    with World(spec, 1, tmp_path / "world") as world:
        system = smgw(world.system)
        image = system.firmware.by_maker(NEW)
        world.run(300 * NS_PER_S)
        for gateway in (0, 1):
            system.send_firmware(gateway, image)
        world.fault(PowerCut(gateway=1, after_s=12.0, duration_s=60.0))
        world.run(600 * NS_PER_S)
        assert [one.version for one in system.firmware.of] == [NEW.version, FIRST.version]
        assert [one.what for one in system.administrator.alarms] == ["firmware installed: 1.1.0"]
        system.send_firmware(1, image)
        world.run(600 * NS_PER_S)
        assert [one.program for one in system.firmware.of] == [NEW.program] * 2
        assert [(one.gateway, one.what) for one in system.administrator.alarms] == [
            (one.gateway, one.what) for one in world.history.of(FirmwareTold)
        ]
        assert system.gateways[1].runs == ("1.1.0", NEW.digest)
        for log in (SYSTEM, CALIBRATION):
            rows = [row.entry.text for row in system.gateways[1].diary.logs.rows(log)
                    if row.entry.event is LogEvent.FIRMWARE]  # fmt: skip
            assert rows == [f"firmware installed: 1.1.0 ({NEW.digest})"]
