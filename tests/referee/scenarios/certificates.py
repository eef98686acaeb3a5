"""Who gets a session at a real broker, and what may be said in it."""

from dataclasses import replace

from bench.rig.scenario import Stage, scenario
from sim.endpoint.port import Endpoint, Identity, Session

DEADLINE_S = 10.0


@scenario(world="terrace-60", needs=["tls", "crl", "bind", "acl"])
def test_a_session_needs_the_certificate_of_its_name(world: Stage) -> None:
    """A client without a certificate, with a revoked one, or with that of another device gets no session; one with its
    own writes and reads its own topics and no other's."""
    world.run(minutes=5)
    endpoint = world.inner.system.endpoint
    assert endpoint is not None
    own = endpoint.identity("spare-1")
    assert _opened(endpoint, own), "a certificate of the fleet"
    assert not _opened(endpoint, replace(own, certificate=None, key=None)), "no certificate"
    spare = endpoint.connect(own)
    assert endpoint.settle(lambda: spare.connected, DEADLINE_S)
    before = len(world.inner.system.sessions[0].inbox)
    spare.publish("gw/gw-0001/up", b"another's topic")
    assert endpoint.settle(lambda: spare.unacknowledged == 0, DEADLINE_S)
    fence = endpoint.fence(world.inner.system.sessions[0])
    assert endpoint.settle(fence, DEADLINE_S)
    assert len(world.inner.system.sessions[0].inbox) == before, "a message on another device's topic"
    spare.close()
    owner = world.inner.gateways[0].session
    connects = owner.connects
    session = endpoint.connect(replace(own, client_id=owner.client_id))
    endpoint.settle(lambda: owner.connects != connects, 1.0)
    session.close()
    assert endpoint.settle(lambda: owner.connected, DEADLINE_S)
    assert owner.connects == connects, "another device displaced the gateway"
    endpoint.revoke("spare-1")
    assert not _opened(endpoint, own), "a revoked certificate"
    world.run(minutes=5)
    assert world.truth.missing() == []


def _opened(endpoint: Endpoint, identity: Identity) -> bool:
    session: Session = endpoint.connect(identity)
    endpoint.settle(lambda: session.connected or any(state != "connected" for state, _ in session.log), DEADLINE_S)
    opened = session.connects > 0
    session.close()
    return opened
