"""The port: what a world asks of a gateway, real or virtual. A scenario asks for a feature, never for a product."""

from __future__ import annotations

from typing import Protocol


class GatewayPort(Protocol):
    """A keyless forwarder. All times are world ns; the gateway adds its own clock's offset itself."""

    id: str
    features: frozenset[str]  # "forwards_encrypted", "custody", "power_cut", ...

    @property
    def up(self) -> bool:
        """It has power: it receives and forwards."""

    def receive(self, telegram: bytes, received_ns: int, rssi_dbm: float) -> None:
        """A telegram from the air (bytes without CRCs, L first), in order of time."""

    def close_due(self, now_ns: int) -> None:
        """Close the open bundle if its age, count or size asks for it."""

    def pump(self, now_ns: int) -> None:
        """Publish what waits, take acknowledgements in. Called between turns of the network's wheel."""

    @property
    def waiting(self) -> tuple[int, ...]:
        """Sequences closed and not yet acknowledged by the portal, oldest first; quarantined ones left out."""

    def power_cut(self, now_ns: int) -> None:
        """Everything not in the outbox is gone."""

    def power_on(self, now_ns: int) -> None: ...

    def close(self) -> None: ...
