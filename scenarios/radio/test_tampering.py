"""The talk's claim that meters detect tampering: what the portal makes of a meter that complains."""

from bench.rig.scenario import Stage, scenario
from sim.core.clock import NS_PER_S


@scenario(world="terrace-60", threats=["M01"])
def test_a_meter_that_was_tampered_with_is_told_of_by_its_next_telegrams(world: Stage) -> None:
    """Every second meter is taken off its radiator or opened. The portal raises an alarm for each of them and for no
    other, as soon as a telegram arrives. What an attacker on the air can do about it is in test_alteration."""
    world.run(minutes=10)
    at_ns = world.inner.now_ns
    tampered = list(range(0, world.inner.fleet.n, 2))
    for meter in tampered:
        world.inner.tamper(meter, "removed" if meter % 4 else "opened")
    world.run(minutes=20)
    addresses = {str(world.inner.fleet.address(meter)) for meter in tampered}
    alarms = world.truth.alarms(["tamper"])
    assert {alarm.subject for alarm in alarms} <= addresses, "a false alarm"
    world.measure("tampered meters with an alarm", len({a.subject for a in alarms}) / len(addresses)).at_least(0.99)
    world.measure("longest delay of an alarm", max(a.time_ns - at_ns for a in alarms) / NS_PER_S, "s").at_most(900)
