"""Nothing a gateway has taken is lost on the way: a PUBACK is not custody, the portal's commit is."""

from collections import Counter

from bench.rig.scenario import Stage, scenario
from sim.faults.broker_killed import BrokerKilled
from sim.faults.gateway_power_cut import PowerCut
from sim.faults.portal_killed import PortalKilled


@scenario(
    world="day-1000", needs=["kill"],
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_a_broker_killed_three_times_loses_and_doubles_nothing(world: Stage) -> None:
    """The broker is killed with SIGKILL while gateways publish, while messages wait for the portal, and while the
    portal's acknowledgements travel back. Every telegram a gateway received is a reading exactly once."""
    world.run(hours=1)
    for phase in ("publish", "deliver", "acknowledge"):
        world.fault(BrokerKilled(phase=phase))
        world.run(hours=0.5)
    assert world.truth.missing() == []
    assert world.truth.doubled() == 0
    assert world.truth.altered_readings == 0
    assert not any(gateway.waiting for gateway in world.inner.gateways)
    world.measure("readings stored", world.truth.stored).at_least(9_000)


@scenario(
    world="day-1000", settings={"endpoint.kind": "memory"},
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_a_gateway_without_power_loses_what_it_had_not_stored(world: Stage) -> None:
    """A power cut takes the open bundle and nothing that was closed and lies on its disk, not delivered yet; after it
    the gateway goes on with its sequence, and what it did not hear has the reason "gateway down"."""
    world.run(hours=1)
    cut = world.fault(PowerCut(gateway=0, after_s=880.0))
    world.run(hours=0.5)  # longer, and what no other gateway heard would come too late to be a reading
    if not cut.evidence:
        return  # then nothing is proven, and the check of faults says so
    on_disk = world.inner.gateways[0].on_disk()
    cut.heal()
    world.run(hours=1)
    missing = {world.inner.fleet.telegram(sent.meter, sent.k) for sent in world.truth.missing()}
    assert missing <= set(cut.lost)
    world.measure("telegrams on the disk of a gateway without power", len(on_disk)).at_least(50)
    assert world.truth.doubled() == 0
    assert world.truth.altered_readings == 0
    assert world.inner.gateways[0].up
    world.measure("telegrams lost on air, gateway down", world.history.fates["gateway down"]).at_least(100)


@scenario(
    world="terrace-60", settings={"endpoint.kind": "memory"},
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_death_amid_a_delivery_loses_and_doubles_nothing(world: Stage) -> None:
    """A gateway dies after it published a bundle and before the broker's PUBACK; the portal dies after it committed
    what it took and before it acknowledged it. Each goes on with what was on its disk: what was under way goes out a
    second time and is a reading once."""
    world.run(hours=1)
    cut = world.fault(PowerCut(gateway=0, phase="publish", duration_s=60.0))
    world.run(hours=0.5)
    came: Counter[bytes] = Counter()
    world.inner.system.message_taps.append(lambda messages, _now_ns: came.update(one.payload for one in messages))
    world.fault(PortalKilled(phase="commit"))
    world.run(hours=0.5)
    world.measure("messages that came to the portal twice", sum(n > 1 for n in came.values())).at_least(1)
    missing = {world.inner.fleet.telegram(sent.meter, sent.k) for sent in world.truth.missing()}
    assert missing <= set(cut.lost)
    assert world.truth.doubled() == 0
    assert world.truth.altered_readings == 0
    assert not any(gateway.waiting for gateway in world.inner.gateways)
