"""What tenants and landlords can find out that is not theirs, by asking."""

from attacks.differencing import DIFFERENCE, SHORT, SOLVED, Differencing
from attacks.tenant_peek import BEFORE, FORMER, OTHER, OWN_TIME, TenantPeek
from bench.rig.scenario import S, Stage, X, scenario
from sim.portal.meter_registry import Tenancy
from sim.portal.roles import NO_TENANT, NOT_HIS, OVERLAPS, TOO_FEW
from sim.systems.keyless import keyless

FLATS = ("flat 2", "flat 3")  # meters of all three modes


@scenario(
    world="terrace-60", threats=["P03", "P05"],
    not_for={"smgw": "it has no views of tenants and landlords; a display on the HAN is another door"},
)
def test_a_tenant_sees_the_own_flat_in_the_own_time(world: Stage) -> None:
    """Eve moved out of two flats and Tom moved in; Una lives next door. Una asks for Tom's flats, Eve for hers of old,
    Tom for his, where the time before him must not show. Control: views without their rules."""
    peek = world.attack(TenantPeek(FLATS, neighbour="Una", former="Eve", present="Tom", at_s=1_300.0))
    system = keyless(world.inner.system)
    world.run(minutes=10)
    moved_ns = world.inner.now_ns + 1  # what is stored at this instant is the predecessor's
    for flat in FLATS:
        system.registry.tenancies += [Tenancy("Eve", flat, 0, moved_ns), Tenancy("Tom", flat, moved_ns)]
    system.registry.tenancies.append(Tenancy("Una", "flat 9", 0))
    system.portal.write_registry()
    world.run(minutes=15)
    world.expect(peek, OTHER, threats=["P03"], because=NOT_HIS, on=(X, X, X), off=(S, S, S))
    world.expect(peek, FORMER, threats=["P05"], because=NO_TENANT, on=(X, X, X), off=(S, S, S))
    world.expect(peek, BEFORE, threats=["P05"], because=OWN_TIME, on=(X, X, X), off=(S, S, S))


@scenario(
    world="terrace-60",
    threats=["P04"],
    settings={
        "window_s": 30.0, "fleet.interval_s": 900.0, "gateway.bundle_age_s": 5.0, "site.outdoor_mean_c": -15.0,
    },
    defences={
        "short": {"portal.view_rules": ["own flat", "own time", "no overlap"]},
        "overlapping": {"portal.view_rules": ["own flat", "own time", "three flats"]},
    },
    not_for={"smgw": "it has no views of tenants and landlords; a display on the HAN is another door"},
)  # fmt: skip
def test_a_landlord_computes_no_flat(world: Stage) -> None:
    """All sums that a landlord can ask for, in steps of half a minute. Each of the two rules is needed: without
    the least of three flats ("short") a short period is one flat, without the refusal of overlapping periods
    ("overlapping") the difference of two long ones is. A solver that takes all answers together finds what either of
    them gives, and no more. Control: neither."""
    landlord = world.attack(Differencing("Ada", "house 1", at_s=1_800.0))
    system = keyless(world.inner.system)
    system.registry.landlords.append(("Ada", "house 1"))
    system.portal.write_registry()
    world.run(minutes=31)
    world.expect(landlord, DIFFERENCE, because=OVERLAPS, on=(X, X, X), short=(X, X, X), overlapping=(S, S, S),
                 off=(S, S, S))  # fmt: skip
    world.expect(landlord, SHORT, because=TOO_FEW, on=(X, X, X), short=(S, S, S), overlapping=(X, X, X),
                 off=(S, S, S))  # fmt: skip
    world.expect(landlord, SOLVED, because=f"{OVERLAPS} | {TOO_FEW}", on=(X, X, X), short=(S, S, S),
                 overlapping=(S, S, S), off=(S, S, S))  # fmt: skip
