"""Which kinds of gateways there are: one file in sim/gateway/kinds each.

    GATEWAYS.find("virtual").open("gw-0001", spec, wiring)     switched on; see port.GatewayPort
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sim.core.part_errors import answer
from sim.core.parts import Kinds, of_kind
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.port import GatewayFeature, GatewayPort, Wiring

S = TypeVar("S", bound=GatewaySpec)


@dataclass(frozen=True, slots=True)
class GatewayKind(Generic[S]):
    """One kind. `spec`: the class of its keys under [[gateway]], whose `kind` is this id. `make(id, spec, wiring)`: a
    gateway that is switched on. `real`: it is a program or a device outside of the world, which must pass with the
    wall's clock, and what it receives is told it at the instant at which it ends on the air."""

    id: str
    title: str
    features: frozenset[GatewayFeature]
    spec: type[S]
    make: Callable[[str, S, Wiring], GatewayPort]
    real: bool = False

    def open(self, gateway: str, spec: GatewaySpec, wiring: Wiring) -> GatewayPort:
        """One gateway of a group. Raises TypeError for settings of another kind."""
        settings = of_kind(spec, self.spec, f"gateway kind '{self.id}'")
        return answer(self.make, gateway, settings, wiring, of="a gateway", port=GatewayPort)


GATEWAYS: Kinds[GatewayKind[Any]] = Kinds("sim.gateway.kinds", "KIND", "gateway kind", GatewayKind)
