"""The households of a world: what their gateway wrote into their logs is what left, a row that somebody took from the
disk shows with its number, and what cannot be logged does not leave."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.core.clock import NS_PER_S
from sim.core.events import AlarmRaised, ContainerSealed
from sim.faults.gateway_power_cut import PowerCut
from sim.smart_metering.gateway_diary import Diary
from sim.smart_metering.gateway_logs import GatewayLogs
from sim.smgw.delivered_content import decode
from sim.smgw.logs.hash_chain import Row
from sim.smgw.logs.log_entries import CALIBRATION, SYSTEM, LogEvent, consumer
from sim.smgw.logs.log_limits import LogLimit
from sim.smgw.refusals import RuleError
from sim.systems._smgw_running import Smgw, smgw
from sim.world import World
from tests.small_worlds import smart

HOUR = 3_600 * NS_PER_S


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(smart(tmp_path), 1, tmp_path / "world") as made:
        made.run(2 * HOUR)
        yield made


def of(world: World) -> Smgw:
    return smgw(world.system)


def busy(world: World) -> int:
    """A gateway with which meters are paired."""
    return next(number for number, box in enumerate(of(world).gateways) if box.owners())


def log(world: World, gateway: int, owner: str) -> list[Row]:
    return of(world).gateways[gateway].diary.log_of(owner)


def alarms(world: World) -> list[tuple[str, str, str]]:
    return [(one.kind, one.subject, one.detail) for one in world.history.of(AlarmRaised) if one.kind != "gap"]


def test_the_logs_say_who_was_sent_what_and_when(world: World) -> None:
    """By the supplier's table and the history, not by the gateway's own word."""
    system = of(world)
    got = Counter((one.gateway, one.meter) for one in world.system.delivered())
    sealed = {(one.gateway, one.number): one.time_ns for one in world.history.of(ContainerSealed)}
    told: Counter[tuple[str, str]] = Counter()
    begun_s = int(world.calendar.start.timestamp())
    for number, box in enumerate(system.gateways):
        for owner in box.owners():
            rows = log(world, number, owner)
            sent = [row.entry for row in rows if row.entry.event is LogEvent.VALUES_SENT]
            parts = box.diary.parts(owner)
            assert [one.content for one in sent] == [hashlib.sha256(part.content).hexdigest() for part in parts]
            for entry, part in zip(sent, parts, strict=True):
                values = decode(part.content).values
                assert {box.owner_of(one.meter) for one in values} == {owner} and entry.subject == "supplier"
                assert entry.at_s - begun_s == sealed[box.id, part.number] // NS_PER_S
                told.update((box.id, one.meter) for one in values)
            handed = [row for row in rows if row.entry.event is LogEvent.HANDED_OVER]
            assert len(handed) == len(sent) >= 2
    assert told == got, "no value left that is not in its owner's log, and none is there that did not leave"


def test_a_consumer_sees_a_row_that_was_taken_from_the_disk(world: World) -> None:
    system = of(world)
    system.homes.look()
    assert alarms(world) == []
    number = busy(world)
    box = system.gateways[number]
    owner = box.owners()[0]
    (path,) = [one for one in (box.disk / "logs").glob("consumer*") if owner.replace(" ", "%20") in one.name]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    system.homes.look()
    assert ("log", owner, "row 2: is missing") in alarms(world)
    assert {subject for _, subject, _ in alarms(world)} == {owner}, "and nobody else's log is questioned"


def test_logs_outlive_a_power_cut_and_go_on(world: World) -> None:
    system = of(world)
    number = busy(world)
    box = system.gateways[number]
    before = {owner: log(world, number, owner) for owner in box.owners()}
    world.fault(PowerCut(gateway=number, duration_s=600.0))
    world.run(HOUR)
    for owner, rows in before.items():
        assert log(world, number, owner)[: len(rows)] == rows
    texts = [row.entry.text for row in box.diary.logs.rows(SYSTEM)]
    assert texts[0] == "switched on, time 1" and "switched on, time 2" in texts
    assert not any("missing" in text or "changed" in text for text in texts)


def test_a_full_log_holds_values_back_and_nothing_is_lost(tmp_path: Path) -> None:
    with World(smart(tmp_path), 1, tmp_path / "world") as world:
        world.run(HOUR)
        box = of(world).gateways[busy(world)]
        diary: Diary = box.diary
        whole = diary.logs._limits
        owner = box.owners()[0]
        diary.logs._limits = lambda log: LogLimit(1, 10**9) if log == consumer(owner) else whole(log)
        had = len([one for one in world.system.delivered() if one.gateway == box.id])
        world.run(HOUR)
        assert len([one for one in world.system.delivered() if one.gateway == box.id]) == had
        assert box.counts["log full"] > 0
        diary.logs._limits = whole
        world.run(HOUR)
        periods = Counter(one.until_s for one in world.system.delivered() if one.gateway == box.id and one.taf == 2)
        assert len(periods) == 3 and len(set(periods.values())) == 1, "each hour's values left, late ones too"


def test_no_rule_set_is_changed_under_a_full_calibration_log(world: World) -> None:
    number = busy(world)
    box = of(world).gateways[number]
    logs: GatewayLogs = box.diary.logs
    whole = logs._limits
    logs._limits = lambda log: LogLimit(0, None) if log == CALIBRATION else whole(log)
    with pytest.raises(RuleError, match="log-full"):
        box.obey("supplier", 7, world.now_ns)
    assert {one.taf for one in box.setup.contracts} == {2}
    logs._limits = whole
    box.obey("supplier", 7, world.now_ns)
    assert {one.taf for one in box.setup.contracts} == {7}
    assert log(world, number, box.owners()[0])[-1].entry.text == "rule set of TAF 7 for supplier"
