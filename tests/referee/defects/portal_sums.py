"""Bills, sums of houses, and who may see what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.referee.defect import SUMS, Patch, defect
from tests.referee.defects import plays

STORE = "sim.portal.store._sql:SqlStore"


@defect("billed-by-last-reading", SUMS, "A bill takes the value at the set date.", plays.JAMMING)
def _(patch: Patch) -> None:
    """Bills are made of the last reading before the set date, whatever the world says (M17)."""
    patch.around(
        "sim.systems.keyless:units_at",
        lambda original, *arguments, method: original(*arguments, method="last reading"),
    )


@defect("billed-too-much", SUMS, "A bill takes the value at the set date.", plays.JAMMING)
def _(patch: Patch) -> None:
    """Each bill is ten units too high."""

    def instead(original: Any, store: Any, meter: str, set_date: str, **named: Any) -> int | None:
        units = original(store, meter, set_date, **named)
        return None if units is None else units + 10

    patch.around(f"{STORE}.set_date_units", instead)


@defect("landlord-sum-of-two-houses", SUMS, "Landlords see sums of their own houses only.", plays.ROLES)
def _(patch: Patch) -> None:
    """The landlord's sum of a house holds one flat of the house next to it."""

    def instead(original: Any, store: Any, house: str, from_ns: int, until_ns: int) -> tuple[int, int]:
        units, flats = original(store, house, from_ns, until_ns)
        elsewhere = next(row for row in store.meters() if row.house != house)
        counted = [row.units for row in store.readings(elsewhere.meter)
                   if from_ns <= row.stored_ns < until_ns and row.units is not None]  # fmt: skip
        return units + (counted[-1] - counted[0] + 1 if counted else 0), flats

    patch.around(f"{STORE}.house_sum", instead)


@defect("landlord-of-every-house", SUMS, "Landlords see sums of their own houses only.", plays.ROLES)
def _(patch: Patch) -> None:
    """Every house belongs to every landlord."""
    patch.around(f"{STORE}.owns", lambda original, *arguments: True)


@defect("sum-of-one-flat", SUMS, "A sum is made of three flats at least.", plays.ROLES)
def _(patch: Patch) -> None:
    """A sum of one flat is told."""
    patch.value("sim.portal.roles:LEAST_FLATS", 1)


@defect("overlapping-sums", SUMS, "Two sums of a house have no difference that tells of one flat.", plays.ROLES)
def _(patch: Patch) -> None:
    """Of what a landlord was told before, only the same question is remembered."""

    def instead(original: Any, store: Any, house: str, from_ns: int, until_ns: int) -> Any:
        rows = original(store, house, from_ns, until_ns)
        return [row for row in rows if (row.from_ns, row.until_ns) == (from_ns, until_ns)]

    patch.around(f"{STORE}.answers", instead)


@defect("sum-changes-when-asked-again", SUMS, "The same question gets the same answer.", plays.ROLES)
def _(patch: Patch) -> None:
    """A landlord who asks again is told one unit more."""

    def instead(original: Any, *arguments: Any) -> Any:
        return [row._replace(units=row.units + 1) for row in original(*arguments)]

    patch.around(f"{STORE}.answers", instead)


@defect("tenant-sees-the-neighbour", SUMS, "A tenant sees the own flat.", plays.ROLES)
def _(patch: Patch) -> None:
    """A tenant's flat is the flat next door."""

    def instead(original: Callable[..., Any], store: Any, tenant: str, now_ns: int) -> list[tuple[str, int]]:
        rows = original(store, tenant, now_ns)
        flats = sorted({row.flat for row in store.meters() if row.flat})
        return [(next(flat for flat in flats if flat != own), from_ns) for own, from_ns in rows]

    patch.around(f"{STORE}.tenancies", instead)
    patch.around(
        f"{STORE}.consumption",
        lambda original, store, tenant, flat, from_ns: original(store, _living(store, flat), flat, from_ns),
    )


def _living(store: Any, flat: str) -> str:
    [(tenant,)] = store._ask("SELECT tenant FROM tenancies WHERE flat = ? LIMIT 1", (flat,))
    return str(tenant)


@defect("tenant-sees-the-predecessor", SUMS, "A tenant sees what was counted since moving in.", plays.ROLES)
def _(patch: Patch) -> None:
    """A tenant's consumption counts from the meter's own zero."""

    def instead(original: Any, store: Any, tenant: str, flat: str, from_ns: int) -> Any:
        out = []
        for row in original(store, tenant, flat, from_ns):
            total = next(one.units for one in store.readings(row.meter) if one.stored_ns == row.at_ns)
            out.append(row._replace(units=total))
        return out

    patch.around(f"{STORE}.consumption", instead)
