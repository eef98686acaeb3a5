"""What a stored reading says, as columns: what the intake gathers, and what is held against the telegrams sent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StoredColumns:
    """Equal-length columns, NONE (and NaN) where there is none. `meter` is the number of the whole address (0: no
    address), `minute` since 1970 by the meter, `units` of heat cost allocation, `set_day` since 1970, `security` a
    place in SECURITIES, which `Opening.securities` begins with."""

    meter: NDArray[np.uint64]
    minute: I64
    units: I64
    set_day: I64
    set_date_units: I64
    acc: I64
    counter: I64
    security: I64
    status: I64
    tamper: I64
    volume_m3: F64
    energy_kwh: F64
