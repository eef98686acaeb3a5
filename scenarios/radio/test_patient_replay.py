"""Replays that take their time, or another way."""

from attacks.reach import Place
from attacks.replay import Replay
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.settings import without


@scenario(
    world="month-15",
    threats=["L08"],
    defences={"acc": {"portal.checks": ["acc"]}, "no_mcr": {"portal.checks": without("mcr")}},
    not_for={"smgw": "it varies checks that its gateways have not; their counter is in card/test_replay.py"},
)
def test_a_recording_is_worth_nothing_after_a_month(world: Stage) -> None:
    """What was recorded on the first day is sent thirty days later, when the access number has gone so far round that
    the old one lies ahead again. The time inside shows it; where none is inside, the counter of mode 7 does, and
    without it `age`, which reads the counter as a clock. In mode 5 without a time inside nothing does. Control: no
    checks."""
    replay = world.attack(Replay(learn_s=9 * 3_600, month=True, makers=("QDS",), timeless=("TCH",)))
    world.run(days=30, hours=12)
    world.expect(replay, "after a month", because=("time off", "time off", "time off | replayed counter"),
                 on=(X, X, X), acc=(S, S, S), no_mcr=(X, X, X), off=(S, S, S))  # fmt: skip
    world.expect(replay, "no time inside: after a month", because="replayed counter | replayed, late",
                 on=(N, S, X), acc=(N, S, S), no_mcr=(N, S, X), off=(N, S, S))  # fmt: skip


@scenario(
    world="terrace-60",
    threats=["L08", "L12"],
    defences={"no_bind": {"portal.checks": without("bind")}, "bind": {"portal.checks": ["bind"]}},
    not_for={"smgw": "it varies checks that its gateways have not; their counter is in card/test_replay.py"},
)
def test_another_gateway_makes_no_replay_new(world: Stage) -> None:
    """A telegram that its own gateway has delivered is sent again after 10 s beside a gateway that cannot hear the
    meter. The portal has seen it, through whichever gateway; and `bind` refuses it by itself. Control: no
    checks."""
    replay = world.attack(
        Replay(learn_s=600, elsewhere=True), place=Place(metres=3.0, mouth=Place(beside=1, metres=2.0, power_dbm=0.0))
    )
    world.run(minutes=25)
    world.expect(replay, "through another gateway",
                 because=(*["foreign gateway | replayed access number"] * 2, "foreign gateway | replayed counter"),
                 on=(X, X, X), no_bind=(X, X, X), bind=(X, X, X), off=(S, S, S))  # fmt: skip
