"""How much the contract suite, or a card, tries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Depth:
    """How much is tried. `outage_s`: how long a broker is away; `frames`: telegrams for the row that looks for one
    lost in a thousand; `patience_s`: how long nothing may come before what is missing is lost; `soak_h`: how
    many hours the soak takes."""

    outage_s: float = 120.0
    frames: int = 5_000
    patience_s: float = 10.0
    soak_h: float = 0.0
