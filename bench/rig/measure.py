"""Figures a scenario takes, with the limit they are held to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Measure:
    """`world.measure("alarm delay", 12.0, unit="s").at_most(30)`. A limit that is missed fails the scenario when its
    run is over, together with all others, so that one report shows them all. NaN misses every limit."""

    name: str
    value: float
    unit: str = ""
    limits: list[tuple[str, float, bool]] = field(default_factory=list)

    def at_most(self, limit: float) -> Measure:
        """Fail the scenario when the value is above `limit`."""
        self.limits.append(("<=", limit, self.value <= limit))
        return self

    def at_least(self, limit: float) -> Measure:
        """Fail the scenario when the value is below `limit`."""
        self.limits.append((">=", limit, self.value >= limit))
        return self

    @property
    def ok(self) -> bool:
        """The value keeps its limits."""
        return all(held for _, _, held in self.limits)

    @property
    def limit(self) -> str:
        """The limits in words; empty without any."""
        return " and ".join(f"{sign} {limit:g}" for sign, limit, _ in self.limits)

    def __str__(self) -> str:
        return f"{self.name} = {self.value:g} {self.unit} (limit {self.limit or 'none'})".replace("  ", " ")

    def as_json(self) -> dict[str, object]:
        """As run.json has it."""
        return {"name": self.name, "value": self.value, "unit": self.unit, "limit": self.limit, "ok": self.ok}
