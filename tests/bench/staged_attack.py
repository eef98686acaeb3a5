"""An attack whose outcomes a test sets, to see what the rig makes of them. It touches nothing."""

from __future__ import annotations

from typing import Any

from attacks.attack import Can, Outcome, Record, Steps, Watch
from sim.core.events import AlarmRaised
from sim.truth.ground_truth import Truth


class Staged:
    """`on` and `off`: (reached, achieved) with the defences and without; None: no outcome. `weakness` is how it tells
    the two apart. `alarm_s`: an alarm about the attacked thing is in the history, that long after the start."""

    record = Record(
        "test.staged", "Staged", ("L08",), Can.SPEAK, (), {"portal.gap_intervals": 77.0}, "nothing", frozenset(), "Page"
    )

    def __init__(
        self,
        world: Any,
        *,
        on: tuple[int, int] | None = (3, 0),
        off: tuple[int, int] | None = (3, 3),
        variant: str = "v",
        alarm_s: float | None = None,
        **outcome: Any,
    ) -> None:
        weak = world.spec.portal.gap_intervals == 77.0
        self._counts = off if weak else on
        self._variant = variant
        self._outcome = {} if weak else outcome
        self._alarm_s = None if weak else alarm_s

    def run(self, reach: Any) -> Steps:
        yield reach.wait(1.0)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        if self._counts is None:
            return []
        reached, achieved = self._counts
        if self._alarm_s is not None:
            truth.world.history.record(AlarmRaised(round(self._alarm_s * 1e9), "gap", "gw-0001", "staged"))
            self._outcome = {**self._outcome, "watch": Watch(("gap",), ("gw-0001",), 0)}
        return [Outcome(self._variant, "mode5", reached, achieved, **self._outcome)]
