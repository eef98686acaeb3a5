"""A jammer that lets every third telegram pass."""

from attacks.reach import Place
from attacks.slow_jam import SLOW, SlowJam
from bench.rig.scenario import D, S, Stage, scenario

A_DAY_S = 86_400.0


@scenario(
    world="terrace-60",
    threats=["L26", "G06"],
    settings={"fleet.interval_s": 900.0, "endpoint.kind": "memory", "window_s": 1_800.0},
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_two_of_three_telegrams_jammed_are_missed_within_a_day(world: Stage) -> None:
    """Meters are heard often enough that no gap alarm is raised, and a share of what they send is missing for a day:
    the alarm completeness says so. Control: that alarm switched off, and nobody learns of it."""
    jam = world.attack(SlowJam(), place=Place(power_dbm=20.0, metres=3.0))
    world.run(hours=25)
    world.expect(jam, SLOW, within_s=A_DAY_S, on=(D, D, D), off=(S, S, S))
