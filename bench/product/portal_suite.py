"""The attack on a portal: each row in each of its modes, on a meter of its own, judged by what the product stored.

    PASS             nothing of what was sent stands in its readings, and it took the meter's genuine telegrams before
                     and after
    FAIL             it stored what was sent: how many of the shots, and the value
    INCONCLUSIVE     it did not take the meter's genuine telegrams, so silence says nothing

A product that answers nothing at all, or nothing that can be read, is named in one sentence for all rows.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import row_suite
from bench.product.portal_meters import AFTER, FILL, GENUINE, Meter, meters_for, volume
from bench.product.portal_stand import PortalStand, with_keys
from bench.product.rows.port import PORTAL_ROWS, PortalRow
from bench.row_suite import Answer, Outcome, counted, outcome_of_attack, row_json
from bench.run_errors import CannotRun
from sim.core.clock import wall_s
from sim.core.quoting import shown
from sim.desk.box import Box, BoxError
from sim.desk.inventory import GatewayEntry


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one row in one mode. `stored` of `shots` were believed."""

    row: PortalRow
    meter: Meter
    answer: Answer
    words: str
    shots: int = 0
    stored: int = 0
    duration_s: float = 0.0
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.row.id}-{self.meter.mode}"


def rows_named(names: Sequence[str]) -> list[PortalRow]:
    """All unless named. Raises CannotRun."""
    return row_suite.rows_named(PORTAL_ROWS, names)


