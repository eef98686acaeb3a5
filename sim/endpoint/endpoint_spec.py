"""[endpoint] of a world: the broker, or what stands for it. `kind` says which; the other keys are the kind's own."""

from __future__ import annotations

from dataclasses import dataclass

from sim.core.settings import number


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """The keys that every kind has. A kind's own settings are a subclass in its file (see registry)."""

    kind: str
    per_device_acl: bool = True
    max_message_bytes: int = number(131_072, low=1_024, high=268_435_455)
