"""What a tenant can find out about the bill of a portal that lies."""

from attacks.portal_false_bill import ALONE, BOTH, PortalFalseBill
from bench.rig.scenario import D, S, Stage, scenario
from sim.portal.meter_registry import Tenancy
from sim.systems.keyless import keyless

FLATS = ("flat 1", "flat 2", "flat 3")  # meters of all three modes


@scenario(
    world="terrace-60",
    not_for={"smgw": "its consumers check bills against signed readings: smgw/test_in_the_home.py"},
)
def test_a_portal_that_shows_what_it_bills_is_not_found_out(world: Stage) -> None:
    """Tom compares his bill with his view. One that is higher than the view is noticed; a portal that adds the same to
    the view is not, since nobody but the portal vouches for a reading. No defence of the portal is against its owner,
    so the control is the same run."""
    biller = world.attack(PortalFalseBill(tuple(("Tom", flat) for flat in FLATS), at_s=1_500.0))
    system = keyless(world.inner.system)
    world.run(minutes=1)
    system.registry.tenancies += [Tenancy("Tom", flat, 0) for flat in FLATS]
    system.portal.write_registry()
    world.run(minutes=29)
    world.expect(biller, BOTH, on=(S, S, S), off=(S, S, S))
    world.expect(biller, ALONE, on=(D, D, D), off=(D, D, D))
