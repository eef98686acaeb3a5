"""Card 2, replay, through a gateway that is no part of this bench: the portal judges what that gateway made of it."""

from attacks.replay import ACC, OTHERS, Replay
from bench.rig.scenario import S, Stage, X, scenario

OLD = ("replayed access number | time off",) * 2 + ("replayed counter",)


@scenario(
    world="desk-24",
    threats=["L08", "L09"],
    not_for={"smgw": "a gateway of the desk takes the place of those that hold no keys"},
)
def test_a_replay_through_a_gateway_of_the_desk_changes_no_reading(world: Stage) -> None:
    """Captured telegrams are sent again in wall time, after more than ten others of their meter and with a rewritten
    access number, to a gateway outside of the bench. What it passes on changes no stored reading. Control: the same
    gateway, and a portal without checks."""
    replay = world.attack(Replay(learn_s=240.0, wrap=False, only=(OTHERS, ACC)))
    world.run(minutes=9)
    world.expect(replay, OTHERS, threats=["L08"], because=OLD, on=(X, X, X), off=(S, S, S))
    world.expect(replay, ACC, threats=["L09"], because=("time off", "time off", ""), on=(X, X, X), off=(S, S, X))
