"""Rounds of cases: of each target some drawn by structure, played together, and some guided by coverage, one by one.

A round has a fixed number of cases of each target, so a seed and a number of rounds say what is played; how long it
takes is the machine's business. Findings are made small and written at once. A batch that is not through after
STUCK_S of processor time is a finding too: nothing that arrives may hold the program.
"""

from __future__ import annotations

import contextlib
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from bench.fuzz import broken_promises as findings
from bench.fuzz import corpus
from bench.fuzz.edges import Coverage
from bench.fuzz.mutations import spliced
from bench.fuzz.target import Found, Target, TargetKind, scratch
from sim.core.clock import processor_s
from sim.core.seeds import Dice, dice

STUCK_S: Final = 120.0
_POOL: Final = 2_000
_CHECK_EVERY: Final = 50  # guided cases


@dataclass
class Tally:
    """What one worker did: cases and processor seconds of each target, drawn and guided; kinds of findings."""

    drawn: Counter[str] = field(default_factory=Counter)
    guided: Counter[str] = field(default_factory=Counter)
    drawn_s: Counter[str] = field(default_factory=Counter)
    guided_s: Counter[str] = field(default_factory=Counter)
    edges: Counter[str] = field(default_factory=Counter)
    found: dict[str, str] = field(default_factory=dict)  # kind -> file

    def add(self, other: Tally) -> None:
        """Another worker's; edges are the most that one of them saw."""
        for mine, theirs in ((self.drawn, other.drawn), (self.guided, other.guided),
                             (self.drawn_s, other.drawn_s), (self.guided_s, other.guided_s)):  # fmt: skip
            mine.update(theirs)
        self.edges |= other.edges
        self.found |= other.found

    @property
    def cases(self) -> int:
        """Of all targets, drawn and guided."""
        return self.drawn.total() + self.guided.total()


class _Lane:
    """One target of a worker: the target, its pool of cases that reached something new, what they reached."""

    def __init__(self, kind: TargetKind, folder: Path, seed: int, worker: int) -> None:
        self.kind, self.folder = kind, folder
        self.dice: Dice = dice(seed, "fuzz", kind.id, worker)
        self.target: Target = kind.make(folder)
        self.coverage = Coverage(kind.code)
        self.pool: list[bytes] = []
        self.fresh: list[bytes] = []  # in the pool, and not of the project's corpus
        self.recent: list[bytes] = []  # played one by one since the last check
        self.age = 0  # checks of the present target

    def again(self) -> None:
        """A fresh target, after a finding."""
        with contextlib.suppress(Exception):
            self.target.close()
        self.recent.clear()
        self.age = 0
        self.target = self.kind.make(self.folder)

    def check(self) -> None:
        """Raises what the target's check raises."""
        self.target.check()
        self.age += 1
        self.recent.clear()


class Worker:
    """Plays rounds. `out`: where findings and new cases go."""

    def __init__(self, kinds: Sequence[TargetKind], seed: int, worker: int, out: Path, folder: Path) -> None:
        self.tally = Tally()
        self._seed, self._out, self._worker = seed, out, worker
        self._lanes = [_Lane(kind, folder / kind.id, seed, worker) for kind in kinds]
        for lane in self._lanes:
            for kept in corpus.load(lane.kind.id):
                self._guide(lane, kept.case, fresh=False)

    def round(self, until: Callable[[], bool]) -> None:
        """One round, or the part of it that there is time for."""
        for lane in self._lanes:
            for _ in range(lane.kind.batches):
                if until():
                    return
                self._draw(lane)
            for _ in range(lane.kind.guided):
                if until():
                    return
                self._guide(lane, self._next(lane), fresh=True)

    def close(self) -> None:
        """Save what guided; close all targets."""
        for lane in self._lanes:
            self.tally.edges[lane.kind.id] = lane.coverage.edges
            if lane.fresh:
                kept = [corpus.Kept(case, corpus.NEW_WAY) for case in lane.fresh]
                corpus.save(f"{lane.kind.id}-{self._worker}", kept, self._out / "corpus")
            lane.coverage.close()
            with contextlib.suppress(Exception):
                lane.target.close()

    def _draw(self, lane: _Lane) -> None:
        begun_s = processor_s()
        cases = [lane.target.draw(lane.dice) for _ in range(lane.kind.together)]
        try:
            with _stuck():
                lane.target.play(cases)
                lane.check()
        except Exception as error:
            self._found(lane, cases, error)
        self.tally.drawn[lane.kind.id] += len(cases)
        self.tally.drawn_s[lane.kind.id] += processor_s() - begun_s  # type: ignore[assignment]

    def _next(self, lane: _Lane) -> bytes:
        if not lane.pool or not lane.dice.randrange(10):
            return lane.target.draw(lane.dice)
        newer = lane.pool[len(lane.pool) // 2 :] if lane.dice.randrange(2) else lane.pool
        case = lane.dice.choice(newer)
        if not lane.dice.randrange(6):
            case = spliced(case, lane.dice.choice(lane.pool), lane.dice)
        return lane.target.change(case, lane.dice)

    def _guide(self, lane: _Lane, case: bytes, *, fresh: bool) -> None:
        begun_s = processor_s()
        lane.recent.append(case)
        try:
            with _stuck():
                words, edges = lane.coverage.of(lambda: lane.target.play([case]))
                if edges or lane.coverage.new_words(words[0]):
                    lane.pool.append(case)
                    if fresh:
                        lane.fresh.append(case)
                    del lane.pool[:-_POOL], lane.fresh[:-_POOL]
                if len(lane.recent) >= _CHECK_EVERY:
                    lane.check()
        except Exception as error:
            self._found(lane, list(lane.recent), error)
        self.tally.guided[lane.kind.id] += 1
        self.tally.guided_s[lane.kind.id] += processor_s() - begun_s  # type: ignore[assignment]

    def _found(self, lane: _Lane, cases: Sequence[bytes], error: Exception) -> None:
        what = findings.said(error)
        made = findings.Finding(lane.kind.id, what, tuple(case.hex() for case in cases), self._seed, lane.age)
        if made.kind not in self.tally.found:
            if not isinstance(error, Stuck):
                made = findings.small(lane.kind, made)
            path = self._out / f"finding-{lane.kind.id}-{self._worker}-{len(self.tally.found) + 1}.json"
            made.save(path)
            self.tally.found[made.kind] = str(path)
        lane.again()


class Stuck(Found):
    """A batch that did not come to its end."""


@contextlib.contextmanager
def _stuck() -> Iterator[None]:
    def ring(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise Stuck(f"not through after {STUCK_S:.0f} s of processor time")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, STUCK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def play(
    kinds: Sequence[TargetKind], seed: int, worker: int, out: Path, until: Callable[[Tally], bool],
    say: Callable[[Tally], None],
) -> Tally:  # fmt: skip
    """One worker, round after round, until it is told to stop; `say` is told after each round."""
    with tempfile.TemporaryDirectory(prefix="wmbench-fuzz-", dir=scratch()) as folder:
        player = Worker(kinds, seed, worker, out, Path(folder))
        try:
            while not until(player.tally):
                player.round(lambda: until(player.tally))
                say(player.tally)
        finally:
            player.close()
    return player.tally
