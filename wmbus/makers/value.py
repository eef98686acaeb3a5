"""One value out of a maker's own format."""

from __future__ import annotations

from typing import NamedTuple

from wmbus.values import Value


class MakerValue(NamedTuple):
    """``value`` in ``unit``, as a record would have it: ``storage`` 0 now, 1 at the last set date, 17 at the month's
    end."""

    quantity: str
    value: Value
    unit: str = ""
    storage: int = 0
