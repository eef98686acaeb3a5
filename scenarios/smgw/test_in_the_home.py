"""Between a consumer and a smart meter gateway: a display that believes anybody, and a bill that is worked out
again."""

from attacks.smgw_false_bill import BILLED, SmgwFalseBill
from attacks.smgw_han_mitm import BILL, DELIVERED, DISPLAY, SELF_SIGNED, SmgwHanMitm
from bench.rig.scenario import D, N, S, Stage, X, scenario
from sim.systems._smgw_running import smgw


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    defences={"believing": {"system.display_verifies": False}},
    not_for={"keyless": "it has no HAN"},
)
def test_a_man_in_the_middle_changes_a_display_and_no_bill(world: Stage) -> None:
    """A display that checks the gateway's certificate shows nothing that is not the gateway's. "believing": one that
    checks none, as free clients do, shows whatever it is given, and the bill is right all the same. Control: the
    supplier bills what such displays show."""
    middle = world.attack(SmgwHanMitm())
    world.run(hours=4)
    world.expect(middle, DISPLAY, because=SELF_SIGNED, on=(N, N, X), believing=(N, N, S), off=(N, N, S))
    world.expect(middle, BILL, because=DELIVERED, on=(N, N, X), believing=(N, N, X), off=(N, N, S))


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.consumers_look_s": 3_600.0},
    not_for={"keyless": "its tenants see what the portal shows them: portal/test_false_bill.py"},
)
def test_a_consumer_notices_a_bill_that_the_readings_contradict(world: Stage) -> None:
    """Every register is worked out again from readings that the gateway signed. Honest bills are not questioned.
    Control: nobody looks."""
    supplier = world.attack(SmgwFalseBill())
    world.run(hours=4.5)
    world.expect(supplier, BILLED, within_s=4_200.0, on=(N, N, D), off=(N, N, S))
    if world.staged and world.defences == "on":
        homes = smgw(world.inner.system).homes
        honest = {one.meter for one in supplier.honest}
        questioned = {one.billed.meter for one in homes.checked if one.outcome == "differs"}
        world.measure("honest meters whose bill was questioned", len(honest & questioned)).at_most(0)
        world.measure("values of bills worked out again", len(homes.checked)).at_least(30)
