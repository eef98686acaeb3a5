"""A smart meter gateway decides by its own clock which zone a value belongs to."""

from attacks.smgw_false_time import DRIFT, FORGED, SmgwFalseTime, SmgwSlowClock
from bench.rig.scenario import N, S, Stage, X, scenario


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "meters' own clocks decide there: wan/test_disorder_and_flood.py, wan/test_stolen_gateway.py"},
)
def test_a_forged_time_service_is_not_believed(world: Stage) -> None:
    """The time comes from the administrator over TLS. Control: without TLS an hour's consumption is another hour's."""
    forger = world.attack(SmgwFalseTime())
    world.run(hours=5)
    world.expect(forger, FORGED, because="no value is wrong", on=(N, N, X), off=(N, N, S))


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.taf": 7},
    not_for={"keyless": "meters' own clocks decide there: wan/test_disorder_and_flood.py, wan/test_stolen_gateway.py"},
)
def test_a_clock_beyond_its_tolerance_bills_nothing(world: Stage) -> None:
    """28 s at quarter hours are one more than the tolerance: values are marked and stay out of every register. Control:
    the mark is ignored."""
    drift = world.attack(SmgwSlowClock())
    world.run(hours=5)
    world.expect(drift, DRIFT, because="no value is wrong", on=(N, N, X), off=(N, N, S))
