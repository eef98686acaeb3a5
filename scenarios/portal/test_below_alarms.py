"""What an attacker gets who stays below each alarm of the portal."""

from bench.defences.below_alarms import QUIET, below
from bench.rig.scenario import Stage, scenario

MOST = {
    "telegrams of a meter in a row": 2, "of a day's 96 telegrams, spread evenly": 49,
    "of a gateway's 60 meters silent together": 0, "telegrams replayed or forged that are refused": 0,
    "logins in a quarter of an hour": 3, "bundle numbers away from the owner's": 1_024,
    "seconds that a gateway's clock is off": 150, "units more at the set date": 0, "l/h from one moment on": 16,
}  # fmt: skip
"""Paces that the thresholds leave; of a leak that grows each day there is no such figure."""


@scenario(
    world="terrace-60",
    not_for={"smgw": "its supplier is told of silence by its administrator: docs/models/smgw.md"},
)
def test_what_stays_below_each_alarm_is_known(world: Stage) -> None:
    """One attacker with a pace: the largest at which no alarm of the portal is raised, searched against the portal's
    own alarms. A world that is well runs beside it, in which none is raised either."""
    world.run(minutes=20)
    assert not world.truth.alarms(list(world.spec.portal.alarms))
    for quiet in QUIET:
        found = below(quiet)
        figure = world.measure(f"unnoticed by any alarm, {quiet.alarm}: {quiet.pace}", found.with_all)
        if quiet.pace in MOST:
            figure.at_most(MOST[quiet.pace])
