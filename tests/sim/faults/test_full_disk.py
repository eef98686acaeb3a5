"""A disk that is full: the broker's, the portal's, a gateway's. A file system of its own (a small tmpfs) is filled to
its last byte, so that the errors are the kernel's. Nothing that was stored is lost, the cause is said in a sentence,
and when there is room again work goes on."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.rig.checks import faults_witnessed
from sim.core.clock import NS_PER_S
from sim.faults.broker_disk_full import BrokerDiskFull
from sim.faults.broker_killed import BrokerKilled
from sim.gateway.outbox import Outbox, OutboxError
from sim.portal.store import StoreError
from sim.world import World
from tests.sim.faults.test_faults import MINUTE, nothing_lost
from tests.sim.portal.bed import Bed, acked, telegram
from tests.small_worlds import dozen

REASON = "allowed: no small file system can be mounted here; that takes root"


def mounted(place: Path, kib: int) -> bool:
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(place)]
    return (
        shutil.which("mount") is not None and not subprocess.run(command, capture_output=True, check=False).returncode
    )


@contextlib.contextmanager
def small_disk(place: Path, kib: int = 256) -> Iterator[Path]:
    if not mounted(place, kib):
        pytest.skip(REASON)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """To the last byte; returns what takes the room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4_096, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
    with pytest.raises(OSError, match="No space left"):
        (disk / "more").write_bytes(b"x")
    (disk / "more").unlink()
    return filler


def test_a_broker_on_a_full_disk_goes_on_and_its_death_loses_nothing(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "world" / "endpoint") as disk,
        World(dozen(tmp_path, endpoint__kind="mosquitto"), 1, tmp_path / "world") as world,
    ):
        world.run(MINUTE)
        filler = fill(disk)
        look = BrokerDiskFull().look(world)
        assert (disk / "mosquitto.db").stat().st_size == look.saved_bytes == 0, "what Mosquitto saves is an empty file"
        world.run(MINUTE)
        assert not any(gateway.waiting for gateway in world.gateways), "it goes on"
        world.fault(BrokerKilled(phase="deliver"))
        filler.unlink()
        world.run(2 * MINUTE)
        assert faults_witnessed.check(world, False) == []
        assert not any(gateway.waiting for gateway in world.gateways)
        nothing_lost(world)


def test_the_limit_of_the_fault_has_the_same_effect(tmp_path: Path) -> None:
    with World(dozen(tmp_path, endpoint__kind="mosquitto"), 1, tmp_path / "world") as world:
        full = world.fault(BrokerDiskFull(after_s=30.0, duration_s=60.0))
        world.run(MINUTE)
        assert re.fullmatch(r"process \d+ runs and saves 0 bytes, where it had saved [1-9]\d*", full.evidence)
        world.run(2 * MINUTE)
        assert full.healed_ns == 90 * NS_PER_S
        assert re.fullmatch(r"process \d+ saves [1-9]\d* bytes again", full.recovery)
        nothing_lost(world)


def test_a_portal_on_a_full_disk_takes_nothing_and_keeps_what_it_has(tmp_path: Path) -> None:
    with small_disk(tmp_path / "portal", 3_072) as disk:
        bed = Bed(disk)
        bed.run(range(1, 20))
        filler = fill(disk)
        before = bed.portal.store.count_readings()
        for k in range(20, 2_000):  # what its log has of room is used up first
            message = bed.message("gw1", [(telegram(k), k * 900.0)])
            try:
                bed.take(message, now_s=k * 900.0 + 5)
            except StoreError as error:
                said = str(error)
                break
            before = bed.portal.store.count_readings()
        assert re.search(r"full: nothing of this take was kept .* free disk space$", said)
        assert bed.portal.store.count_readings() == before == k - 1
        filler.unlink()
        assert [acked(answer) for answer in bed.take(message, now_s=k * 900.0 + 10)] == [[k]]
        bed.restart()
        assert [row.acc for row in bed.portal.store.readings()] == [one & 0xFF for one in range(1, k + 1)]
        assert bed.sql("PRAGMA integrity_check") == [("ok",)]
        bed.portal.close()


def test_a_gateway_on_a_full_disk_keeps_what_is_on_it_and_what_is_to_come(tmp_path: Path) -> None:
    with small_disk(tmp_path / "gateway") as disk:
        outbox = Outbox(disk / "o.sqlite")
        outbox.store(lambda n: b"first")
        outbox.sync()
        filler = fill(disk)
        for _ in range(100):  # as above
            outbox.store(lambda n: bytes(2_000))
            try:
                outbox.sync()
            except OutboxError as error:
                said = str(error)
                break
        assert re.search(r"full[^\n]*free[^\n]*$", said)
        filler.unlink()
        outbox.sync()
        stored = [sequence for sequence, _ in outbox.waiting()]
        outbox.close()
        disk_again = Outbox(disk / "o.sqlite")
        assert [sequence for sequence, _ in disk_again.waiting()] == stored == list(range(1, len(stored) + 1))
        disk_again.close()
