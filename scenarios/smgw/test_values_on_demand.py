"""Values on demand are for a day of moving out; asked for again and again they are a load profile."""

from attacks.smgw_snapshots import PROFILE, SmgwSnapshots
from bench.rig.scenario import N, S, Stage, T, scenario
from sim.core.events import SnapshotAsked


@scenario(
    world="terrace-60",
    threats=["P02"],
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "its landlords ask for sums: portal/test_views.py"},
)
def test_snapshots_are_no_load_profile(world: Stage) -> None:
    """Six snapshots in a month are taken, as many as one rule set may name: five hours are known, and the gateway says
    so. Control: no limit, and every hour is."""
    supplier = world.attack(SmgwSnapshots(hours=9))
    world.run(hours=10)
    world.expect(supplier, PROFILE, on=(N, N, T), off=(N, N, S))
    if world.staged:
        told = world.history.of(SnapshotAsked)
        assert len(told) == len(supplier.asked), "each is told, whether it was taken or refused"
        world.measure("snapshots refused and told", sum(not one.taken for one in told)).at_least(
            3 if world.defences == "on" else 0
        )
