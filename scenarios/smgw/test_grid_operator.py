"""A second market participant: what a grid operator gets of feed-in and of the grid, and whose it learns that to be."""

from attacks.smgw_grid_link import BY_NAME, BY_VALUE, NO_NAME, SmgwGridLink
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.faults.administrator_lost import AdministratorLost
from sim.faults.wired_bus_cut import WiredBusCut
from sim.systems._smgw_grid import GRID_OPERATOR
from sim.truth.delivered_values import wrong_values
from sim.truth.grid_operator_values import expected_of_grid
from sim.truth.released_values import finer_than_allowed

GRID = {"site.outdoor_mean_c": -15.0, "system.wired": 3, "system.feed_in": True, "system.grid_state": True}


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", **GRID},
    not_for={"keyless": "it has no wired meters, and one receiver"},
)
def test_a_pseudonym_hides_the_name_and_not_the_value(world: Stage) -> None:
    """Values under TAF 9 and 10 come under a pseudonym, signed by the administrator: no name tells whose they are, and
    a supplier's registers do, since the same feed-in stands in both. Control: names and gateways' own signatures."""
    operator = world.attack(SmgwGridLink())
    world.run(hours=4)
    world.expect(operator, BY_NAME, because=NO_NAME, on=(N, N, X), off=(N, N, S))
    world.expect(operator, BY_VALUE, on=(N, N, S), off=(N, N, S))


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", **GRID, "system.grid_every_s": 1_800.0},
    not_for={"keyless": "it has no wired meters, and one receiver"},
)
def test_the_grid_operator_has_what_was_agreed_and_no_more(world: Stage) -> None:
    """The administrator is away for an hour and a bus is cut for another: what waited arrives, what the meters kept is
    delivered, what nobody measured is told as a gap; nothing is finer than every half hour."""
    world.run(hours=1)
    lost = world.fault(AdministratorLost())
    world.run(hours=1)
    lost.heal()
    cut = world.fault(WiredBusCut())
    world.run(hours=1)
    cut.heal()
    world.run(hours=2)
    must = expected_of_grid(world.inner)
    has = [one for one in world.inner.system.delivered() if one.receiver == GRID_OPERATOR]
    world.measure("values that the grid operator has", len(has)).at_least(len(must))
    world.measure("of them gaps", sum(one.amount is None for one in has)).at_least(1)
    assert wrong_values(world.truth) == []
    assert finer_than_allowed(world.inner) == []
