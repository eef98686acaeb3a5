"""The contract suite: a gateway of the inventory, row by row, each on a start of its own; table, JUnit, evidence.

A row's directory holds what was fed (fed.jsonl), what of it was not given whole (torn.jsonl), what came
(delivered.jsonl), the gateway's output and files (box/), the broker's log and the answer (row.json), each written as it
happens. Rows run side by side where the gateway is a program that can be started several times; a device is one, and
then they take turns. What fails while the bench itself was late with samples is INCONCLUSIVE.

    PASS             the promise holds
    FAIL             it does not; the sentence says how often and shows the first telegram
    NOT APPLICABLE   the gateway does not claim it
    INCONCLUSIVE     neither was shown: it did not start, delivered nothing, or cannot be read

A check most of whose rows are INCONCLUSIVE is no answer, whatever the others say. Where nothing came in the first rows,
the others are not tried: of a gateway that is dead, mute or misread they would say the same, and take long to.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bench import row_suite, run_directory
from bench.desk.depth import Depth
from bench.desk.rows.port import ROWS, Row
from bench.desk.stand import Stand, Stopped
from bench.row_suite import Answer, Failed, Outcome, Undecided, counted, row_json
from bench.run_errors import explained
from sim.core.clock import wall_s
from sim.desk.inventory import GatewayEntry
from sim.feeders.kinds.codec import CodecSpec
from sim.feeders.lines.pty import PtySpec
from sim.feeders.lines.stdin import StdinSpec

SOAK: Final = "soak"
SIDE_BY_SIDE: Final = 6
DEAD_AFTER: Final = 3
"""Rows in which a gateway delivered nothing, before the others are left."""
_WORST: Final[tuple[Answer, ...]] = ("FAIL", "INCONCLUSIVE", "PASS", "NOT APPLICABLE")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row. `answers`: of each time, where it was tried several times; `answer` is the worst of them."""

    row: str
    title: str
    answer: Answer
    words: str
    duration_s: float
    evidence: str
    answers: tuple[Answer, ...]
    faults: tuple[int, ...] = ()


def rows_named(names: Sequence[str], *, soak: bool) -> list[Row]:
    """All but the soak unless named; those that wait first. Raises CannotRun."""
    if soak:
        names = [*names, SOAK]
    chosen = [row for row in row_suite.rows_named(ROWS, names) if names or row.id != SOAK]
    return sorted(chosen, key=lambda row: not row.waits)


def most_side_by_side(entry: GatewayEntry) -> int:
    """How many of it there can be at once: a program with lines that are made for it, and no fixed port."""
    many = bool(entry.run.command) and not entry.listen.port and not entry.power.cut
    light = all(isinstance(feed, CodecSpec) and isinstance(feed.line, PtySpec | StdinSpec) for feed in entry.feed)
    return SIDE_BY_SIDE if many and light else 1


def _broken(stand: Stand) -> str:
    """Why the bench's own side can feed it nothing more, or hear nothing of it, in a sentence with the way out."""
    if stand.broker is not None and stand.broker.pid is None:
        return f"the desk's broker ended; see {stand.directory}/endpoint/broker.log"
    return next((why for feeder in stand.box.feeders if (why := feeder.broken)), "")


def _in_time(row: Row, stand: Stand) -> tuple[Answer, str]:
    """A row's answer. What fails while the bench itself was late, or once it has lost its port or its broker, is not
    shown to be the gateway's. Raises Failed, Undecided, Stopped."""
    said = ""
    try:
        words = row.play(stand)
    except Failed as error:
        if broken := _broken(stand):
            raise Undecided(f"{broken}; until then: {error}") from None
        if not stand.late:
            raise
        words, said = str(error), "the bench was late, and it may be for that: "
    if not stand.late:
        return "PASS", words
    first = stand.late[0]
    late = f"{len(stand.late)} telegrams were not given whole, first {first.telegram.frame.hex()}: {first.torn}"
    if said:
        raise Undecided(f"{said}{words}; {late}")
    return "PASS", f"{words}; {late}"


