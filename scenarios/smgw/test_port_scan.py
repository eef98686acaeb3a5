"""What somebody on the WAN finds who tries every port of a smart meter gateway."""

import pytest

from bench.rig.scenario import Stage, scenario
from bench.rig.wan_scan import NoNamespace, scanned


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "what may reach its gateways is their operator's firewall's to say"},
)
def test_a_gateway_lets_nobody_in_from_the_wan(world: Stage) -> None:
    """The gateway's WAN side as a program, in a network namespace of its own, gives a container to its administrator.
    Of all its ports none takes a connection, and one listens to datagrams, without ever answering; behind the scan a
    genuine datagram still wakes it. Control: a port that is open, and another one that listens, are found."""
    world.run(minutes=10)
    try:
        told = scanned(world.directory / "wan")
    except NoNamespace as why:
        pytest.skip(f"allowed: no network namespace can be made here ({why})")
    found, control = told["found"], told["control"]
    world.measure("TCP ports that let somebody in", len(found["tcp_open"])).at_most(0)
    world.measure("UDP ports that answered", len(found["udp_answered"])).at_most(0)
    assert found["udp_silent"] == [told["port"]], "and this one never answers"
    assert (told["first"], told["woken"], told["answer"]) == ("1 given", "1 given", "")
    assert control["tcp_open"] == told["doors"][:1]
    assert set(control["udp_silent"]) == {told["doors"][1], told["port"]}
    world.measure("open doors found, of those that were opened", len(control["tcp_open"])).at_least(1)
