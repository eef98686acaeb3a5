"""What a listener learns of people from what no mode encrypts."""

from collections.abc import Callable

from attacks.habits import Habits
from attacks.reach import Place
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.clock import NS_PER_S, Steps
from sim.radio.link_modes import Mode
from sim.truth.ground_truth import Spoken
from sim.world import World
from wmbus.telegram import build


@scenario(
    world="habits-620", threats=["L02"],
    not_for={"smgw": "whoever listens hears the same frames, whatever stands behind the air"},
)
def test_a_fixed_rhythm_tells_nobody_who_heats(world: Stage) -> None:
    """Which flat heats when, guessed from address, status, access number, length, level and time: meters that send by
    the clock and always the same length give a listener no better than chance, in mode 5 and 7. In clear the contents
    say it, which is the control: the same classifier, and the fleet without encryption. That a meter was tampered with
    stands in the status byte for all to read, in every mode."""
    habits = world.attack(Habits(), place=Place(sensitivity_dbm=-130.0))
    world.run(hours=12)
    for meter in range(0, 620, 31):
        world.inner.tamper(meter, "opened")
    world.run(hours=12)
    world.expect(habits, "heating guessed, hour by hour", on=(S, X, X), off=(S, N, N))
    world.expect(habits, "heating guessed, learned in other flats", on=(S, X, X), off=(S, N, N))
    world.expect(habits, "tamper bit read", on=(S, S, S), off=(S, N, N))


AGAIN_NS = 60 * NS_PER_S
MAKERS, MAKERS_OWN = bytes(range(16)), 0x0F
"""A key that is nobody's in the fleet, and the DIF behind which EN 13757-3 leaves everything to the maker."""
Again = Callable[[World, int, int, bool], bytes]
"""(world, meter, k, whether its units are moving) -> what the meter says a minute after telegram k; b"": nothing."""
LEAKY = {"fleet.mode 5.count": 60, "fleet.mode 7.count": 60}


@scenario(
    world="habits-620", threats=["L02"], settings=LEAKY,
    not_for={"smgw": "whoever listens hears the same frames, whatever stands behind the air"},
)
def test_a_meter_that_speaks_when_it_counts_tells_who_heats(world: Stage) -> None:
    """The same listener and a leak that is known: a meter whose units are moving says its latest telegram once more, a
    minute later. Nothing is decrypted, and nearly every heated hour is found in every mode. So a listener that finds
    nothing where meters send by the clock would have found something."""
    _leaks(world, lambda inner, meter, k, moving: inner.fleet.telegram(meter, k) if moving else b"")


@scenario(
    world="habits-620", threats=["L02"], settings=LEAKY,
    not_for={"smgw": "whoever listens hears the same frames, whatever stands behind the air"},
)
def test_a_meter_that_says_more_when_it_counts_tells_who_heats(world: Stage) -> None:
    """The second known leak: after each telegram a meter sends its maker a message, one block longer while units are
    moving. How many come, and when, says nothing; how long they are says who heats. In clear the contents do."""
    _leaks(world, _for_the_maker)


def _leaks(world: Stage, again: Again) -> None:
    habits = world.attack(Habits(), place=Place(sensitivity_dbm=-130.0))
    inner = world.inner
    for meter in range(inner.fleet.n):
        inner.clock.process(_saying(again, inner, meter, inner.air.add_transmitter(inner.site.meters[meter])))
    world.run(hours=18)
    world.expect(habits, "heating guessed, hour by hour", on=(S, S, S), off=(S, N, N))
    world.expect(habits, "heating guessed, learned in other flats", on=(S, S, S), off=(S, N, N))
    for outcome in habits.outcomes(world.truth):
        name = f"area under the curve, {outcome.security}"
        world.measure(name, float(outcome.evidence["area under the curve"])).at_least(0.9)


def _saying(again: Again, world: World, meter: int, source: int) -> Steps:
    """A meter that says something a minute after each telegram, by what the next one will show."""
    fleet, said = world.fleet, 0
    first = fleet.window(0, round(2 * fleet.groups[0].interval_s) * NS_PER_S)
    k = int(first.k[first.meter == meter][0])
    while True:
        yield world.clock.timeout(fleet.start_ns(meter, k) + AGAIN_NS - world.now_ns)
        telegram = again(world, meter, k, fleet.truth(meter, k + 1).units != fleet.truth(meter, k).units)
        if telegram:
            emission = world.air.emit(source, said, Mode.T1, len(telegram), 700, frame=telegram)
            world.truth.note_spoken(Spoken(source, said, world.now_ns, telegram), emission.end_ns)
            said += 1
        k += 1


def _for_the_maker(world: World, meter: int, k: int, moving: bool) -> bytes:
    """A message under a key that only the maker has, a block longer when units are moving. In clear: nothing."""
    fleet = world.fleet
    security = fleet.security(meter)
    if security == "none":
        return b""
    counter = fleet.counter(meter, k) if security == "mode7" else None
    said = bytes([MAKERS_OWN]) + bytes(32 if moving else 16)
    return build(fleet.address(meter), fleet.acc(meter, k), 0, said, security=security, key=MAKERS, counter=counter)
