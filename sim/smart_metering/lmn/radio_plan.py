"""Which radio meters of security profile C a world's gateways have: houses, keys and certificates, from its seed.

Gateway g has meters g * n to g * n + n - 1, some metres from it, of other houses than those of wired meters. Maker and
administrator exchanged both certificates before. The gateway's certificate for them is its own, and not the one of the
wired bus.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from sim.core.seeds import Seeds
from sim.meters.physics.household_power import Household
from sim.pki.link_certificates import made
from sim.smart_metering.lmn.radio_link import RadioPairing
from sim.smart_metering.lmn.radio_meter import RadioMeter
from sim.smart_metering.lmn.radio_registers import Counted
from sim.smart_metering.lmn.radio_side import RadioPlan, Tell
from sim.smgw.module.in_world import draws
from wmbus.link import Address

FIRST_METER: Final = 63_000_001
FIRST_GATEWAY: Final = 64_000_001
_MWH_OF_TENTH_WH: Final = 100
_ELECTRICITY, _CONTROLLER = 0x02, 0x31


@dataclass(frozen=True, slots=True)
class RadioSpec:
    """`count`: meters of each gateway. `tls`: their messages are TLS. `pinned`: the gateway takes no others."""

    count: int
    tls: bool = True
    pinned: bool = True


def house_of(seeds: Seeds, number: int) -> Household:
    """Of the radio meter of this number in a world, from 0."""
    return Household(seeds.child("houses of radio meters of profile C"), number)


def address_of(number: int) -> Address:
    """What stands on it."""
    return Address("WMB", f"{FIRST_METER + number}", 1, _ELECTRICITY)


def counted(house: Household, now_s: int) -> Counted:
    """What its registers show."""
    shown = house.registers(now_s)
    return Counted((shown.high + shown.low) // _MWH_OF_TENTH_WH, shown.fed_in // _MWH_OF_TENTH_WH)


def plan(
    spec: RadioSpec, seeds: Seeds, gateway: int, id_: str, folder: Path, since: datetime, tell: Tell
) -> tuple[RadioPlan, list[RadioMeter]]:
    """`folder`: the gateway's disk; keys of its meters lie beside it, each in the meter's own folder."""
    own = made(f"{id_}.LMN-radio", draws(seeds, id_, "key for radio meters"), since)
    pair = own.write(folder, "lmn-radio")
    pairings, meters = [], []
    for number in range(gateway * spec.count, (gateway + 1) * spec.count):
        address, house = address_of(number), house_of(seeds, number)
        end = made(str(address), draws(seeds, f"radio {number}", "key"), since)
        place = folder.parent / "radio-meters" / address.id
        pairings.append(RadioPairing(address, pair, end.certificate, spec.tls, spec.pinned))
        meters.append(
            RadioMeter(
                address, end.write(place, address.id), own.certificate,
                partial(counted, house), plain=not spec.tls,
            )
        )  # fmt: skip
    address = Address("WMB", f"{FIRST_GATEWAY + gateway}", 1, _CONTROLLER)
    return RadioPlan(address, tuple(pairings), folder / "radio.sqlite", tell), meters
