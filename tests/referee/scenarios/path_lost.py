"""A gateway whose path leads nowhere keeps what it hears."""

from bench.rig.scenario import Stage, scenario
from sim.faults.path_lost import PathLost


@scenario(world="terrace-60", needs=["sockets"])
def test_what_a_gateway_without_a_path_heard_arrives_later(world: Stage) -> None:
    """The path of one gateway is lost for three minutes; its bundles wait, and all of them are readings afterwards."""
    world.run(minutes=10)
    lost = world.fault(PathLost(gateway=0))
    world.run(minutes=3)
    assert world.inner.gateways[0].waiting
    lost.heal()
    world.run(minutes=10)
    assert world.truth.missing() == []
    assert world.truth.altered_readings == 0
    world.measure("readings stored", world.truth.stored).at_least(600)
