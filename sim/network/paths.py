"""Where the network leads each gateway, and the attacker on its path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sim.core.bundle import UP
from sim.core.seeds import Seeds
from sim.endpoint.port import Address, Endpoint, EndpointError, Session
from sim.network.uplink import NONE, Uplink, UplinkSpec

if TYPE_CHECKING:
    from sim.network.mitm_path import Alter, MitmPath
    from sim.network.tls_proxy import Answer


class OnNetwork(Protocol):
    """What a path needs of a gateway."""

    @property
    def id(self) -> str: ...

    @property
    def session(self) -> Session: ...


class Line(NamedTuple):
    """A connection of somebody who is no gateway (the portal), as its path sees it."""

    id: str
    session: Session


class Paths:
    """`endpoint()` is where paths lead unless they were changed; `settle` lets real sockets move while world time
    stands still. Files of an attacker on a path go into `folder`."""

    def __init__(
        self, folder: Path, endpoint: Callable[[], Endpoint | None], settle: Callable[[Callable[[], bool], float], bool]
    ) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._settle = settle
        self._routes: dict[str, Address] = {}
        self._mitm_paths: list[MitmPath] = []
        self._outages = 0
        self._uplinks: dict[str, Uplink] = {}

    def uplink(self, spec: UplinkSpec, number: int, gateway: str, seeds: Seeds) -> Uplink | None:
        """The way of this gateway in virtual time; None where the world has no backhaul."""
        if spec.kind == NONE:
            return None
        way = self._uplinks[gateway] = Uplink(spec, number, len(UP.format(gateway=gateway)), seeds)
        return way

    def under_way(self, gateway: str) -> tuple[bytes, ...]:
        """Bundles of this gateway that are on their way."""
        way = self._uplinks.get(gateway)
        return () if way is None else way.payloads

    def spans(self, gateway: str) -> Sequence[tuple[int, int]]:
        """World ns in which something of this gateway was on its way."""
        way = self._uplinks.get(gateway)
        return () if way is None else way.spans

    def of(self, gateway: str) -> Address | None:
        """Where this gateway's path leads; None: to the broker."""
        return self._routes.get(gateway)

    def reroute(self, gateway: OnNetwork, address: Address | None) -> None:
        """The network leads a gateway elsewhere (None: to the broker again); its connection is reset."""
        broker = self._broker()[1]
        if address is None:
            self._routes.pop(gateway.id, None)
        else:
            self._routes[gateway.id] = address
        gateway.session.reroute(address or broker)

    def intercept(
        self, gateway: OnNetwork, certificate: str, alter: Alter | None = None, answer: Answer | None = None
    ) -> MitmPath:
        """Put a man in the middle on a gateway's path; returns when the gateway has met him, and where he relays, when
        there is a session through him or there will be none: else the machine's speed decides in which window it
        begins."""
        from sim.network.mitm_path import MitmPath  # with asyncio, which nobody else here needs

        endpoint, broker = self._broker()
        self._folder.mkdir(exist_ok=True)
        middle = MitmPath(endpoint.authority, broker, self._folder, certificate, alter, answer)
        self._mitm_paths.append(middle)
        self.reroute(gateway, middle.address)
        session = gateway.session
        self._settle(lambda: session.connected or (middle.answered and not middle.under_way), 10.0)
        return middle

    def release(self, gateway: OnNetwork) -> None:
        """The path leads to the broker again; returns when the gateway has its session back."""
        self.close()
        self._mitm_paths.clear()
        self.restore(gateway)

    def restore(self, gateway: OnNetwork) -> None:
        """As `release`; attackers on other paths stay."""
        self.reroute(gateway, None)
        self._settle(lambda: gateway.session.connected, 30.0)

    def close_all(self) -> None:
        """From now on the broker accepts no data, and lockstep waits for no gateway; until as many `open_all`."""
        self._outages += 1

    def open_all(self) -> None:
        self._outages = max(0, self._outages - 1)

    def cut_off(self, gateway: OnNetwork) -> bool:
        """Its messages cannot arrive: the broker takes none, or its path leads to a server that it refuses, or that
        keeps them."""
        if self._outages:
            return True
        relayed = any(middle.relays for middle in self._mitm_paths)
        return gateway.id in self._routes and not (relayed and gateway.session.connected)

    def close(self) -> None:
        """Idempotent; leaves no thread and no port."""
        for middle in self._mitm_paths:
            middle.stop()

    def _broker(self) -> tuple[Endpoint, Address]:
        endpoint = self._endpoint()
        if endpoint is None or endpoint.address is None:
            raise EndpointError("there are no sockets here whose paths could change; take endpoint 'mosquitto'")
        return endpoint, endpoint.address
