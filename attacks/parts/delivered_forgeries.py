"""Values that an attacker put into deliveries, found again at the supplier by their amount; and deliveries to put them
into."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sim.smgw.delivered_content import Delivery, Value
from sim.systems.smgw import SUPPLIER
from sim.truth.delivered_values import WrongValue, wrong_values
from sim.truth.ground_truth import Truth

if TYPE_CHECKING:
    from datetime import datetime

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


def forged_values(truth: Truth) -> int:
    """How many the supplier has."""
    return sum(one.amount == FORGED_AMOUNT for one in truth.world.system.delivered())


def altered_values(truth: Truth) -> list[WrongValue]:
    """Values that the supplier has and that are not what the meter counted."""
    return [one for one in wrong_values(truth) if one.has not in NO_VALUE]
