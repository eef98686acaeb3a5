"""A gateway that sleeps: on a battery or a mobile contract it hears some minutes an hour or some hours a day, and of
each meter it takes one telegram an hour.

    kind = "sleeping"
    awake_s = 600.0      ten minutes of each
    every_s = 3_600.0    hour, the first time at
    first_s = 0.0        the begin of the world

While it sleeps its receiver is down: a frame that touches a sleep is lost for that reason ("gateway down"). Its clock
and its modem stay on, so bundles close and leave at any time. What it has taken of a period it forgets with a power
cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sim.core.clock import ns
from sim.core.settings import number
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.kinds.virtual import VirtualGateway
from sim.gateway.port import GatewayFeature, Waking
from sim.gateway.registry import GatewayKind
from sim.gateway.thinning import Thinning


@dataclass(frozen=True, slots=True)
class SleepingSpec(GatewaySpec):
    """[[gateway]] with kind = "sleeping". It hears `awake_s` of every `every_s`, first at `first_s` of world time, and
    takes one telegram of each meter in `thin_s` (0: all)."""

    kind: str = "sleeping"
    awake_s: float = number(600.0, low=1.0, high=86_400.0)
    every_s: float = number(3_600.0, low=1.0, high=7 * 86_400.0)
    first_s: float = number(0.0, low=0.0, high=7 * 86_400.0)
    thin_s: float = number(3_600.0, low=0.0, high=86_400.0)


class SleepingGateway(VirtualGateway):
    """See port.GatewayPort."""

    features: ClassVar[frozenset[GatewayFeature]] = VirtualGateway.features - {"always awake", "bundling rule"}

    def __init__(self, id: str, spec: SleepingSpec, outbox_path: Path, *rest: Any, **more: Any) -> None:
        self.waking = Waking(ns(spec.first_s), ns(spec.every_s), min(ns(spec.awake_s), ns(spec.every_s)))
        self.thinning = Thinning(ns(spec.thin_s)) if spec.thin_s else None
        super().__init__(id, spec, outbox_path, *rest, **more)

    def _boot(self, now_ns: int) -> None:
        if self.thinning is not None:
            self.thinning = self.thinning.again()
        super()._boot(now_ns)

    def receive(self, telegram: bytes, received_ns: int, rssi_dbm: float) -> None:
        if self.up and (self.thinning is None or self.thinning.takes(telegram, received_ns)):
            super().receive(telegram, received_ns, rssi_dbm)


KIND = GatewayKind(
    id="sleeping",
    title="Hears some minutes an hour, and takes one telegram a meter and hour",
    features=SleepingGateway.features,
    spec=SleepingSpec,
    make=SleepingGateway.wired,
)
