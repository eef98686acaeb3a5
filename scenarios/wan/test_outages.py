"""A broker that is away, refuses, is slow or full costs time and no telegram: gateways keep what the portal has not."""

from bench.rig.scenario import Stage, scenario
from sim.core.clock import NS_PER_S, ns
from sim.core.events import BundleAcknowledged, BundleClosed
from sim.faults.broker_disk_full import BrokerDiskFull
from sim.faults.broker_down import BrokerDown
from sim.faults.broker_full import BrokerFull
from sim.faults.broker_killed import BrokerKilled
from sim.faults.broker_refuses import BrokerRefuses
from sim.faults.broker_slow import BrokerSlow
from sim.faults.gateway_power_cut import PowerCut
from sim.faults.port import AnyFault, Injection

TWENTY_MINUTES_S = 1_200.0
BROKER = {"endpoint.kind": "mosquitto", "endpoint.queued_messages": 8}


@scenario(
    world="terrace-60", settings=BROKER, needs=["kill"],
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_broker_that_is_down_for_twenty_minutes_costs_time_only(world: Stage) -> None:
    """Killed, and nobody on its port for twenty minutes. Every telegram that a gateway received is a reading once, and
    what waited is there a window after the broker is back."""
    _outage(world, BrokerDown(after_s=150.0, duration_s=TWENTY_MINUTES_S), TWENTY_MINUTES_S)


@scenario(
    world="terrace-60", settings=BROKER, needs=["kill"],
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_broker_that_refuses_for_twenty_minutes_costs_time_only(world: Stage) -> None:
    """It answers each CONNECT with "not authorized", good certificates or not."""
    _outage(world, BrokerRefuses(after_s=150.0, duration_s=TWENTY_MINUTES_S), TWENTY_MINUTES_S)


@scenario(
    world="terrace-60", settings=BROKER, needs=["kill"],
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_broker_that_works_once_in_eight_minutes_costs_time_only(world: Stage) -> None:
    """Its process stands still but for a moment in every eight minutes; gateways ask again meanwhile, and what arrives
    twice is stored once."""
    _outage(world, BrokerSlow(after_s=150.0, every_s=480.0, duration_s=TWENTY_MINUTES_S), TWENTY_MINUTES_S)


@scenario(
    world="terrace-60", settings=BROKER, needs=["kill", "persistence", "sockets"],
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_broker_whose_queue_is_full_costs_time_only(world: Stage) -> None:
    """The portal fetches nothing for twenty minutes, and the broker keeps eight messages for it: it acknowledges the
    others and drops them. A PUBACK is not custody, so gateways still have them."""
    _outage(world, BrokerFull(after_s=150.0, duration_s=TWENTY_MINUTES_S), TWENTY_MINUTES_S)


@scenario(
    world="terrace-60", settings=BROKER, needs=["kill", "persistence"],
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_broker_whose_disk_is_full_takes_nothing_with_it(world: Stage) -> None:
    """No write of the broker succeeds from the third minute on. It goes on and says nothing of it; when it is killed,
    while messages wait for the portal, it has nothing: sessions, subscriptions and messages are gone with it. Gateways
    still have what the portal has not acknowledged."""
    full = world.fault(BrokerDiskFull(after_s=150.0, duration_s=TWENTY_MINUTES_S))
    world.run(minutes=10)
    killed = world.fault(BrokerKilled(phase="deliver"))
    world.run(minutes=30)
    if full.unwitnessed or killed.unwitnessed:
        return  # then nothing is proven, and the check of faults says so
    assert world.truth.missing() == []
    assert world.truth.doubled() == 0
    assert world.truth.altered_readings == 0
    assert not any(gateway.waiting for gateway in world.inner.gateways)


@scenario(
    world="terrace-60", settings=BROKER, needs=["kill"],
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_gateway_that_stays_off_takes_its_open_bundle_only(world: Stage) -> None:
    """Off from the fourth minute to the end of the run, and the broker is down for a while: what the gateway had closed
    before lies on its disk or at the portal, and the other gateway's telegrams are readings."""
    cut = world.fault(PowerCut(gateway=1, after_s=250.0))
    _outage(world, BrokerDown(after_s=350.0, duration_s=300.0), 300.0, off=cut)
    assert not world.inner.gateways[1].up
    world.measure("telegrams lost on air, gateway down", world.history.fates["gateway down"]).at_least(100)


def _outage(world: Stage, fault: AnyFault, lasts_s: float, *, off: Injection | None = None) -> None:
    outage = world.fault(fault)
    world.run(minutes=40)
    truth, history = world.truth, world.history
    if outage.unwitnessed or outage.struck_ns is None or outage.healed_ns is None:
        return  # then nothing is proven, and the check of faults says so
    assert outage.healed_ns - outage.struck_ns == ns(lasts_s)
    lost = {telegram for gateway in world.inner.gateways if not gateway.up for telegram in gateway.on_disk()}
    lost |= set(off.lost) if off is not None else set()
    missing = [sent for sent in truth.missing() if world.inner.fleet.telegram(sent.meter, sent.k) not in lost]
    assert missing == []
    assert truth.doubled() == 0
    assert truth.altered_readings == 0
    assert not any(gateway.waiting or gateway.quarantined for gateway in world.inner.gateways if gateway.up)
    before = {(one.gateway, one.sequence) for one in history.of(BundleClosed) if one.time_ns < outage.healed_ns}
    back_ns = [
        one.time_ns
        for one in history.of(BundleAcknowledged)
        if (one.gateway, one.sequence) in before and one.time_ns >= outage.healed_ns
    ]
    world.measure("bundles that waited", len(back_ns)).at_least(2)
    recovery_s = (max(back_ns) - outage.healed_ns) / NS_PER_S
    world.measure("recovery after the outage", recovery_s, "s").at_most(world.spec.window_s)
    world.measure("readings stored", truth.stored).at_least(1_000 if off is None else 500)
