"""Who can see that somebody is at home, of those who run the talk's system and break nothing."""

from attacks.lawful_habits import RECEIVED, RELAYED, LawfulHabits
from bench.rig.scenario import N, S, Stage, X, scenario


@scenario(
    world="habits-620",
    threats=["P02"],
    settings={"fleet.mode 5.count": 1, "fleet.mode 5.security": "mode7"},
    not_for={"smgw": "its suppliers get what rule sets say: smgw/test_who_is_at_home.py"},
)
def test_whoever_runs_the_portal_sees_who_heats(world: Stage) -> None:
    """Every reading reaches the portal, so its operator knows who heats when. The broker's operator has the frames that
    anybody can hear: of meters that encrypt they say nothing, and clear ones are the control."""
    lawful = world.attack(LawfulHabits())
    world.run(hours=24)
    world.expect(lawful, RECEIVED, on=(S, N, S), off=(S, N, S))
    world.expect(lawful, RELAYED, on=(S, N, X), off=(S, N, X))
