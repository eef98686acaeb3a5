"""A gateway that is opened, moved or robbed of its module: its history has it, and its administrator hears of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.core.clock import NS_PER_S
from sim.core.events import GatewayDisturbed as Noticed
from sim.faults.administrator_lost import AdministratorLost
from sim.faults.gateway_disturbed import GatewayDisturbed
from sim.faults.gateway_power_cut import PowerCut
from sim.faults.module_silent import ModuleSilent
from sim.faults.port import CannotInject
from sim.smart_metering.housing import KINDS, MOVED, OPENED, PULLED, Housing
from sim.smgw.logs.log_entries import SYSTEM, LogEvent
from sim.systems._smgw_running import smgw
from sim.world import World
from tests.small_worlds import dozen


def test_what_is_noticed_is_told_however_late(tmp_path: Path) -> None:
    """While nobody reaches the administrator and the gateway loses its power; each once."""
    spec = dozen(tmp_path, system__kind="smgw", window_s=900.0, fleet__interval_s=300.0)
    with World(spec, 1, tmp_path / "world") as world:
        system = smgw(world.system)
        lost = world.fault(AdministratorLost())
        for what in (OPENED, MOVED):
            world.fault(GatewayDisturbed(what=what, gateway=1))  # type: ignore[arg-type]
        world.fault(PowerCut(gateway=1, duration_s=60.0))
        world.run(1_800 * NS_PER_S)
        assert system.administrator.alarms == []
        lost.heal()
        world.run(900 * NS_PER_S)
        world.fault(GatewayDisturbed(what=PULLED))
        world.run(1_800 * NS_PER_S)
        told = [(one.gateway, one.what, one.noticed_ns) for one in system.administrator.alarms]
        assert told == [("gw-0002", OPENED, 0), ("gw-0002", MOVED, 0), ("gw-0001", PULLED, 2_700 * NS_PER_S)]
        assert all(one.told_ns > one.noticed_ns for one in system.administrator.alarms)
        assert [(one.gateway, one.what) for one in world.history.of(Noticed)] == [told[n][:2] for n in range(3)]
        logged = [
            (gateway.id, row.entry.text) for gateway in system.gateways for row in gateway.diary.logs.rows(SYSTEM)
            if row.entry.event == LogEvent.DISTURBED
        ]  # fmt: skip
        assert sorted(logged) == sorted((gateway, what) for gateway, what, _ in told), "those without power, too"
        assert all(one.unwitnessed == "" for one in world.injections)
        for fault in (GatewayDisturbed(gateway=7), ModuleSilent(gateway=7)):
            with pytest.raises(CannotInject, match="no gateway 7"):
                world.fault(fault)


def test_a_housing_on_the_same_disk_is_the_same_one(tmp_path: Path) -> None:
    told: list[object] = []
    housing = Housing(tmp_path / "housing.json", told.append)
    for at, what in enumerate(KINDS):
        housing.disturb(what, at)
    assert len(told) == 3 and Housing(tmp_path / "housing.json", told.append).untold == housing.untold
    housing.told()
    assert Housing(tmp_path / "housing.json", told.append).untold == ()
    with pytest.raises(ValueError, match="housing opened, gateway moved, module pulled"):
        housing.disturb("painted", 1)
