"""Telegrams held back: every counter in them is new, so only their age shows it."""

from attacks.holdback import BELOW, TIMELESS_BELOW, Holdback
from attacks.reach import Place
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.settings import without

BETWEEN = Place(metres=1.0, power_dbm=-18.0, ear=Place(metres=-15.0), mouth=Place(metres=1.0, power_dbm=0.0))


@scenario(
    world="terrace-60",
    threats=["L10", "L11"],
    defences={"no_age": {"portal.checks": without("age")}, "no_ts": {"portal.checks": without("ts")}},
    not_for={"smgw": "it varies checks that its gateways have not; their counter is in card/test_replay.py"},
)
def test_a_telegram_held_back_for_an_hour_is_not_taken_as_news(world: Stage) -> None:
    """A jammer beside the gateway and a receiver beside the meters: the gateway never hears the telegram, the attacker
    delivers it an hour later, in order. A counter, also one under a MAC, does not see it. Where the payload carries the
    time, `ts` and `age` each refuse it. Where it does not, `age` alone does, in mode 7, by the counter; in mode 5
    nothing does."""
    attack = world.attack(Holdback(), place=BETWEEN)
    world.run(hours=2)
    world.expect(attack, "in order, an hour late", because="late | time off",
                 on=(X, X, X), no_age=(X, X, X), no_ts=(X, X, X), off=(S, S, S))  # fmt: skip
    world.expect(attack, "no time inside: in order, an hour late", because="late",
                 on=(N, S, X), no_age=(N, S, S), no_ts=(N, S, X), off=(N, S, S))  # fmt: skip


@scenario(
    world="terrace-60",
    threats=["L10", "L11"],
    settings={"fleet.interval_s": 900.0},
    defences={"tight": {"portal.age_max_s": 600.0, "portal.ts_tolerance_s": 60.0}},
    not_for={"smgw": "it varies checks that its gateways have not; their counter is in card/test_replay.py"},
)
def test_what_is_held_back_below_the_limits_is_taken_as_news(world: Stage) -> None:
    """The same by somebody who knows the limits, of meters every quarter of an hour: four and a half minutes where
    a time is inside, three quarters of an hour where none is, since there a telegram's age is told by a counter and
    the meter's interval wanders. Nothing stops it; "tight" limits bound it to two minutes where a time is inside,
    and to two and a half intervals under a counter. Control: neither is looked at."""
    attack = world.attack(
        Holdback(delay_s=270.0, timeless_delay_s=2_700.0, below=True, learn_s=3_000.0, until_s=6_000.0), place=BETWEEN
    )
    world.run(hours=3)
    world.expect(attack, BELOW, because="time off", on=(S, S, S), tight=(X, X, X), off=(S, S, S))
    world.expect(attack, TIMELESS_BELOW, because="late", on=(N, S, S), tight=(N, S, X), off=(N, S, S))
