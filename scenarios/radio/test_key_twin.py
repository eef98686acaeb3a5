"""One meter's key gives its meter away, and neither the portal's peace nor the meter's place in it."""

from attacks.key_twin import NEXT, KeyTwin
from attacks.reach import Place
from bench.rig.scenario import D, N, S, Stage, X, scenario
from sim.core.settings import without


@scenario(
    world="terrace-60", threats=["M02"],
    not_for={"smgw": "it varies checks that its gateways have not; their counter is in card/test_replay.py"},
)
def test_a_twin_with_the_key_does_not_silence_its_meter(world: Stage) -> None:
    """Meters of mode 7 are taken apart, and their keys are used from beside them with counters far ahead. The counter
    outruns time, so it is refused, the alarm names the meter, and the meter's own telegrams go on being read. Control:
    without the check `jump` the twin's are readings, and the meter's own are late for ever."""
    twin = world.attack(KeyTwin(), place=Place(metres=3.0))
    world.run(hours=1)
    world.expect(twin, "counter a million ahead", because="counter jump", on=(N, N, X), off=(N, N, S))
    last = "one telegram with the last counter"
    world.expect(twin, last, because="counter jump", on=(N, N, X), off=(N, N, S))


@scenario(
    world="terrace-60", threats=["M02"], defences={"no_freshness": {"portal.alarms": without("freshness")}},
    not_for={"smgw": "it varies checks that its gateways have not; their counter is in card/test_replay.py"},
)
def test_a_twin_that_keeps_pace_is_told_of_by_the_meter_that_collides(world: Stage) -> None:
    """The key of one meter seals any value for that meter, in mode 7 too: one telegram, under the number that comes
    next. Nothing refuses it. What tells is the meter's own next telegram, which is refused under the same number:
    the alarm names the meter. In mode 0 no key is needed. Control: without that alarm nobody is told."""
    twin = world.attack(KeyTwin(keeps_pace=True), place=Place(metres=3.0))
    world.run(hours=1)
    world.expect(twin, NEXT, on=(D, D, D), no_freshness=(S, S, S), off=(D, D, D))
