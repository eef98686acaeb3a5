"""A world as data: what a `worlds/*.toml` says. Each room has the class of its own table; here they are put together.

`WorldSpec.with_setting("portal.checks", [])` is how a control run gets its weakness and how `--set` works.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sim.core.settings import build, changed, number, read_toml
from sim.endpoint.endpoint_spec import EndpointSpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.portal.portal_spec import PortalSpec
from sim.radio.site_spec import SiteSpec


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """One world. `window_s`: how often the world waits until everything published is stored (lockstep)."""

    name: str
    title: str
    fleet: tuple[FleetSpec, ...]
    gateway: tuple[GatewaySpec, ...]
    start: datetime = datetime(2026, 1, 12)  # noqa: DTZ001  (the calendar makes it UTC)
    window_s: float = number(900.0, low=1.0, high=86_400.0)
    site: SiteSpec = field(default_factory=SiteSpec)
    portal: PortalSpec = field(default_factory=PortalSpec)
    endpoint: EndpointSpec = field(default_factory=EndpointSpec)

    @property
    def meters(self) -> int:
        return sum(group.count for group in self.fleet)

    @property
    def gateways(self) -> int:
        return sum(group.count for group in self.gateway)

    def with_setting(self, key: str, value: Any, *, source: str = "setting") -> WorldSpec:
        """A copy with one dotted key changed. In [[fleet]] and [[gateway]] the key goes to every group
        ("fleet.security") or to a named one ("fleet.fast.security"). Raises SpecError."""
        return changed(self, key, value, source=source)

    @property
    def digest(self) -> str:
        """16 hex digits that name this world's content."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def load(path: Path) -> WorldSpec:
    """Read a world file; its name is the file's stem. Raises SpecError."""
    table, place = read_toml(path)
    table.setdefault("name", path.stem)
    return build(WorldSpec, table, place)
