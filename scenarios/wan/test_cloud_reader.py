"""What the cloud between gateways and portal sees and keeps, and what it could read of it."""

import json

from attacks.cloud_reader import KEPT, PASSING, CloudReader
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.endpoint.kinds.aws_local import AwsLocal
from sim.systems.keyless import keyless


@scenario(
    world="terrace-60",
    threats=["G04"],
    settings={"endpoint.kind": "aws_local", "endpoint.portal_by": "queue", "gateway.shadow": True},
    needs=["shadows"],
    not_for={"smgw": "its containers are sealed, and no cloud is between gateway and administrator"},
)
def test_the_cloud_reads_no_encrypted_value(world: Stage) -> None:
    """Bundles pass the broker, lie in the queue that a topic rule fills, and gateways report to their device shadows:
    firmware, how many meters they heard, their backlog. Of meters in mode 0 the cloud reads every value; of the others
    none, and a shadow says counts and no meter. Control: the same fleet without encryption."""
    reader = world.attack(CloudReader())
    world.run(hours=1)
    why = ("", "contents are encrypted", "contents are encrypted")
    world.expect(reader, PASSING, because=why, on=(S, X, X), off=(S, N, N))
    world.expect(reader, KEPT, because=why, on=(S, X, X), off=(S, N, N))
    endpoint = keyless(world.inner.system).endpoint
    assert isinstance(endpoint, AwsLocal)
    gateways = world.inner.gateways
    world.inner.settle(lambda: not any(one.session.unacknowledged for one in gateways), 30.0)
    shadows = endpoint.shadows()
    world.measure("gateways with a shadow", len(shadows)).at_least(2)
    for gateway in gateways:
        reported = shadows[gateway.id]["state"]["reported"]
        assert set(reported) == {"firmware", "boot", "meters", "backlog", "quarantined", "last_heard_ns"}
        assert (reported["boot"], reported["backlog"], reported["quarantined"]) == (gateway.boot, 0, 0)
        assert 0 < reported["meters"] <= world.inner.fleet.n
    said, fleet = json.dumps(shadows), world.inner.fleet
    assert [one for meter in range(fleet.n) if (one := str(fleet.address(meter)).split()[1]) in said] == []
    world.measure("files that the cloud keeps", reader.files).at_least(3)
