"""Which single check stops which replay: the traps of trusting the access number."""

from attacks.replay import Replay
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.settings import without

SEEN = ("replayed access number",) * 2 + ("replayed access number | replayed counter",)
OLD = ("replayed access number | time off",) * 2 + ("replayed access number | replayed counter | time off",)


@scenario(
    world="courtyard-fast",
    threats=["L08", "L09"],
    settings={"endpoint.kind": "memory"},
    defences={"acc": {"portal.checks": ["acc"]}, "ts": {"portal.checks": ["ts"]}, "mcr": {"portal.checks": ["mcr"]}},
    not_for={"smgw": "it varies checks that its gateways have not; their counter is in card/test_replay.py"},
)
def test_the_access_number_alone_stops_no_replay_after_a_wrap(world: Stage) -> None:
    """With only the 8-bit access number checked, a replay passes when the number has wrapped, and in mode 5 whenever
    it is rewritten. Time inside the payload stops both; in mode 7 the authenticated counter does."""
    replay = world.attack(Replay(learn_s=400, restart_s=None))
    world.run(hours=4)
    world.expect(replay, "after 10 s", because=SEEN,
                 on=(X, X, X), acc=(X, X, X), ts=(S, S, S), mcr=(S, S, X), off=(S, S, S))  # fmt: skip
    world.expect(
        replay, "after more than ten others", because=OLD,
                 on=(X, X, X), acc=(X, X, X), ts=(X, X, X), mcr=(S, S, X), off=(S, S, S)
    )  # fmt: skip
    world.expect(replay, "after a wrap of 256", because=("time off", "time off", "replayed counter | time off"),
                 on=(X, X, X), acc=(S, S, S), ts=(X, X, X), mcr=(S, S, X), off=(S, S, S))  # fmt: skip
    world.expect(replay, "with a rewritten access number", because=("time off", "time off", "bad mac"),
                 on=(X, X, X), acc=(S, S, X), ts=(X, X, X), mcr=(S, S, X), off=(S, S, X))  # fmt: skip
    world.expect(
        replay, "with a rewritten clock", because="replayed access number",
                 on=(S, N, N), acc=(S, N, N), ts=(S, N, N), mcr=(S, N, N), off=(S, N, N)
    )  # fmt: skip


@scenario(
    world="timeless-56", threats=["L08", "L09"], defences={"no_mcr": {"portal.checks": without("mcr")}},
    not_for={"smgw": "it varies checks that its gateways have not; their counter is in card/test_replay.py"},
)
def test_the_counter_alone_stops_a_quick_wrap_without_a_time_inside(world: Stage) -> None:
    """Meters that send no time, and an access number that wraps while the portal still calls a telegram young: `acc`,
    `ts`, `age` and `bind` together let the old telegram pass. In mode 7 the counter under the MAC stops it, alone; in
    mode 5 nothing does, as soon as the meter says something else than it said before.

    A lost shot does not count, nor a copy of what no gateway received, so there are four meters a variant."""
    replay = world.attack(Replay(learn_s=600, targets_each=4, wrap_among=16))
    world.run(hours=4.8)
    world.expect(replay, "after 10 s", because=SEEN,
                 on=(N, X, X), no_mcr=(N, X, X), off=(N, S, S))  # fmt: skip
    world.expect(replay, "after more than ten others", because=SEEN,
                 on=(N, X, X), no_mcr=(N, X, X), off=(N, S, S))  # fmt: skip
    world.expect(replay, "after a wrap of 256", because="replayed counter",
                 on=(N, S, X), no_mcr=(N, S, S), off=(N, S, S))  # fmt: skip
    world.expect(replay, "with a rewritten access number", because="bad mac",
                 on=(N, S, X), no_mcr=(N, S, X), off=(N, S, X))  # fmt: skip
