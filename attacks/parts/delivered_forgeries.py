"""Values that an attacker put into deliveries, found again at the supplier by their amount; and deliveries to put them
into."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from sim.core.events import ContainerRefused
from sim.smgw.delivered_content import Delivery, Value
from sim.systems.smgw import SUPPLIER
from sim.truth.delivered_values import WrongValue, wrong_values
from sim.truth.ground_truth import Truth

if TYPE_CHECKING:
    from datetime import datetime

    from attacks.reach import Reach

FORGED_AMOUNT = Decimal(471_100)
NO_VALUE = ("missing", "None")
"""Of a WrongValue: the supplier has no row, or one that says that there is no value."""
SECURITY = "mode7"
"""Values are of meters that a gateway attaches."""


def forged_delivery(gateway: str, meter: str, number: int, today: datetime) -> Delivery:
    """One register of a meter, for the hour before."""
    until_s = int(today.timestamp()) // 3_600 * 3_600
    value = Value(2, meter, "4-0:1.0.1*255", 1, until_s - 3_600, until_s, FORGED_AMOUNT)
    return Delivery(gateway, SUPPLIER, number, (value,))


def forged_deliveries(reach: Reach, gateway: int, shots: int) -> Iterator[Delivery]:
    """One after the other, of the meters whose keys lie on a gateway's disk, in turn. For who holds its box."""
    name, meters = reach.box_name(gateway), meters_on(reach.box_files(gateway))
    for number in range(shots):
        yield forged_delivery(name, meters[number % len(meters)], 900_000 + number, reach.today_utc())


def meters_on(files: dict[str, bytes]) -> list[str]:
    """Addresses of the meters whose keys lie on a gateway's disk."""
    rows = files.get("keys.csv", b"").decode("utf-8", "replace").splitlines()
    return [row.partition(",")[0] for row in rows if row.count(",") and row[:1].isupper()]


def meters_of(truth: Truth, gateway: str) -> list[str]:
    """The meters that this gateway alone reads."""
    return [entry.name for entry in truth.world.system.registry if entry.gateways == {gateway}]


def refused(truth: Truth, *gateways: str) -> str:
    """Why the supplier refused containers in these gateways' names."""
    found = {one.reason for one in truth.world.history.of(ContainerRefused) if one.gateway in gateways}
    return f"refused: {', '.join(sorted(found))}"


def forged_values(truth: Truth) -> int:
    """How many the supplier has."""
    return sum(one.amount == FORGED_AMOUNT for one in truth.world.system.delivered())


def altered_values(truth: Truth) -> list[WrongValue]:
    """Values that the supplier has and that are not what the meter counted."""
    return [one for one in wrong_values(truth) if one.has not in NO_VALUE]
