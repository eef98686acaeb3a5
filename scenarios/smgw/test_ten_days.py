"""Ten days without the WAN, and a radio that is jammed: what a smart meter gateway may still bill."""

from bench.rig.scenario import Stage, scenario
from sim.faults.administrator_lost import AdministratorLost
from sim.truth.delivered_values import expected, wrong_values


@scenario(
    world="month-15",
    settings={
        "system.kind": "smgw", "system.wired": 2, "system.delivery_s": 86_400.0, "site.outdoor_mean_c": -15.0,
        "fleet.interval_s": 3_600.0, "window_s": 3_600.0,
    },
    not_for={"keyless": "its outboxes wait for a broker: wan/test_outages.py"},
)  # fmt: skip
def test_ten_days_without_the_administrator_cost_no_value(world: Stage) -> None:
    """Ten days of containers wait on the gateway's disk. Afterwards the supplier has every register of each day, of
    radio meters and of wired ones."""
    world.run(days=1)
    lost = world.fault(AdministratorLost())
    world.run(days=10)
    waiting = sum(len(gateway.waiting) for gateway in world.inner.gateways)
    lost.heal()
    world.run(days=1)
    world.measure("containers that waited", waiting).at_least(10)
    assert wrong_values(world.truth) == []
    world.measure("values the supplier must have", len(expected(world.truth))).at_least(12 * 3 * 4)
