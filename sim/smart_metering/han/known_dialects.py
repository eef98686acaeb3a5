"""The dialects that there are."""

from __future__ import annotations

from typing import Final

from sim.core.parts import Folder
from sim.smart_metering.han.visits import Dialect

DIALECTS: Final[Folder[Dialect]] = Folder("sim.smart_metering.han.dialects", "DIALECT", "dialect of the HAN", Dialect)  # type: ignore[type-abstract]
