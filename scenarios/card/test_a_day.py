"""The system without an attacker: a run is only worth something next to a clean one."""

from bench.rig.scenario import Stage, scenario
from sim.core.clock import wall_s


@scenario(
    world="day-1000",
    not_for={"smgw": "its limits count every meter of the world, and it attaches half of them: tests hold its days"},
)
def test_a_thousand_meters_are_read_for_a_day(world: Stage) -> None:
    """A thousand meters for a day at 900 s: every telegram a gateway received is a reading with the value that was
    sent, none doubled, and no alarm is raised without a cause."""
    started_s = wall_s()
    world.run(days=1)
    duration_s = wall_s() - started_s
    truth = world.truth
    sent = world.inner.frames_sent
    assert abs(sent - 96_000) < 200, "each meter's individual interval ends a day at 96 telegrams, give or take one"
    assert truth.altered_readings == 0
    assert truth.doubled() == 0
    assert truth.missing() == []
    assert truth.alarms(["freshness", "twin", "tamper"]) == []
    world.measure("delivery ratio", truth.received / sent).at_least(0.95)
    world.measure("readings stored", truth.stored).at_least(0.95 * 96_000)
    world.measure("wall time", duration_s, "s")  # held to its limit in bench/perf, where nothing else runs