class PortalAttack:
    """`say(judged, done, all)`: told of each. `silent`: why nothing at all could be judged; "" when something was."""

    def __init__(
        self, entry: GatewayEntry, rows: Sequence[PortalRow], directory: Path, *, seed: int = 1,
        patience_s: float = 10.0, say: Callable[[Judged, int, int], None] = lambda *_: None,
    ) -> None:  # fmt: skip
        if not entry.read or not entry.feed:
            raise CannotRun(
                f"{entry.name}: a portal needs `feed`, how telegrams go in, and `read`, how readings come out"
            )
        self.directory, self.seed, self.rows = directory, seed, rows
        *self.meters, self.filler = meters_for(rows, seed)
        self.entry = with_keys(entry, [*self.meters, self.filler])
        self.patience_s, self._say = patience_s, say
        self.judged: list[Judged] = []
        self.silent = ""

    def run(self) -> None:
        try:
            with self._at_work() as stand:
                self._first(stand)
                for meter in self.meters:
                    self._add(self._judge(stand, meter))
        except BoxError as error:
            self.silent = str(error)
        for meter in self.meters[len(self.judged) :]:
            self._add(Judged(PORTAL_ROWS.find(meter.row), meter, "INCONCLUSIVE", shown(self.silent)))

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[PortalStand]:
        with Box(self.entry, self.directory / "product") as box:
            stand = PortalStand(box, self.directory, self.patience_s)
            try:
                yield stand
            finally:
                stand.close()

    def _add(self, judged: Judged) -> None:
        self.judged.append(judged)
        self._say(judged, len(self.judged), len(self.meters))

    # --- one row --------------------------------------------------------------------------------------------------

    def _first(self, stand: PortalStand) -> None:
        """A telegram that nobody attacks: is it stored, can what comes be read? Raises BoxError."""
        self._number = 0
        litres = self._other(stand)
        if stand.wait_for(self.filler.id, litres):
            return
        said = f"; it last said: {stand.box.last_words()}" if self.entry.run.command else ""
        if stand.unreadable:
            why = f"what it stores cannot be read: {stand.unreadable[0]}"
        elif stand.came:
            why = f"{stand.came} messages came, and no reading of meter {self.filler.id} with {litres} litres"
        else:
            why = f"it stored nothing within {self.patience_s:g} s"
        raise BoxError(f"{self.entry.name}: {why}; see its keys, `feed` and `read`, or raise --patience{said}")

    def _other(self, stand: PortalStand) -> int:
        """One telegram of the meter that fills the time; the litres that it reads."""
        self._number += 1
        litres = 40_000 + self._number
        stand.feed(self.filler.telegram(self._number, volume(litres) + FILL), "another meter")
        return litres

    def _judge(self, stand: PortalStand, meter: Meter) -> Judged:
        begun_s, row, case = wall_s(), PORTAL_ROWS.find(meter.row), meter.case()
        since = len(stand.stored)
        stand.feed(case.genuine, "genuine")
        if not stand.wait_for(meter.id, GENUINE, since):
            return self._open(row, meter, "its genuine telegram was not stored before the attack", begun_s)
        shots = row.shots(case)
        for shot in shots:
            others = [self._other(stand) for _ in range(shot.others)]
            if others and not stand.wait_for(self.filler.id, others[-1]):
                return self._open(row, meter, "the telegrams of another meter between were not stored", begun_s)
            stand.feed(shot.frame, row.id)
        stand.feed(meter.after(), "genuine, afterwards")
        served = stand.wait_for(meter.id, AFTER, since)
        seen = Counter(litres for id_, litres in stand.stored[since:] if id_ == meter.id)
        seen[GENUINE] -= 1
        wanted = Counter(shot.litres for shot in shots)
        stored = sum(min(count, seen[litres]) for litres, count in wanted.items())
        odd = {litres: count for litres, count in seen.items() if count > 0 and litres not in (AFTER, *wanted)}
        evidence = {"shots": len(shots), "stored": stored, "wanted_litres": dict(wanted), "other_litres": odd,
                    "genuine_afterwards": served}  # fmt: skip
        took_s = round(wall_s() - begun_s, 2)
        if stored or odd:
            values = ", ".join(f"{litres} l" for litres in [*(one for one in wanted if seen[one] > 0), *odd])
            after = "" if served else ", and then refused the meter's genuine telegram"
            words = f"stored {stored + sum(odd.values())} of {len(shots)}: {values}{after}"
            return Judged(row, meter, "FAIL", words, len(shots), stored + sum(odd.values()), took_s, evidence)
        if not served:
            why = "nothing was stored, and its genuine telegram behind the attack was not either"
            return self._open(row, meter, why, begun_s)
        return Judged(row, meter, "PASS", f"stored none of {len(shots)}", len(shots), 0, took_s, evidence)

    def _open(self, row: PortalRow, meter: Meter, why: str, begun_s: float) -> Judged:
        words = f"{why}; see its keys, and --patience"
        return Judged(row, meter, "INCONCLUSIVE", words, duration_s=round(wall_s() - begun_s, 2))

    # --- what came of it ------------------------------------------------------------------------------------------

    @property
    def outcome(self) -> Outcome:
        return outcome_of_attack(one.answer for one in self.judged)

    def as_json(self, started: datetime, command: str, *, interrupted: bool = False) -> dict[str, Any]:
        """run.json. No key stands in it."""
        says = self.entry.title or self.entry.name
        rows = [
            row_json(
                at, f"portal/{self.entry.name}::{one.id}", one.answer, title=f"{one.row.title}, {one.meter.mode}",
                seed=self.seed, doc=PORTAL_ROWS.page(one.row.id), message=one.words, duration_s=one.duration_s,
                replay=f"{command} --rows {one.row.id}", threats=list(one.row.threats), row=one.id,
                mode=one.meter.mode, evidence="", seen=one.evidence,
                remedy=one.row.remedy if one.answer == "FAIL" else "",
            )
            for at, one in enumerate(self.judged)
        ]  # fmt: skip
        return row_suite.run_json(
            self, started, rows, title=f"Attack on the portal {says}", command=command, seed=self.seed,
            outcome="interrupted" if interrupted else self.outcome, left_out=[],
            check={
                "portal": self.entry.name, "says": says, "times": 1, "silent": shown(self.silent),
                "claims": {"patience_s": self.patience_s, "meters": len(self.meters)},
                "answers": counted(one.answer for one in self.judged),
            },
        )  # fmt: skip
