"""What a listener learns of people from what no mode encrypts."""

from attacks.habits import Habits
from attacks.reach import Place
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.clock import NS_PER_S, Steps
from sim.radio.link_modes import Mode
from sim.truth.ground_truth import Spoken
from sim.world import World


@scenario(world="habits-620", threats=["L02"])
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
    world.expect(habits, "tamper bit read", on=(S, S, S), off=(S, N, N))


ANNOUNCED_NS = 60 * NS_PER_S


@scenario(world="habits-620", threats=["L02"], settings={"fleet.mode 5.count": 60, "fleet.mode 7.count": 60})
def test_a_meter_that_speaks_when_it_counts_tells_who_heats(world: Stage) -> None:
    """The same listener and a leak that is known: a meter whose units are moving says its latest telegram once more, a
    minute later. Nothing is decrypted, and nearly every heated hour is found in every mode. So a listener that finds
    nothing where meters send by the clock would have found something."""
    habits = world.attack(Habits(), place=Place(sensitivity_dbm=-130.0))
    inner = world.inner
    for meter in range(inner.fleet.n):
        inner.clock.process(_announcing(inner, meter, inner.air.add_transmitter(inner.site.meters[meter])))
    world.run(hours=18)
    world.expect(habits, "heating guessed, hour by hour", on=(S, S, S), off=(S, N, N))
    for outcome in habits.outcomes(world.truth):
        name = f"area under the curve, {outcome.security}"
        world.measure(name, float(outcome.evidence["area under the curve"])).at_least(0.9)


def _announcing(world: World, meter: int, source: int) -> Steps:
    """A meter that says a telegram once more when the next one will show other units."""
    fleet, said = world.fleet, 0
    first = fleet.window(0, round(2 * fleet.groups[0].interval_s) * NS_PER_S)
    k = int(first.k[first.meter == meter][0])
    while True:
        yield world.clock.timeout(fleet.start_ns(meter, k) + ANNOUNCED_NS - world.now_ns)
        if fleet.truth(meter, k + 1).units != fleet.truth(meter, k).units:
            telegram = fleet.telegram(meter, k)
            emission = world.air.emit(source, said, Mode.T1, len(telegram), 700, frame=telegram)
            world.truth.note_spoken(Spoken(source, said, world.now_ns, telegram), emission.end_ns)
            said += 1
        k += 1
