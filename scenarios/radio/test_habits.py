"""What a listener learns of people from what no mode encrypts."""

from attacks.habits import Habits
from attacks.reach import Place
from bench.rig.scenario import N, S, Stage, X, scenario


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
