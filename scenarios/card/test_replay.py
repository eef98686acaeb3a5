"""Card 2, replay. The talk's claim: impossible, because of a counter."""

from attacks.replay import Replay
from bench.rig.scenario import N, S, Stage, X, here, scenario
from sim.faults.portal_restarted import PortalRestarted

RESTART_H = 4.0
SEEN = ("replayed access number | foreign gateway",) * 2 + ("replayed counter | foreign gateway",)
ONE_GATEWAY = "of a meter's frames those count that its own gateway hears, which may be far from the attacker"
OLD = ("replayed access number | time off | foreign gateway",) * 2 + ("replayed counter | foreign gateway",)


@scenario(world="estate-1000", threats=["L08", "L09"])
def test_a_replayed_telegram_never_changes_a_reading(world: Stage) -> None:
    """Captured telegrams are sent again: after 10 s, after more than ten others, when the access number has wrapped,
    with a rewritten access number, after a portal restart. With all checks on, exact replays are refused in
    every mode. Two that are rewritten are stored: a clear telegram with another clock, because nothing authenticates
    it, and one of mode 5 without a time inside under a fresh access number, with what that garbles. Control: no
    checks."""
    replay = world.attack(Replay(restart_s=RESTART_H * 3_600 + 60, makers=("VIP", "QDS"), timeless=("TCH",)))
    world.run(hours=RESTART_H)
    world.fault(PortalRestarted())
    world.run(hours=1)
    world.expect(replay, "after 10 s", threats=["L08"], because=SEEN,
                 on=(X, X, X), off=(S, S, S), smgw=here(on=X, because="replayed counter"))  # fmt: skip
    world.expect(replay, "after more than ten others", threats=["L08"], because=OLD,
                 on=(X, X, X), off=(S, S, S), smgw=here(on=X, because="replayed counter"))  # fmt: skip
    world.expect(replay, "after a wrap of 256", threats=["L08"], because=OLD,
                 on=(X, X, X), off=(S, S, S), smgw=here(on=X, because="replayed counter"))  # fmt: skip
    world.expect(replay, "with a rewritten access number", threats=["L09"], because=("time off", "time off", "bad mac"),
                 on=(X, X, X), off=(S, S, X), smgw=here(on=X))  # fmt: skip
    world.expect(replay, "after a portal restart", threats=["L08"], because=OLD,
                 on=(X, X, X), off=(S, S, S),
                 smgw=here(on=X, because="replayed counter", least=2, few_because=ONE_GATEWAY))  # fmt: skip
    world.expect(replay, "no time inside: with a rewritten access number", threats=["L09"], because="bad mac",
                 on=(N, S, X), off=(N, S, X),
                 smgw=here(on=X, least=2, few_because=ONE_GATEWAY))  # fmt: skip
    world.expect(replay, "with a rewritten clock", threats=["L09"], on=(S, N, N), off=(S, N, N),
                 smgw=here(on=N))  # fmt: skip
