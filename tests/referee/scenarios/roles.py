"""What tenants and landlords are told."""

from collections.abc import Callable

from bench.rig.scenario import Stage, scenario
from sim.portal.meter_registry import MeterEntry, Tenancy
from sim.portal.roles import Denied, Views
from sim.systems.keyless import keyless

HOUSE, NEXT, SMALL = "house 1", "house 2", "house 3"


@scenario(world="worlds/three-houses.toml", settings={"site.outdoor_mean_c": -10.0})
def test_a_landlord_is_told_sums_and_a_tenant_the_own_flat(world: Stage) -> None:
    """The sum of a house is that of its own flats, of three at least, told once for a period and the same whenever it
    is asked for; nobody is told that of another's house. A tenant sees the own flat, since moving in."""
    system = keyless(world.inner.system)
    entries = list(system.registry)
    flat = next(entry.flat for entry in entries if entry.house == HOUSE)
    world.run(hours=4)
    moved_ns = world.inner.now_ns + 1  # what is stored at this instant is the predecessor's
    system.registry.landlords += [("Ada", HOUSE), ("Ada", SMALL), ("Bob", NEXT)]
    system.registry.tenancies += [Tenancy("Eve", str(flat), 0, moved_ns), Tenancy("Tom", str(flat), moved_ns)]
    system.registry.tenancies += [Tenancy("Una", one, 0) for one in sorted({str(e.flat) for e in entries} - {flat})]
    system.portal.write_registry()
    world.run(hours=4)
    now_ns, views = world.inner.now_ns + 1, Views(system.portal.store)

    def counted(of: Callable[[MeterEntry], bool], since_ns: int) -> int:
        """What these meters counted between the first and the last telegram that was received since a time."""
        total = 0
        for number, entry in enumerate(entries):
            if of(entry):
                units = [world.truth.units(sent) or 0 for sent in world.truth.sent(since_ns, meter=number)]
                total += units[-1] - units[0]
        return total

    told = views.landlord("Ada", HOUSE, 0, now_ns)
    assert told.units == counted(lambda entry: entry.house == HOUSE, 0), "the sum of the house"
    assert views.landlord("Ada", HOUSE, 0, now_ns) == told, "asked again"
    assert _denied(lambda: views.landlord("Ada", HOUSE, 0, moved_ns)), "a period that overlaps"
    assert _denied(lambda: views.landlord("Ada", NEXT, 0, now_ns)), "another landlord's house"
    assert _denied(lambda: views.landlord("Ada", SMALL, 0, now_ns)), "a house of one flat"
    rows = views.tenant("Tom", now_ns)
    mine = {entry.name for entry in entries if entry.flat == flat}
    assert {row.meter for row in rows} == mine, "the meters of the own flat"
    last = {row.meter: row.units for row in rows}
    assert sum(last.values()) == counted(lambda entry: entry.flat == flat, moved_ns), "since moving in"
    assert _denied(lambda: views.tenant("Eve", now_ns)), "who moved out"
    world.measure("units counted in the house", told.units).at_least(1)


def _denied(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Denied:
        return True
    return False
