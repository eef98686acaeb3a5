"""A gateway's line to its administrator, as a world's network sees it. Nothing of a broker passes over it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sim.endpoint.port import Address, EndpointError, Message, NotConnected

_NONE = "a smart meter gateway has no session with a broker; it gives its containers to its administrator"


class Line:
    """See endpoint.port.Session. `up`: the gateway has power."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.inbox: deque[Message] = deque()
        self.log: list[tuple[str, str]] = []
        self.log_ns: list[int] = []
        self.up = False

    @property
    def connected(self) -> bool:
        return self.up

    @property
    def connects(self) -> int:
        return int(self.up)

    @property
    def unacknowledged(self) -> int:
        return 0

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        raise NotConnected(_NONE)

    def close(self) -> None:
        self.up = False

    def cut(self) -> None:
        self.up = False

    def reroute(self, address: Address) -> None:
        raise EndpointError(_NONE)

    def fence(self) -> Callable[[], bool]:
        raise EndpointError(_NONE)
