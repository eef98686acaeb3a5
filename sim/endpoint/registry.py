"""Which endpoints there are, what each can do, and how a world gets its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.endpoint.endpoint_spec import EndpointSpec
from sim.endpoint.memory import Memory
from sim.endpoint.mosquitto import Mosquitto

ENDPOINTS: dict[str, Any] = {"memory": Memory, "mosquitto": Mosquitto}
FEATURES: dict[str, frozenset[str]] = {name: cls.features for name, cls in ENDPOINTS.items()}


def open_endpoint(spec: EndpointSpec, directory: Path) -> Any:
    """The endpoint a world asks for, not started. A `port.Endpoint`."""
    return ENDPOINTS[spec.kind](directory, spec)
