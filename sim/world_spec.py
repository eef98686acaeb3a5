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

from sim.core import clock_spec
from sim.core.clock_spec import ClockSpec
from sim.core.settings import Place, build, changed, number, one_of, read_toml
from sim.endpoint.endpoint_spec import EndpointSpec
from sim.endpoint.registry import ENDPOINTS
from sim.gateway import bundling
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.registry import GATEWAYS
from sim.meters.fleet_spec import FleetSpec
from sim.network.uplink import NONE as NO_BACKHAUL
from sim.network.uplink import UplinkSpec
from sim.portal.portal_spec import PortalSpec
from sim.radio import site_file
from sim.radio.site_spec import SiteSpec
from sim.systems.port import System, system_classes


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """One world. `window_s`: how often the world waits until everything published is stored (lockstep)."""

    name: str
    title: str
    fleet: tuple[FleetSpec, ...]
    gateway: tuple[GatewaySpec, ...] = one_of(GATEWAYS.specs, default="virtual", required=True)
    start: datetime = datetime(2026, 1, 12)  # noqa: DTZ001  (the calendar makes it UTC)
    window_s: float = number(900.0, low=1.0, high=86_400.0)
    site: SiteSpec = field(default_factory=SiteSpec)
    clock: ClockSpec = one_of(clock_spec.classes, default="virtual")
    portal: PortalSpec = field(default_factory=PortalSpec)
    backhaul: UplinkSpec = field(default_factory=UplinkSpec)
    endpoint: EndpointSpec = one_of(ENDPOINTS.specs, default="mosquitto")
    system: System = one_of(system_classes, default="keyless")

    @property
    def meters(self) -> int:
        return sum(group.count for group in self.fleet)

    @property
    def gateways(self) -> int:
        return sum(group.count for group in self.gateway)

    def lacks(self, needed: frozenset[str]) -> str:
        """What this world's system lacks of what an attack, a fault or a scenario needs, as a clause; "" when nothing.
        Raises ValueError for a feature that does not exist."""
        return self.system.lacks(self, needed)

    def with_setting(self, key: str, value: object, *, source: str = "setting") -> WorldSpec:
        """A copy with one dotted key changed. In [[fleet]] and [[gateway]] the key goes to every group
        ("fleet.security") or to a named one ("fleet.fast.security"). Raises SpecError."""
        return changed(self, key, value, source=source)

    def refuse_contradictions(self, place: Place | None = None) -> None:
        """Settings that are allowed each and not together. Asked when a world is read, when the command line has
        changed it, and when it is made. Raises SpecError, with the keys of both."""
        place = place or Place(f"world '{self.name}'", {})
        self.system.refuse_contradictions(self, place)
        if self.backhaul.kind != NO_BACKHAUL:
            what = f"'{self.backhaul.kind}' is a way of bundles in virtual time"
            if missing := self.lacks(frozenset({"bundles"})):
                raise place.error("backhaul.kind", f"{what} and {missing}: leave it out, or set another system.kind")
            if self.clock.kind != "virtual":
                raise place.error("backhaul.kind", f'{what}: leave it out, or set clock.kind = "virtual"')
        for at, group in enumerate(self.gateway):
            if GATEWAYS.find(group.kind).real and self.clock.kind != "wall":
                raise place.error(
                    f"gateway[{at}].kind", f"'{group.kind}' is a real gateway, which cannot be told to hurry: set "
                    'clock.kind = "wall"'
                )  # fmt: skip
            path, most = f"gateway[{at}].bundle_bytes", self.endpoint.max_message_bytes
            if group.bundle_bytes > most:
                raise place.error(
                    path, f"{group.bundle_bytes} is above endpoint.max_message_bytes, {most}: the broker would drop "
                    "each full bundle. Lower the first or raise the second"
                )  # fmt: skip
            longest_id = f"{group.name}-{max(9_999, group.count)}"
            if not bundling.has_room_for_one(bundling.limits_of(group, longest_id)):
                raise place.error(path, f"{group.bundle_bytes} has no room for one telegram beside gateway[{at}].name")

    @property
    def digest(self) -> str:
        """16 hex digits that name this world's content."""
        told = dataclasses.asdict(self)
        if self.backhaul.kind == NO_BACKHAUL:  # a world that says nothing of it keeps its name
            del told["backhaul"]
        if self.site.file is not None:
            told["site"]["file"] = dataclasses.asdict(site_file.load(Path(self.site.file)))
        else:
            del told["site"]["file"]
        text = json.dumps(told, sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def load(path: Path) -> WorldSpec:
    """Read a world file; its name is the file's stem. Raises SpecError."""
    table, place = read_toml(path)
    table.setdefault("name", path.stem)
    spec = build(WorldSpec, table, place)
    if spec.site.file is not None:
        spec = spec.with_setting("site.file", str(path.parent / spec.site.file))
    spec.refuse_contradictions(place)
    return spec
