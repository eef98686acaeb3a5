"""The desk's broker, with a path before it that can fail."""

from __future__ import annotations

from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.port import Address, Identity
from sim.endpoint.session import MqttSession


class Behind(Mosquitto):
    """A broker that gateways reach over a path, and we directly."""

    front: Address | None = None

    @property
    def address(self) -> Address | None:
        return self.front or super().address

    @property
    def own_address(self) -> Address | None:
        return super().address

    def connect(
        self, identity: Identity, *, subscribe: tuple[str, ...] = (), address: Address | None = None,
        verify: bool = True, clean: bool = True,
    ) -> MqttSession:  # fmt: skip
        return super().connect(
            identity, subscribe=subscribe, address=address or self.own_address, verify=verify, clean=clean
        )
