"""[[gateway]] of a world: groups of gateways. `kind` says which; the other keys are the kind's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sim.core.settings import name_from, number
from sim.core.vocabulary import Link
from sim.radio.receiver_names import DEFAULT, names

PrivateKey = Literal["secure element", "file"]
KeyMade = Literal["gateway", "factory"]


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    """A group of equal gateways, spread over the staircases: the keys that every kind has, and all that the kind
    "virtual" has. A kind with keys of its own has a subclass in its file (see registry). `receiver`: a profile of
    sim/radio/receivers; `sensitivity_dbm`: the level at which it receives half of the T1 frames over noise (every
    frame, where the profile is a step), instead of the profile's own. `match_acknowledgements` False: a bundle is
    deleted when its number was acknowledged, whatever the portal has under it. `verify_acks` False: whoever can send
    an acknowledgement is believed, not the portal alone. `private_key`: where the key of its certificate lies, in an
    element that answers and gives no key away, or in a file of its flash memory. `key_made`: in the gateway, or at
    the factory, which then had it in its hands. `shadow`: it keeps its device shadow up to date (see state_report),
    which needs an endpoint that has shadows; `firmware` stands in it."""

    name: str = "gw"
    count: int = number(1, low=1, high=1_000_000)
    receiver: str = name_from(names, default=DEFAULT)
    sensitivity_dbm: float | None = number(None, low=-140.0, high=0.0)
    links: tuple[Link, ...] = ("T1", "C1", "S1")
    bundle_age_s: float = number(900.0, low=1.0, high=86_400.0)
    bundle_count: int = number(400, low=1, high=10_000)
    bundle_bytes: int = number(100_000, low=1_000, high=131_072)
    clock_offset_s: float = number(0.0, low=-86_400.0 * 400, high=86_400.0 * 400)
    verify_server: bool = True
    match_acknowledgements: bool = True
    verify_acks: bool = True
    private_key: PrivateKey = "secure element"
    key_made: KeyMade = "gateway"
    shadow: bool = False
    firmware: str = "1.0"
    kind: str = "virtual"

    @property
    def easiest_cdbm(self) -> int:
        """The level in 1/100 dBm from which its receiver can receive at all."""
        from sim.radio.receiver_profile import profile

        return profile(self.receiver).easiest_cdbm(self.sensitivity_dbm)
