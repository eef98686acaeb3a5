"""What faults of the broker look at: its process, its port, what it tells a client, and what waits for it meanwhile.

Way          whether there is a way from the gateways to the portal, at one moment
way_of       the look
interrupted  what two looks say of the time between them: nothing arrived, and bundles wait
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple

from sim.endpoint.port import Endpoint

if TYPE_CHECKING:
    from sim.world import World

CONNECT_S = 2.0
BACK_S = 30.0
GONE_S = 5.0
"""Wall seconds within which sessions come back, and end; on an idle machine they need some thousandths of one."""
WITNESS = "probe"  # a device with a certificate of the fleet, as at the broker's start


class Way(NamedTuple):
    """`sessions`: gateways that have one; `arrived`, `waiting`: bundles that the portal has, and that gateways hold."""

    pid: int | None
    answers: bool  # somebody accepts a TCP connection on its port
    sessions: int
    arrived: int
    waiting: int


def way_of(world: World) -> Way:
    endpoint = broker_of(world)
    return Way(
        endpoint.pid,
        answers(endpoint),
        sum(gateway.session.connected for gateway in world.gateways),
        world.stored.count_bundles(),
        sum(len(gateway.waiting) for gateway in world.gateways),
    )


def interrupted(struck: Way, healed: Way) -> str:
    """ "" when something arrived between the two looks, or when nothing waits, or nobody has a session again."""
    if healed.arrived != struck.arrived or not healed.waiting or not healed.sessions:
        return ""
    return f"nothing had arrived meanwhile, {healed.waiting} bundles wait"


def broker_of(world: World) -> Endpoint:
    assert world.system.endpoint is not None, "a system with the feature 'kill' has a broker"
    return world.system.endpoint


def answers(endpoint: Endpoint) -> bool:
    if endpoint.address is None:
        return False
    try:
        with socket.create_connection((endpoint.address.host, endpoint.address.port), CONNECT_S):
            return True
    except OSError:
        return False


def told(world: World) -> str:
    """What a client with a good certificate is told that dials now: "connected", or why it is not."""
    endpoint = broker_of(world)
    session = endpoint.connect(endpoint.identity(WITNESS))
    endpoint.settle(lambda: bool(session.log), CONNECT_S)
    state, reason = session.log[0] if session.log else ("", f"no answer within {CONNECT_S:.0f} s")
    session.close()
    return reason or state


def nobody_connected(world: World) -> None:
    """Returns when every gateway knows that its session is over."""
    world.settle(lambda: not any(gateway.session.connected for gateway in world.gateways), GONE_S)


def all_connected(world: World) -> None:
    """Returns when everybody who has power has a session again."""
    everybody = [*world.system.sessions, *(gateway.session for gateway in world.gateways if gateway.up)]
    world.settle(lambda: all(session.connected for session in everybody), BACK_S)
