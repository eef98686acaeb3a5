"""What a thief finds who takes a gateway away and reads its memory."""

from bench.rig.gateway_memory import GatewayProcess
from bench.rig.scenario import Stage, scenario
from bench.rig.secrets import of_world
from sim.endpoint.registry import ENDPOINTS


@scenario(world="terrace-60", threats=["G04"], settings={"endpoint.kind": "mosquitto"}, needs=["tls", "sockets"])
def test_a_gateways_memory_holds_no_key_and_no_plaintext(world: Stage) -> None:
    """A gateway as a process of its own, with a broker of its own, is fed every telegram that the world's gateways
    received in ten minutes, and delivers them. Neither a meter's key nor what an encrypted telegram says is in its
    memory, in any form. Control: a key that it was given to hold is found there, and so is one backwards."""
    world.run(minutes=10)
    inner, truth = world.inner, world.truth
    heard = [(inner.fleet.telegram(sent.meter, sent.k), sent.start_ns) for sent in truth.sent()]
    hidden, folder = of_world(inner), world.directory / "apart"
    broker = ENDPOINTS.find("mosquitto").open(world.spec.endpoint, folder / "endpoint")
    broker.start()
    try:
        with GatewayProcess(broker, folder / "gateway") as gateway:
            for telegram, at_ns in heard:
                gateway.receive(telegram, at_ns)
            assert gateway.deliver(inner.now_ns) == 0, "everything was acknowledged"
            assert sorted(gateway.taken) == sorted(telegram for telegram, _ in heard), "as they were"
            assert [found.secret for found in gateway.in_memory(hidden)] == []
            planted = [key for meter in range(inner.fleet.n) if (key := inner.fleet.key(meter)) is not None][:2]
            gateway.hold(planted[0])
            gateway.hold(planted[1][::-1])
            named = {found.secret for found in gateway.in_memory(hidden)}
            world.measure("planted keys found in its memory", len(named)).at_least(2)
            assert len(named) == 2
    finally:
        broker.stop()
    world.measure("telegrams that it forwarded", len(heard)).at_least(200)
