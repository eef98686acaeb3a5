"""What stands beside the amount of a delivered value: by which gateway, under which tariff, when it was stored, and the
signature of one that leaves signed by itself. Amounts and instants: delivered_values.

A meter's values come from the gateway that it is paired with, which the grid operator may know by another name alone.
The tariff is the one that the code of a register names; a reading has none. A value is stored when the administrator
handed a container of that gateway on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from sim.pki.party_certificates import certified_point
from sim.pki.slot_keys import verifies
from sim.smart_metering.lmn.radio_plan import address_of
from sim.smart_metering.lmn.wired_plan import meter_name, numbers_of
from sim.smart_metering.participant import Participant
from sim.systems._smgw_running import Smgw, smgw
from sim.truth.delivered_values import WrongValue

if TYPE_CHECKING:
    from sim.world import World


def wrong_labels(world: World) -> list[WrongValue]:
    """Of every value that a final receiver has. Raises TypeError for a system without such receivers."""
    system = smgw(world.system)
    points = {
        gateway: [certified_point(one) for one in (certificate, *system.renewals.retired.get(gateway, ()))]
        for gateway, certificate in system.signers.items()
    }
    whose = _whose(world, system)
    found = list(_of(system, system.portal, whose, points if system.settings.seal_content else {}))
    if system.grid.participant is not None:
        named = system.grid.named
        by_name = {named(meter): named(gateway) for meter, gateway in whose.items()}
        found += _of(system, system.grid.participant, by_name, {})
    return found


def _whose(world: World, system: Smgw) -> dict[str, str]:
    """Meter -> the gateway that reads it."""
    own = {
        str(world.fleet.address(meter)): system.gateways[gateway].id
        for meter, gateway in enumerate(system.attached.tolist())
        if gateway >= 0
    }
    wired, wireless = system.settings.wired, system.settings.wireless
    for number, gateway in enumerate(system.gateways):
        own |= {meter_name(one): gateway.id for one in numbers_of(number, wired)}
        own |= {str(address_of(one)): gateway.id for one in range(number * wireless, (number + 1) * wireless)}
    return own


def _of(
    system: Smgw, receiver: Participant, whose: dict[str, str], points: dict[str, list[bytes]]
) -> Iterator[WrongValue]:
    """`points`: by gateway, the keys under which single values are signed; none where nothing is."""
    names = {gateway: system.grid.named(gateway) for gateway in system.signers}
    own = system.grid.participant is receiver
    handed = {
        (names[one.gateway] if own else one.gateway, one.time_ns)
        for one in system.administrator.relayed
        if one.receiver == receiver.name
    }
    for one in receiver.stored():
        value = one.value
        gateway = whose.get(value.meter, one.gateway)  # of an unknown meter no value at all must be there
        tariff = 0 if value.from_s is None else int(value.obis.rpartition(".")[2].partition("*")[0])
        wrong = []
        if one.gateway != gateway:
            wrong.append((f"by {one.gateway}", f"by {gateway}"))
        if value.tariff != tariff:
            wrong.append((f"tariff {value.tariff}", f"tariff {tariff}"))
        if (gateway, one.stored_ns) not in handed:
            wrong.append((f"stored at {one.stored_ns} ns", "when a container came"))
        statement, signature = value.statement(gateway), value.signature or b""
        if points and value.to_sign and not any(_verifies(key, statement, signature) for key in points[gateway]):
            wrong.append(("no signature over it", f"signed by {gateway}"))
        for has, must in wrong:
            yield WrongValue(value.meter, value.taf, value.obis, value.until_s, has, must)


@lru_cache(maxsize=1 << 16)
def _verifies(point: bytes, statement: bytes, signature: bytes) -> bool:
    """Each once, however often a world is looked at."""
    return verifies(point, statement, signature)


__all__ = ["wrong_labels"]
