"""wmbusmeters, a gateway program that nobody here wrote, where it is on the PATH: each of our emulated dongles is
accepted by it, and what it hears by one is what was on the air. As a box it publishes over mutual TLS."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from sim.core import clock
from sim.core.clock import wall_ns
from sim.desk import inventory
from sim.desk.box import Box
from sim.desk.inventory import GatewayEntry
from sim.feeders.kinds.codec import CodecSpec
from sim.feeders.lines.pty import PtySpec
from sim.feeders.lines.stdin import StdinSpec
from sim.feeders.port import FeederSpec, Sent
from sim.readers.port import Delivered

pytestmark = pytest.mark.skipif(
    shutil.which("wmbusmeters") is None or shutil.which("mosquitto_pub") is None,
    reason="allowed: wmbusmeters and mosquitto_pub are foreign programs, tried where they are on the PATH",
)

# A gas meter and a water meter in clear, each with its units; the last byte of the first tells copies apart.
TELEGRAMS = [
    bytes.fromhex("2e44a5119870659930037a060020052f2f0c933e842784060a3b00000a5a5901c4016d3b37df2ccc01933e24032606"),
    bytes.fromhex("314493449819848536087a750000200b6e3900004b6e610300426c3f3ccb086e610300c2086c3f3c326cffff046d01084c31"),
]
DEVICES = {
    "im871a": "{feed}:im871a:c1,t1", "amb8465": "{feed}:amb8465:c1,t1", "cul": "{feed}:cul:c1",
    "rc1180": "{feed}:rc1180:t1", "rtl_wmbus": "stdin:rtlwmbus",
}  # fmt: skip
TRIES, NO_DEVICE = 3, "No wmbus device detected"


def entry_with(format_: str) -> GatewayEntry:
    entry = inventory.find("wmbusmeters", None)
    line = StdinSpec() if format_ == "rtl_wmbus" else PtySpec(link=format_)
    feed: tuple[FeederSpec, ...] = (CodecSpec(format=format_, line=line),)
    files = {name: text.replace("{feed}:im871a:c1,t1", DEVICES[format_]) for name, text in entry.run.files.items()}
    return dataclasses.replace(entry, feed=feed, run=dataclasses.replace(entry.run, files=files))


def test_the_entry_is_of_an_im871a() -> None:
    assert any(DEVICES["im871a"] in text for text in inventory.find("wmbusmeters", None).run.files.values())


@pytest.mark.parametrize("format_", DEVICES)
def test_it_hears_by_each_interface_what_was_on_the_air(tmp_path: Path, format_: str) -> None:
    for attempt in range(TRIES):
        if _hears(tmp_path / str(attempt), format_, last=attempt == TRIES - 1):
            return


def _hears(folder: Path, format_: str, *, last: bool) -> bool:
    """False: on a busy machine it gave up looking for its dongle, whose answer it waits for so long and no longer."""
    folder.mkdir()
    with Box(entry_with(format_), folder) as box:
        assert box.endpoint is not None
        rows: list[Delivered] = []
        end_s = clock.wall_s() + 20
        for one in TELEGRAMS:
            while not box.feed(Sent(one, "T1", -71.0, wall_ns())) and clock.wall_s() < end_s:
                box.turn(0.1)  # it is still setting its dongle up
        while len(rows) < 4 and clock.wall_s() < end_s:  # each telegram in its log, and decoded
            box.turn(0.1)
            rows += box.take()
        if not rows and not last and NO_DEVICE in box.last_words():
            return False
        heard = sorted(row.frame for row in rows if row.frame is not None)
        if format_ == "amb8465" and heard != sorted(TELEGRAMS):  # release 3.0.0 takes the level for the last byte
            assert heard == sorted(bytes((one[0] + 1,)) + one[1:] + b"\x06" for one in TELEGRAMS)
        else:
            assert heard == sorted(TELEGRAMS), box.last_words()
        told = {row.meter: row.values for row in rows if row.values is not None}
        assert told["99657098"]["target_m3"] == 6260.324
        assert told["85841998"]["media"] == "heat cost allocation"
        if format_ != "rc1180":  # a raw frame has no level
            assert told["99657098"]["rssi_dbm"] == -71
    assert box.pid is None
    return True
