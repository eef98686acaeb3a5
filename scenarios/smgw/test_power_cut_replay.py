"""After a power cut a smart meter gateway knows counters that are up to twelve hours old."""

from attacks.replay import RESTART, Replay
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.faults.gateway_power_cut import PowerCut

CUT_H = 3.0


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    defences={"saved": {"system.counter_saved_s": 0.0}},
    not_for={"keyless": "its portal writes each counter before it acknowledges: card/test_replay.py"},
)
def test_counters_of_twelve_hours_ago_let_a_recording_in(world: Stage) -> None:
    """Telegrams recorded before a power cut are played afterwards. The rule allows counters to be twelve hours old, so
    they are taken. Defence "saved": each counter is written at once."""
    replay = world.attack(Replay(only=(RESTART,), restart_s=CUT_H * 3_600 + 300, makers=("QDS",), timeless=("TCH",)))
    world.run(hours=CUT_H)
    for gateway in range(world.spec.gateways):
        world.fault(PowerCut(gateway=gateway, duration_s=120.0))
    world.run(minutes=30)
    world.expect(replay, RESTART, because="replayed counter", on=(N, N, S), saved=(N, N, X), off=(S, S, S))
