"""Who saw what in a run of system `keyless`, and what the run cost: counted, not assumed, but for the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.core.clock import NS_PER_S
from sim.systems.port import Cost, Sight

if TYPE_CHECKING:
    from sim.systems.keyless import Keyless
    from sim.systems.port import Ground

_OPEN: Final = "when each meter sends, its tamper bit; of meters without encryption everything"
_ROWS_AT_ONCE: Final = 65_536


def _readings(system: Keyless) -> tuple[int, int]:
    """(all, those that were sent in clear)."""
    every = clear = place = 0
    while found := system.stored.readings_after(place, _ROWS_AT_ONCE):
        place = found[-1][0]
        every += len(found)
        clear += sum(row.security == "none" for _, row in found)
    return every, clear


def meter_days(system: Keyless, ground: Ground) -> float:
    """Registered meters times days of the run."""
    return max(1, len(system.registry)) * max(ground.clock.now_ns, 1) / NS_PER_S / 86_400


def sights(system: Keyless, ground: Ground) -> list[Sight]:
    days = meter_days(system, ground)
    every, clear = (count / days for count in _readings(system))
    return [
        Sight("whoever listens by radio", clear, every, _OPEN),
        Sight("gateway in the house", clear, every, _OPEN),
        Sight("broker", clear, every, _OPEN),
        Sight("portal of the metering service", every, every, "every value: who is at home, and when"),
    ]


def costs(system: Keyless, ground: Ground) -> list[Cost]:
    days = meter_days(system, ground)
    portal = system.portal
    refused = sum(count for name, count in portal.counts.items() if name.startswith("refused: "))
    return [
        Cost("bytes on the WAN, a meter and day", system.wan_bytes / days, "B"),
        Cost("telegrams decrypted at the portal", portal.counts["stored"] + refused, ""),
        Cost("acknowledgements signed and verified", system.acknowledgements, ""),
        Cost("meters' keys, each known to maker and portal", len(system.keyring), "keys"),
        Cost("key pairs with certificates (TLS)", len(system.gateways) + 2, "keys"),
        Cost("places that hold meters' keys", 1, "disks"),
    ]
