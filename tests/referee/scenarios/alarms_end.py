"""Alarms of a silence, and their end."""

from bench.rig.scenario import Stage, scenario
from sim.faults.gateway_power_cut import PowerCut
from sim.systems.keyless import keyless


@scenario(world="terrace-60")
def test_a_silence_is_noticed_and_over_when_it_is_over(world: Stage) -> None:
    """A gateway without power: every meter that no other gateway hears is called silent, nobody who is bound to others
    alone, and the gateway's neighbourhood is called jammed; when the power is back and they are heard again, no alarm
    stands."""
    store = keyless(world.inner.system).portal.store
    world.run(minutes=15)
    gateway = world.inner.gateways[0].id
    registry = world.inner.system.registry
    alone = {entry.name for entry in registry if entry.gateways == {gateway}}
    bound = {entry.name for entry in registry if gateway in entry.gateways}
    assert len(alone) > 20
    assert world.truth.alarms(["gap", "jam"]) == []
    cut = world.fault(PowerCut(gateway=0))
    world.run(minutes=20)
    assert alone <= {alarm.subject for alarm in world.truth.alarms(["gap"])} <= bound
    assert {alarm.subject for alarm in world.truth.alarms(["jam"])} == {gateway}
    cut.heal()
    world.run(minutes=15)
    standing = [row for row in store.standing_alarms() if row.kind in ("gap", "jam")]
    assert standing == []
    world.measure("meters called silent", len(alone)).at_least(20)
