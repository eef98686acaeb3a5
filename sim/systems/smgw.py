"""The BSI's system: smart meter gateways open telegrams themselves, apply tariffs, and give away containers that only
their final receiver can read; an administrator relays them.

    air ─► gateway (store, tariffs, module) ─ container ─► administrator ─ container ─► participant ─► values to bill
                                                                └─ under pseudonyms ─► grid operator

Its tables in a world are [[gateway]], of which it takes number, receiver and clock, [portal], whose defences its
gateways have as far as their guideline names them, and [system]. Meters that cannot be authenticated are not attached.
All parts run inside the world's process; keys, content keys and nonces come from the world's seed. It claims no
conformity to any guideline (docs/models/smgw.md).

Here are its settings; what runs is in _smgw_running, which is loaded with all its parts when such a world is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from sim.core.settings import names_from, number
from sim.core.vocabulary import SECURITIES
from sim.gateway.registry import GATEWAYS
from sim.smart_metering.lmn.pairing import Pairing
from sim.smgw.cells import CELL_MOST_BYTES, check_size
from sim.smgw.rule_set import CAPTURE_S
from sim.systems.port import Ground, System, SystemUnderTest

if TYPE_CHECKING:
    from sim.core.settings import Place
    from sim.world_spec import WorldSpec

SUPPLIER: Final = "supplier"
"""The final receiver of every contract that is billed. Of those about the grid it is another (_smgw_grid)."""
ATTACHED: Final = ("mode7",)
"""Links to meters are authenticated, and an authenticated counter makes them fresh: of the modes here mode 7 alone."""
HOURS_12_S: Final = 43_200.0
WIRED_MOST: Final = 60
"""Ours: wired meters of a gateway in a world; the bus has 125 addresses."""
WIRELESS_MOST: Final = 20
"""Ours: two-way radio meters of a gateway in a world; a handshake takes a third of a second on one channel."""
HOURS_48_S: Final = 172_800.0


@dataclass(frozen=True)
class SmgwSystem(System):
    """[system] kind = "smgw". `attach`: security modes of the meters that it pairs; others are not part of it. `taf`:
    the tariff use case of every contract, beside TAF 6 at set dates; `delivery_s`: how often its values leave (TAF 1:
    at the month's end). `counter_saved_s`: how old counters are at most after a power cut. `session_most_s`: how long a
    session with the administrator goes on without another look at certificates. `call_every_s`: how often he wakes each
    gateway (0: never). `wired`: electricity meters on each gateway's wired bus; `wired_pairing`: certificates were
    exchanged before, or the gateway makes each meter's first key. `wireless`: two-way radio meters of security profile
    C (mode 13) near each gateway. `feed_in`, `grid_state`: a grid operator gets what wired meters feed in (TAF 9), and
    what the grid is like there (TAF 10), every `grid_every_s`; `grid_beside_v`: of the grid only a voltage that goes so
    far beside 230 V, as it does (0: everything, each time). `consumers_look_s`: how often consumers look at the HAN, at
    the bills that came and at their logs (0: never). `bill_from_display`: the supplier bills what consumers tell him of
    their displays, and not what was delivered. `padding_bytes`: what passes on a gateway's line to the administrator
    goes in cells of this size inside TLS (0: as long as it is); `dummy_every_s`: so often pass `dummy_cells` cells each
    way, whatever waits, and none at another time (0: what is to be said is said at once). The others are defences:
    `seal_content`, values leave sealed and signed; `verify_content`, the receiver checks signature, age and tag;
    `check_attributes`, and what the signed attributes say; `time_over_tls`, the gateway believes nobody's time but the
    administrator's; `flag_clock`, values that a wrong clock stamped are marked; `error_register`, what a radio meter
    counted in a gap with a change of zone stands in the register 63; `check_lists`, certificates are looked for on
    revocation lists; `check_firmware`, a gateway looks at who signed an image, for what device it is, and whether it is
    newer and whole; `check_calls`, a gateway looks at who wakes it, and `remember_calls`, at whether it saw that
    datagram before, and how long ago it was woken; `limit_snapshots`, values on demand are no load profile;
    `wired_tls`, sessions with wired meters are TLS; `wireless_tls`, those with the radio meters of profile C;
    `wireless_pinned`, of these a gateway takes nothing in another security mode; `display_verifies`, displays in the
    home check that it is the gateway that answers; `pseudonymise`, the grid operator learns of no meter or gateway
    whose values it has."""

    kind: str = "smgw"
    attach: tuple[str, ...] = names_from(lambda: SECURITIES, default=lambda: ATTACHED)
    title: ClassVar[str] = "Smart meter gateways that decrypt and tariff, sealed containers, an administrator"

    taf: Literal[1, 2, 7] = 2
    delivery_s: float = number(3_600.0, low=900.0, high=31 * 86_400.0)
    counter_saved_s: float = number(HOURS_12_S, low=0.0, high=HOURS_12_S)
    consumers_look_s: float = number(0.0, low=0.0, high=31 * 86_400.0)
    bill_from_display: bool = False
    session_most_s: float = number(HOURS_48_S, low=900.0, high=HOURS_48_S)
    call_every_s: float = number(0.0, low=0.0, high=86_400.0)
    padding_bytes: int = number(0, low=0, high=CELL_MOST_BYTES)
    dummy_every_s: float = number(0.0, low=0.0, high=86_400.0)
    dummy_cells: int = number(4, low=1, high=1_000)
    seal_content: bool = True
    verify_content: bool = True
    check_attributes: bool = True
    time_over_tls: bool = True
    flag_clock: bool = True
    error_register: bool = True
    display_verifies: bool = True
    check_lists: bool = True
    check_firmware: bool = True
    check_calls: bool = True
    remember_calls: bool = True
    limit_snapshots: bool = True
    wired: int = number(0, low=0, high=WIRED_MOST)
    wired_tls: bool = True
    wired_pairing: Pairing = "certificates"
    wireless: int = number(0, low=0, high=WIRELESS_MOST)
    wireless_tls: bool = True
    wireless_pinned: bool = True
    feed_in: bool = False
    grid_state: bool = False
    grid_every_s: float = number(900.0, low=900.0, high=86_400.0)
    grid_beside_v: float = number(0.0, low=0.0, high=100.0)
    pseudonymise: bool = True

    @property
    def securities(self) -> tuple[str, ...]:
        return self.attach

    @property
    def verifies_time(self) -> bool:
        return self.time_over_tls

    def features(self, spec: WorldSpec) -> frozenset[str]:
        from sim.smart_metering.smart_gateway import SmartGateway

        own = {"portal restart", "administrator", *SmartGateway.features}
        return frozenset(own | {"wired bus"} if self.wired else own)

    def refuse_contradictions(self, spec: WorldSpec, place: Place) -> None:
        if spec.portal.store != "sqlite":
            said = f"system '{self.kind}' keeps every gateway's store on its own disk; take \"sqlite\""
            raise place.error("portal.store", said)
        for key in ("delivery_s", "grid_every_s"):
            if (given_s := getattr(self, key)) % CAPTURE_S:
                raise place.error(f"system.{key}", f"{given_s:g} is no multiple of {CAPTURE_S} s, the raster")
        if wrong := check_size(self.padding_bytes):
            raise place.error("system.padding_bytes", wrong)
        for key in ("feed_in", "grid_state"):
            if getattr(self, key) and not self.wired:
                raise place.error(f"system.{key}", "wired meters alone measure it; set system.wired")
        for at, group in enumerate(spec.gateway):
            if GATEWAYS.find(group.kind).real:
                said = f"'{group.kind}' is a real gateway, and no part of system '{self.kind}'"
                raise place.error(f"gateway[{at}].kind", f"{said}; take another kind, or another system.kind")

    def build(self, ground: Ground) -> SystemUnderTest:
        from sim.systems._smgw_running import Smgw  # with all its parts, which other systems do without

        return Smgw(ground, self)


SYSTEM = SmgwSystem()
