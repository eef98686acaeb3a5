"""An attack whose outcomes a test sets, to see what the rig makes of them. It touches nothing."""

from __future__ import annotations

from typing import Any

from attacks.attack import Can, Outcome, Record, Steps
from sim.truth.ground_truth import Truth


class Staged:
    """`on` and `off`: (reached, achieved) with the defences and without; None: no outcome. `weakness` is how it tells
    the two apart."""

    record = Record(
        "test.staged", "Staged", ("L08",), Can(0), (), {"portal.gap_intervals": 77.0}, "nothing", frozenset(), "Staged"
    )

    def __init__(
        self,
        world: Any,
        *,
        on: tuple[int, int] | None = (3, 0),
        off: tuple[int, int] | None = (3, 3),
        variant: str = "v",
        **outcome: Any,
    ) -> None:
        weak = world.spec.portal.gap_intervals == 77.0
        self._counts = off if weak else on
        self._variant = variant
        self._outcome = {} if weak else outcome

    def run(self, reach: Any) -> Steps:
        yield reach.wait(1.0)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        if self._counts is None:
            return []
        reached, achieved = self._counts
        return [Outcome(self._variant, "mode5", reached, achieved, **self._outcome)]
