"""Readings of every kind of column, as the meters sent them."""

from bench.rig.scenario import Stage, scenario


@scenario(world="worlds/every-type.toml")
def test_every_column_is_what_the_meter_said(world: Stage) -> None:
    """Allocators, water, heat and electricity meters: what is stored is what was sent, column by column, of each meter
    its own, and by the gateway that heard it."""
    world.run(minutes=20)
    truth = world.truth
    assert truth.altered_readings == 0
    assert truth.missing() == []
    assert all(any(getattr(row, column) is not None for row in truth.readings) for column in
               ("units", "set_date_units", "set_date", "meter_time", "counter", "volume_m3", "energy_kwh"))  # fmt: skip
    assert len({row.meter for row in truth.readings}) == world.inner.fleet.n
    world.measure("readings stored", truth.stored).at_least(300)
