"""[endpoint] of a world: the broker, or what stands for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sim.core.settings import number


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    kind: Literal["memory", "mosquitto"] = "mosquitto"
    bind_client_id: bool = True
    per_device_acl: bool = True
    require_certificate: bool = True
    max_message_bytes: int = number(131_072, low=1_024, high=268_435_455)
