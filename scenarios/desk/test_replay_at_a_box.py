"""Card 2, replay, through a gateway that is no part of this bench: the portal judges what that gateway made of it."""

from attacks.replay import ACC, OTHERS, Replay
from bench.rig.scenario import N, S, Stage, Verdict, X, scenario
from sim.core.vocabulary import SECURITIES
from sim.gateway.port import Fed
from sim.truth.given_values import given_again

OLD = ("replayed access number | time off",) * 2 + ("replayed counter",)


@scenario(
    world="desk-24",
    threats=["L08", "L09"],
    not_for={"smgw": "a gateway of the desk takes the place of those that hold no keys"},
)
def test_a_replay_through_a_gateway_of_the_desk_changes_no_reading(world: Stage) -> None:
    """Captured telegrams are sent again in wall time, after more than ten others of their meter and with a rewritten
    access number, to a gateway outside of the bench. What it passes on changes no stored reading. Control: the same
    gateway, and a portal without checks. Of a gateway that decodes only telegrams in clear come to the portal; for the
    others the report says how many old values it gave as new."""
    replay = world.attack(Replay(learn_s=240.0, wrap=False, only=(OTHERS, ACC)))
    world.run(minutes=9)
    real = [gateway for gateway in world.inner.gateways if isinstance(gateway, Fed)]
    decodes = [gateway for gateway in real if gateway.opened_in is not None]
    modes = world.truth.securities & ({"none"} if decodes else set(SECURITIES))

    def seen(*verdicts: Verdict) -> tuple[Verdict | None, ...]:
        return tuple(one if mode in modes else N for mode, one in zip(SECURITIES, verdicts, strict=True))

    for variant in (OTHERS, ACC) if decodes else ():
        shots = [shot for shot in replay.shots if shot.variant == variant]
        old = [shot for shot in shots if given_again(world.truth, decodes[0], shot.of, shot.spoken.start_ns)]
        world.measure(f"{variant}: replays", len(shots))
        world.measure(f"{variant}: of which given as a new value", len(old))
    world.expect(replay, OTHERS, threats=["L08"], because=OLD, on=seen(X, X, X), off=seen(S, S, S))
    why = ("time off", "time off", "")
    world.expect(replay, ACC, threats=["L09"], because=why, on=seen(X, X, X), off=seen(S, S, X))
