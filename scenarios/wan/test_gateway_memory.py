"""What a thief finds who takes a gateway away and reads its memory."""

from collections import Counter

from bench.rig.gateway_memory import GatewayProcess
from bench.rig.scenario import Stage, scenario
from bench.rig.secrets import of_world, said_in_clear


@scenario(
    world="terrace-60", threats=["G04"], settings={"endpoint.kind": "mosquitto"}, needs=["tls", "sockets"],
    not_for={"smgw": "its gateways decrypt, so their memory holds keys and values: smgw/test_stolen_gateway_disk.py"},
)
def test_a_gateways_memory_holds_no_key_and_no_plaintext(world: Stage) -> None:
    """The reference gateway, as a process of its own with a broker of its own, is fed every telegram that the world's
    gateways received in ten minutes, and delivers them. Neither a meter's key nor what an encrypted telegram says is in
    its memory, in any form. Control: a key that it was given in a telegram is found, and so is one backwards."""
    world.run(minutes=10)
    inner, truth = world.inner, world.truth
    heard = [inner.fleet.telegram(sent.meter, sent.k) for sent in truth.sent()]
    hidden = of_world(inner)
    with GatewayProcess() as gateway:
        for telegram in heard:
            gateway.receive(telegram)
        assert gateway.deliver() == 0, "everything was acknowledged"
        others = Counter(heard)
        others.subtract(gateway.taken)
        changed = sum(abs(count) for count in others.values())
        world.measure("telegrams that it did not forward unchanged", changed).at_most(0)
        seen = {found.secret for found in gateway.in_memory(hidden)}
        leaked = sorted(seen - said_in_clear(inner, hidden, seen))
        world.measure("secrets found in a gateway's memory", len(leaked)).at_most(0)
        assert leaked == []
        planted = [key for meter in range(inner.fleet.n) if (key := inner.fleet.key(meter)) is not None][:2]
        gateway.hold(planted[0])
        gateway.hold(planted[1][::-1])
        named = {found.secret for found in gateway.in_memory(hidden)}
        world.measure("planted keys found in its memory", len(named)).at_least(2)
        assert len(named) == 2
    world.measure("telegrams that it forwarded", len(heard)).at_least(200)
