"""What a client of the embedded broker may write and read."""

from bench.rig.scenario import Stage, scenario
from sim.endpoint.port import Identity


@scenario(world="terrace-60")
def test_a_client_writes_and_reads_its_own_topics(world: Stage) -> None:
    """A device of the fleet that publishes on a gateway's topic reaches nobody and overhears nobody; one whose name was
    taken back gets no session."""
    endpoint = world.inner.system.endpoint
    assert endpoint is not None
    spare = endpoint.connect(Identity("spare-1"), subscribe=("gw/+/up",))
    assert endpoint.settle(lambda: spare.connected, 1.0)
    spare.publish("gw/gw-0001/up", b"not a bundle")
    world.run(minutes=10)
    assert not spare.inbox, "bundles of others"
    assert world.inner.system.stored.count_readings() > 0
    assert not _evidence(world), "a message of somebody who is no gateway"
    spare.close()
    endpoint.revoke("spare-1")
    again = endpoint.connect(Identity("spare-1"))
    endpoint.settle(lambda: bool(again.log), 1.0)
    assert again.connects == 0, "a name that was taken back"
    again.close()


def _evidence(world: Stage) -> list[object]:
    from sim.systems.keyless import keyless

    return list(keyless(world.inner.system).portal.store.evidence())
