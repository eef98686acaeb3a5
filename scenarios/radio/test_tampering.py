"""The talk's claim that meters detect tampering: what the portal makes of a meter that complains."""

from bench.rig.scenario import Stage, scenario
from sim.core.clock import NS_PER_S, ns
from sim.core.settings import without
from sim.world import World
from sim.world_spec import WorldSpec


@scenario(
    world="terrace-60", threats=["M01"],
    not_for={"smgw": "it tells nobody of a meter's tamper bit yet"},
)
def test_a_meter_that_was_tampered_with_is_told_of_by_its_next_telegrams(world: Stage) -> None:
    """Every second meter is taken off its radiator or opened. The portal raises an alarm for each of them and for no
    other, as soon as a telegram arrives. What an attacker on the air can do about it is in test_alteration. Controls:
    in the same world no meter is tampered with, and there is no alarm; the portal has no such alarm, and there is none,
    though the readings say it."""
    world.run(minutes=10)
    at_ns = world.inner.now_ns
    tampered = _tamper(world.inner)
    world.run(minutes=20)
    alarms = world.truth.alarms(["tamper"])
    assert {alarm.subject for alarm in alarms} <= tampered, "a false alarm"
    world.measure("tampered meters with an alarm", len({a.subject for a in alarms}) / len(tampered)).at_least(0.99)
    longest_ns = max((alarm.time_ns - at_ns for alarm in alarms), default=0)
    world.measure("longest delay of an alarm", longest_ns / NS_PER_S, "s").at_most(900)
    assert _control(world, "left alone", world.spec, tamper=False) == (0, 0)
    no_alarm = world.spec.with_setting("portal.alarms", without("tamper"))
    assert _control(world, "no alarm", no_alarm, tamper=True) == (0, len(tampered))


def _tamper(world: World) -> set[str]:
    """Every second meter; their addresses."""
    meters = range(0, world.fleet.n, 2)
    for meter in meters:
        world.tamper(meter, "removed" if meter % 4 else "opened")
    return {str(world.fleet.address(meter)) for meter in meters}


def _control(stage: Stage, name: str, spec: WorldSpec, *, tamper: bool) -> tuple[int, int]:
    """(alarms, meters whose readings complain) in the same half hour of another world."""
    with World(spec, stage.seed, stage.directory / name) as other:
        other.run(ns(600.0))
        if tamper:
            _tamper(other)
        other.run(ns(1_200.0))
        complain = {row.meter for row in other.truth.readings if row.tamper}
        return len(other.truth.alarms(["tamper"])), len(complain)
