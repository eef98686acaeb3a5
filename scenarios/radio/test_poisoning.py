"""Telegrams that are sent to make others look old, and telegrams of meters that do not exist."""

from attacks.ghosts import Ghosts
from attacks.poison import Poison
from attacks.reach import Place
from bench.rig.scenario import D, N, S, Stage, X, scenario


@scenario(world="terrace-60", threats=["L23"])
def test_genuine_telegrams_are_not_made_to_look_old(world: Stage) -> None:
    """After each telegram of a meter the same bytes again, under numbers and minutes that come next: what the portal
    takes of them makes the genuine one look old. In mode 7 nothing forged is taken. In mode 5 the time inside stops it;
    where none is inside, and in clear telegrams whose clock can be rewritten too, genuine telegrams are refused, and
    the portal says so. Control: the access number alone."""
    poison = world.attack(Poison(), place=Place(metres=3.0))
    world.run(hours=1)
    world.expect(poison, "genuine telegrams refused", on=(D, X, X), off=(D, D, X))
    world.expect(poison, "no time inside: genuine telegrams refused", on=(N, D, X), off=(N, D, X))


@scenario(world="terrace-60", threats=["L27"])
def test_ghost_meters_cost_traffic_and_make_no_meter(world: Stage) -> None:
    """Four telegrams a second of meters that do not exist, for ten minutes. The gateways carry them all, because
    nothing at a gateway distinguishes them from meters; the portal refuses each and no reading comes of it. There is no
    defence to switch off: the control is the same world."""
    ghosts = world.attack(Ghosts(), place=Place(metres=3.0))
    world.run(minutes=30)
    world.expect(ghosts, "carried at our cost", on=(S, S, S), off=(S, S, S))
    assert not [row for row in world.truth.readings if row.meter.startswith("GHO")]
