"""A chain with a radio receiver that nobody here wrote: a fleet on our air, IQ over rtl_tcp, rtl_433, a gateway that
forwards over mutual TLS, the portal that reads values."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from sim.core.clock import NS_PER_S
from sim.gateway.kinds.box import BoxGateway, BoxSpec
from sim.world import World
from tests.small_worlds import dozen

pytestmark = pytest.mark.skipif(
    shutil.which("rtl_433") is None, reason="rtl_433 is not on the PATH (Debian package rtl-433)"
)
HEARD_LEAST = 0.8
"""Of what it was given: the samples are made and read in real time, on a machine that does other things too."""


@pytest.mark.acceptance  # samples in real time, from meters to stored readings
@pytest.mark.parametrize("entry", ["rtl_433", "rtl_433-chain"])
def test_what_meters_send_is_read_through_a_foreign_receiver(tmp_path: Path, entry: str) -> None:
    spec = dozen(tmp_path, clock__kind="wall", clock__rate=4.0, clock__late_most_s=30.0)
    box = BoxSpec("gw", entry=entry, bundle_age_s=5.0, drain_s=2.0, inventory=str(tmp_path / "none"))
    with World(dataclasses.replace(spec, gateway=(box,)), 3, tmp_path / "run") as world:
        world.run(40 * NS_PER_S)
        world.finish()
        gateway = world.gateways[0]
        assert isinstance(gateway, BoxGateway)
        given, stored = world.truth.received, world.stored.count_readings()
        assert given > 20
        assert stored >= HEARD_LEAST * given, gateway.as_json()
        assert world.truth.altered_readings == 0
        assert gateway.unknown == gateway.unreadable == 0
        modes = {world.truth.security(one) for one in world.truth.sent() if one.reading is not None}
        assert modes == {"none", "mode5", "mode7"}
