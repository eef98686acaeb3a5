"""The talk's claim that consumption is known every month: a reading at its end, by the fifth day."""

from attacks.month_end_jam import MONTH, MonthEndJam, knows_month
from attacks.reach import Place
from bench.rig.scenario import D, S, Stage, scenario
from sim.core.clock import NS_PER_DAY, NS_PER_S

MONTH_END_S = 86_400.0  # the world begins with 31 January
DAYS = 6  # to the end of 5 February


@scenario(
    world="month-end-60", threats=["L25"],
    not_for={"smgw": "a supplier is told monthly by a tariff, not by readings: docs/models/smgw.md"},
)
def test_a_month_is_known_by_its_fifth_day(world: Stage) -> None:
    """Nobody attacks. Of every meter the portal has a reading that was sent within one interval of the month's end,
    by the end of the fifth day. Control: the same question of a month's end that no reading can be near, in a world
    that ends before it."""
    world.run(days=DAYS)
    meters = range(world.inner.fleet.n)
    known = sum(knows_month(world.truth, meter, round(MONTH_END_S * NS_PER_S)) for meter in meters)
    world.measure("share of meters whose month is known by its fifth day", known / len(meters)).at_least(0.99)
    assert not any(knows_month(world.truth, meter, 30 * NS_PER_DAY) for meter in meters)


@scenario(
    world="month-end-60", threats=["L25"],
    not_for={"smgw": "a supplier is told monthly by a tariff, not by readings: docs/models/smgw.md"},
)
def test_noise_over_a_months_end_takes_the_month_and_is_told_of(world: Stage) -> None:
    """Half a day of noise before the end of the month and a day after it. No reading is near it, so the month's
    consumption is not known of any meter, in any mode; history records would tell it, and this portal reads none. The
    alarms say so at once. Control: no alarms."""
    jam = world.attack(
        MonthEndJam(MONTH_END_S - 43_200, MONTH_END_S + 86_400, MONTH_END_S), place=Place(power_dbm=20.0)
    )
    world.run(days=DAYS)
    world.expect(jam, MONTH, on=(D, D, D), off=(S, S, S))
