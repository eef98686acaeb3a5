"""The first scenario: what was sent is stored, once and unchanged. Yours go beside it."""

from bench.rig.scenario import Stage, scenario


@scenario(world="first", seeds=(1, 2))
def test_what_a_gateway_heard_is_stored_once_and_unchanged(world: Stage) -> None:
    """Half an hour of twelve meters."""
    world.run(minutes=30)
    world.measure("readings stored", len(world.truth.readings)).at_least(300)
    assert world.truth.missing() == []
    assert world.truth.doubled() == 0
    assert world.truth.altered_readings == 0
