"""A smart meter gateway whose security module does not answer bills nothing, and loses nothing."""

from bench.rig.scenario import Stage, scenario
from sim.core.events import ContainerSealed, ModuleFailed
from sim.faults.module_silent import ModuleSilent
from sim.truth.delivered_values import expected, wrong_values


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "its gateways sign nothing"},
)
def test_hours_without_the_module_cost_no_value(world: Stage) -> None:
    """Two hours nothing is sealed by the one gateway, which says so once; afterwards the supplier has every value."""
    world.run(hours=1)
    name = world.inner.gateways[0].id
    silent = world.fault(ModuleSilent(gateway=0))
    before = sum(one.gateway == name for one in world.inner.history.of(ContainerSealed))
    world.run(hours=2)
    after = sum(one.gateway == name for one in world.inner.history.of(ContainerSealed))
    world.measure("containers sealed without the module", after - before).at_most(0)
    silent.heal()
    world.run(minutes=30)
    assert wrong_values(world.truth) == []
    world.measure("values the supplier must have", len(expected(world.truth))).at_least(200)
    told = [one.reason for one in world.inner.history.of(ModuleFailed) if one.gateway == name]
    assert told == ["silent", ""]
