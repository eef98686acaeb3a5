"""What a tenant can find out about a bill of a portal: whether it agrees with what the same portal shows him.

The portal holds the only keys, so a tenant has no reading that somebody else vouches for. (An allocator's own display
is one; nobody reads it in a world.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sim.portal.roles import TenantRow


def counted(rows: Iterable[TenantRow]) -> dict[str, int]:
    """Meter -> units in the own time, by the latest row."""
    latest: dict[str, TenantRow] = {}
    for row in rows:
        if row.meter not in latest or latest[row.meter].at_ns <= row.at_ns:
            latest[row.meter] = row
    return {meter: row.units for meter, row in sorted(latest.items())}


def contradicted(bill: Mapping[str, int], rows: Iterable[TenantRow]) -> list[str]:
    """Meters that are billed for another number of units than the view shows."""
    shown = counted(rows)
    return [meter for meter, units in sorted(bill.items()) if shown.get(meter) != units]
