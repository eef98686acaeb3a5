"""How an administrator inside a world hands containers on over the real WAN: gateway to administrator, administrator to
participant, each a connection of its own in TLS. It stands where a world hands over without sockets."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from sim.smart_metering.administrator import Hand
from sim.smart_metering.wan import answers
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.tls import WanError


def hand_over(receiver: str, port: int, context_of: Callable[[str], ssl.SSLContext]) -> Hand:
    """`port`: of the administrator's server; `context_of`: gateway -> its side of TLS. What is not taken waits in the
    gateway."""

    def hand(gateway: str, container: bytes, now_ns: int) -> bool:
        try:
            with WanClient(context_of(gateway), port, answers.ADMINISTRATOR) as client:
                client.ask("POST", f"/{receiver}.sm/delivery", container)
        except WanError:
            return False
        return True

    return hand
