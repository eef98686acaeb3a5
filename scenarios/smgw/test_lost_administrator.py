"""Hours without the WAN: what a gateway may bill waits on its disk."""

from bench.rig.scenario import Stage, scenario
from sim.faults.administrator_lost import AdministratorLost
from sim.truth.delivered_values import expected, wrong_values


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "its gateways have no administrator: wan/test_outages.py"},
)
def test_hours_without_the_administrator_cost_no_value(world: Stage) -> None:
    """Three hours of containers wait. Afterwards the supplier has every value that he must have."""
    world.run(hours=1)
    lost = world.fault(AdministratorLost())
    world.run(hours=3)
    waiting = sum(len(gateway.waiting) for gateway in world.inner.gateways)
    lost.heal()
    world.run(minutes=30)
    world.measure("containers that waited", waiting).at_least(world.spec.gateways)
    assert wrong_values(world.truth) == []
    world.measure("values the supplier must have", len(expected(world.truth))).at_least(300)
