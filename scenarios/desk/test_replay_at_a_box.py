"""Card 2, replay, through a gateway that is no part of this bench: the portal judges what that gateway made of it."""

from attacks.parts.decoded_replays import decoder
from attacks.replay import ACC, OTHERS, Replay
from bench.rig.scenario import S, Stage, X, scenario

OLD = ("replayed access number | time off",) * 2 + ("replayed counter",)
BY_PORTAL = {OTHERS: ((X, X, X), (S, S, S), OLD), ACC: ((X, X, X), (S, S, X), ("time off", "time off", ""))}
BY_ITSELF = {OTHERS: ((X, S, S), (S, S, S), OLD), ACC: ((X, S, X), (S, S, X), ("time off", "", ""))}
"""On, off, and why: at a gateway that reads encrypted telegrams itself, and compares no counter."""


@scenario(
    world="desk-24",
    threats=["L08", "L09"],
    not_for={"smgw": "a gateway of the desk takes the place of those that hold no keys"},
)
def test_a_replay_through_a_gateway_of_the_desk_changes_no_reading(world: Stage) -> None:
    """Captured telegrams are sent again in wall time, after more than ten others of their meter and with a rewritten
    access number, to a gateway outside of the bench. What it passes on changes no stored reading. Control: the same
    gateway, and a portal without checks. Behind a gateway that decodes there are values for encrypted meters and no
    telegrams, and no check of a portal: it must be expected to give an old value as a new one."""
    replay = world.attack(Replay(learn_s=240.0, wrap=False, only=(OTHERS, ACC)))
    world.run(minutes=9)
    expected = BY_PORTAL if decoder(world.truth) is None else BY_ITSELF
    for variant, threat in ((OTHERS, "L08"), (ACC, "L09")):
        on, off, because = expected[variant]
        world.expect(replay, variant, threats=[threat], because=because, on=on, off=off)