class Check:
    """`directory`: of the run. `say(result, done, all)`: told of each row when it is done."""

    def __init__(
        self, entry: GatewayEntry, rows: Sequence[Row], directory: Path, depth: Depth, *, times: int = 1,
        side_by_side: int = 0, say: Callable[[Result, int, int], None] = lambda *_: None,
    ) -> None:  # fmt: skip
        self.entry, self.rows, self.directory, self.depth, self.times = entry, rows, directory, depth, times
        most = most_side_by_side(entry)
        self.side_by_side = min(side_by_side or most, most)
        self._say = say
        self._stop = threading.Event()
        self._silent: list[str] = []  # rows in which nothing came
        self._spoke = False
        self.results: dict[str, Result] = {}

    def run(self) -> None:
        """All rows. An interrupt ends the rows at work, and what was decided stays in `results`."""
        pool = ThreadPoolExecutor(self.side_by_side, thread_name_prefix="row")
        futures: list[Future[Result | None]] = []
        try:
            futures += (pool.submit(self._row, row) for row in self.rows)
            for future in as_completed(futures):
                self._keep(future.result())
        finally:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            for future in futures:
                if not future.cancelled() and future.exception() is None:
                    self._keep(future.result())

    def _keep(self, result: Result | None) -> None:
        if result is not None and result.row not in self.results:
            self.results[result.row] = result
            self._say(result, len(self.results), len(self.rows))

    def _row(self, row: Row) -> Result | None:
        begun_s = wall_s()
        tried: list[tuple[Answer, str, str]] = []
        if why := row.needs(self.entry):
            tried.append(("NOT APPLICABLE", why, ""))
        elif not self._spoke and len(self._silent) >= DEAD_AFTER:
            tried.append(("INCONCLUSIVE", f"not tried, since nothing came in {DEAD_AFTER} rows before; mend what "
                          f"{self._silent[0]} says, and check it again", ""))  # fmt: skip
        else:
            for time in range(self.times):
                folder = self.directory / row.id / (f"time-{time + 1}" if self.times > 1 else "")
                if self._stop.is_set():
                    return None
                try:
                    answer, words = self._tried(row, folder)
                except Stopped:
                    return None
                tried.append((answer, words, str(folder.relative_to(self.directory))))
        answer, words, evidence = min(tried, key=lambda one: _WORST.index(one[0]))
        result = Result(row.id, row.title, answer, words, round(wall_s() - begun_s, 2), evidence,
                        tuple(one[0] for one in tried), row.faults)  # fmt: skip
        if evidence:
            run_directory.write_json(self.directory / evidence / "row.json", dataclasses.asdict(result),
                                     reserve=self.directory)  # fmt: skip
        return result

    def _tried(self, row: Row, folder: Path) -> tuple[Answer, str]:
        spoke = False
        try:
            with Stand(self.entry, folder, self.depth, meters=row.meters, stop=self._stop) as stand:
                try:
                    return _in_time(row, stand)
                finally:
                    spoke = stand.spoke
        except Failed as error:
            return "FAIL", str(error)
        except Undecided as error:
            return "INCONCLUSIVE", str(error)
        except Stopped:
            raise
        except Exception as error:
            if (words := explained(error)) is None:
                raise
            return "INCONCLUSIVE", words
        finally:
            self._spoke |= spoke
            if not spoke:
                self._silent.append(row.id)

    # --- what came of it --------------------------------------------------------------------------------------------

    @property
    def in_order(self) -> list[Result]:
        """As the rows' names stand."""
        return [self.results[id_] for id_ in sorted(self.results)]

    def as_json(self, started: datetime, command: str, *, interrupted: bool = False) -> dict[str, Any]:
        """run.json."""
        results = self.in_order
        rows = [
            row_json(
                at, f"gateway/{self.entry.name}::{one.row}", one.answer, title=one.title, doc=ROWS.page(one.row),
                message=one.words, duration_s=one.duration_s, replay=f"{command} --rows {one.row}", row=one.row,
                answers=list(one.answers), evidence=one.evidence, faults=list(one.faults),
            )
            for at, one in enumerate(results)
        ]  # fmt: skip
        return row_suite.run_json(
            self, started, rows, title=f"Contract suite: {self.entry.title or self.entry.name}", command=command,
            outcome="interrupted" if interrupted else outcome_of(results),
            left_out=[f"{one.row}: {one.words}" for one in results if one.answer == "NOT APPLICABLE"],
            check={
                "gateway": self.entry.name, "depth": dataclasses.asdict(self.depth), "times": self.times,
                "claims": dataclasses.asdict(self.entry.claims), "answers": counted(one.answer for one in results),
            },
        )  # fmt: skip


def outcome_of(results: Sequence[Result]) -> Outcome:
    """Mostly inconclusive is no answer."""
    count = counted(one.answer for one in results)
    decided = count["PASS"] + count["FAIL"]
    if count["INCONCLUSIVE"] > decided or not decided:
        return "inconclusive"
    if count["FAIL"]:
        return "failed"
    return "inconclusive" if count["INCONCLUSIVE"] else "passed"
