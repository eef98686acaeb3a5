"""The one port of a smart meter gateway on the WAN: a datagram wakes it, and nothing else comes of one."""

from attacks.smgw_wake_up import FLOOD, FOREIGN, OTHER, REPLAYED, SELDOM, STALE, UNKNOWN_SIGNER, SmgwWakeUp
from bench.rig.scenario import N, S, Stage, T, X, scenario
from sim.core.events import GatewayWoken


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.call_every_s": 1_800.0},
    defences={"forgetful": {"system.remember_calls": False}},
    not_for={"keyless": "its gateways are never called"},
)
def test_nobody_but_the_administrator_wakes_a_gateway(world: Stage) -> None:
    """A datagram is looked at for its form, whom it names, who signed it, its time, whether it was seen, and how long
    ago the last one was. "forgetful": a gateway without a memory is woken by replays, and as often as somebody holds
    calls back. Control: it looks at the form alone."""
    wake = world.attack(SmgwWakeUp())
    world.run(hours=3)
    world.expect(wake, REPLAYED, because="it was seen before", on=(N, N, X), forgetful=(N, N, S), off=(N, N, S))
    world.expect(wake, STALE, because="its time is over", on=(N, N, X), forgetful=(N, N, X), off=(N, N, S))
    world.expect(wake, FOREIGN, because=UNKNOWN_SIGNER, on=(N, N, X), forgetful=(N, N, X), off=(N, N, S))
    world.expect(wake, OTHER, because="it names another gateway", on=(N, N, X), forgetful=(N, N, X), off=(N, N, S))
    world.expect(wake, FLOOD, because=SELDOM, on=(N, N, T), forgetful=(N, N, S), off=(N, N, S))
    world.measure("calls", len(list(world.history.of(GatewayWoken)))).at_least(8)
