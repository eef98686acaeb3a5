"""An administrator whose containers really pass over the WAN: gateway to administrator, administrator to participant,
each a connection of its own in TLS. It stands where a world's administrator does."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from sim.smart_metering.administrator import Administrator, Relayed
from sim.smart_metering.wan import answers
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.tls import WanError


class WanAdministrator(Administrator):
    """`port`: of the administrator's server; `context_of`: gateway -> its side of TLS."""

    def __init__(self, port: int, context_of: Callable[[str], ssl.SSLContext]) -> None:
        super().__init__({})
        self._port, self._context_of = port, context_of
        self.last_error = ""

    def relay(self, gateway: str, receiver: str, payload: bytes, now_ns: int) -> bool:
        """False: it waits in the gateway; `last_error` says why."""
        if not self.reached:
            return False
        self.relayed.append(Relayed(now_ns, gateway, receiver, payload))
        try:
            with WanClient(self._context_of(gateway), self._port, answers.ADMINISTRATOR) as client:
                client.ask("POST", f"/{receiver}.sm/delivery", self.changes(payload))
        except WanError as error:
            self.last_error = str(error)
            return False
        return True
