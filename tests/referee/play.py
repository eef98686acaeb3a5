"""Put every defect in, one at a time, run the scenario that speaks of it, and say which stayed green.

    python -m tests.referee.play [--workers 2] [--few] [ID ...]

Each runs in a process of its own, made by fork: the bench is imported once. Before them every scenario is run as it is:
one that is red without a defect says nothing with one. Exit code 1 when a defect stayed green or a scenario is red.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from arrays import jit
from sim.core.clock import wall_s
from sim.core.parent import die_with_parent
from tests.referee.defect import KINDS, Defect, Play, defects

EVERYWHERE = (
    "arrays.build_telegrams", "arrays.ciphers_compiled", "arrays.seal", "hypothesis", "matplotlib.figure",
    "paho.mqtt.client", "reports.documents", "sim.meters.blockwise", "sim.meters.fill_kernels",
    "sim.meters.write_kernels",
)  # fmt: skip
PROCESSOR_S = 300  # a defect may make a run without an end; that is red, but only a person sees why
DEADLINE_S = 1_800  # of wall time, for one that waits without an end; a busy machine needs less
RED, INCONCLUSIVE = 1, 6
TOLD = "told.json"
FEW = (
    "altered-and-stored", "shuts-out-the-attacked", "wrong-volume-m3", "tamper-alarm-on-neighbour",
    "landlord-sum-of-two-houses", "tails-knows-the-answer", "downgrade-of-a-stranger", "power-not-cut", "key-in-hex",
    "embedded-access-list-off", "control-without-weakness",
)  # fmt: skip
"""One of each kind, for the tests of every day: those that take least."""


@dataclass(frozen=True)
class Ran:
    """One run of a play. `processor_s`: what it took, a broker's left out; `used`: how often what the defect changed
    was used."""

    defect: Defect | None
    play: Play
    code: int
    processor_s: float
    outcomes: tuple[str, ...]
    said: str
    used: int

    @property
    def as_demanded(self) -> bool:
        """Without a defect green, with one red or inconclusive because somebody judged so: a run that broke down, or
        in which the defect was never met, shows nothing."""
        if self.defect is None:
            return self.code == 0 and set(self.outcomes) == {"passed"}
        judged = self.code in (RED, INCONCLUSIVE) and not {"error", "interrupted"} & set(self.outcomes)
        return judged and self.used > 0 and bool({"failed", "inconclusive"} & set(self.outcomes))

    @property
    def word(self) -> str:
        if self.defect is not None and not self.used:
            return "unmet"
        if self.code == 0:
            return "green"
        if "error" in self.outcomes or not self.outcomes:
            return "broken"
        return {RED: "red", INCONCLUSIVE: "inconclusive"}.get(self.code, f"exit {self.code}")

    def row(self) -> str:
        name = self.defect.id if self.defect else "(none)"
        mark = " " if self.as_demanded else "!"
        ended = f"{self.word:<13}{self.code:>2} {self.processor_s:>6.1f} s"
        return f"{mark} {name:<32} {self.play!s:<40.40} {ended}  {self.said:.110}"


def played(jobs: Sequence[tuple[Defect | None, Play]], folder: Path, workers: int) -> Iterator[Ran]:
    """As they end."""
    waiting = list(enumerate(jobs))
    running: dict[int, int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                place, (defect, play) = waiting.pop(0)
                running[_begin(defect, play, folder / str(place))] = place
            pid, status, used = os.wait4(-1, 0)
            if pid not in running:
                continue
            place = running.pop(pid)
            _end(pid)  # a broker that a killed run left behind
            processor_s = used.ru_utime + used.ru_stime
            yield _ran(*jobs[place], folder / str(place), os.waitstatus_to_exitcode(status), processor_s)
            shutil.rmtree(folder / str(place), ignore_errors=True)
    finally:
        for pid in running:
            _end(pid)


def _end(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _begin(defect: Defect | None, play: Play, folder: Path) -> int:
    """Fork; returns the child's process id, which leads a group of its own."""
    folder.mkdir()
    words = [
        "-q", "-p", "no:cacheprovider", "-p", "no:benchmark", "-p", "no:xdist", "-p", "bench.rig.plugin",
        "-p", "tests.referee.plugin", "--wmbench-run", str(folder / "run"), "--told", str(folder / TOLD), *play.words,
    ]  # fmt: skip
    words += ["--defect", defect.id] if defect else []
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        die_with_parent(parent)
        signal.alarm(DEADLINE_S)
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S))
        _leave_nothing()
        (folder / "run").mkdir()
        output = os.open(folder / "output", os.O_CREAT | os.O_WRONLY, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = int(pytest.main(words))
        sys.stdout.flush()
    finally:
        os._exit(code)


def _leave_nothing() -> None:
    """In the child: documents are for people, and databases are packed to be kept. Both are a third of a small run."""
    from bench.rig import scenario
    from reports import documents, pictures

    for owner, name in ((documents, "write_all"), (pictures, "draw_ahead"), (scenario, "pack")):
        getattr(owner, name)
        setattr(owner, name, lambda _directory, **_how: None)


def _ran(defect: Defect | None, play: Play, folder: Path, code: int, processor_s: float) -> Ran:
    said = (folder / "output").read_text(encoding="utf-8", errors="replace").strip()[-200:].replace("\n", " ")
    if not (folder / TOLD).exists():
        return Ran(defect, play, code, processor_s, (), said, 0)
    told = json.loads((folder / TOLD).read_text(encoding="utf-8"))
    if play.of_tests:
        said = next((words for outcome, words in told["outcomes"].items() if outcome != "passed"), "")
        return Ran(defect, play, code, processor_s, tuple(told["outcomes"]), said, told["used"])
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("run/*/scenario.json"))]
    if found:
        said = next((one["message"].splitlines()[0] for one in found if one["message"]), "")
    return Ran(defect, play, code, processor_s, tuple(one["outcome"] for one in found), said, told["used"])


def jobs_of(chosen: Iterable[Defect], *, sound: bool = True) -> list[tuple[Defect | None, Play]]:
    """Each scenario as it is, once, and then each defect, scenario by scenario. `sound`: the bench's own scenarios
    are run as they are, too; who runs them anyway need not."""
    every = list(chosen)
    plays = list(dict.fromkeys(one.play for one in every))
    as_is: list[tuple[Defect | None, Play]] = [(None, play) for play in plays if sound or play.is_ours]
    return as_is + [(one, one.play) for play in plays for one in every if one.play == play]


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("ids", nargs="*", metavar="ID", help="these only")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--few", action="store_true", help="one of each kind, for scenarios known to be green")
    parser.add_argument("--list", action="store_true", help="what there is, by kind")
    chosen = parser.parse_args(words)
    known = defects()
    unknown = set(chosen.ids) - set(known)
    if unknown:
        parser.error(f"there is no defect {', '.join(sorted(unknown))}")
    if chosen.list:
        for kind in KINDS:
            print(f"\n{kind}")
            for one in (one for one in known.values() if one.kind == kind):
                print(f"  {one.id:<32} {one.what}")
        return 0
    ids = chosen.ids or (FEW if chosen.few else list(known))
    jobs = jobs_of((known[id_] for id_ in ids), sound=not chosen.few)
    bad: list[Ran] = []
    words_of: Counter[str] = Counter()
    begun_s, processor_s = wall_s(), 0.0
    _import_all()
    with tempfile.TemporaryDirectory(prefix="wmbench-referee-") as folder:
        for ran in played(jobs, Path(folder), chosen.workers):
            print(ran.row(), flush=True)
            processor_s += ran.processor_s
            words_of[ran.word] += ran.defect is not None
            bad += [] if ran.as_demanded else [ran]
    _sum_up(bad, words_of, wall_s() - begun_s, processor_s)
    return 1 if bad else 0


def _import_all() -> None:
    """What every run needs and no defect changes, before the first fork. A module of `sim` that a run imports itself
    meets the defect already; one that is there before may have taken a function by its name."""
    import bench.rig.plugin  # noqa: F401
    from attacks.attack import attacks

    attacks()
    for name in EVERYWHERE:
        importlib.import_module(name)
    jit.load_kept()
    gc.collect()
    gc.freeze()  # or each child copies what its collector looks at


def _sum_up(bad: Sequence[Ran], words_of: Counter[str], duration_s: float, processor_s: float) -> None:
    counts = ", ".join(f"{count} {word}" for word, count in words_of.most_common() if count)
    print(f"\n{words_of.total()} defects: {counts}; {duration_s:.0f} s, {processor_s:.0f} s of processor time")
    sick = [ran for ran in bad if ran.defect is None]
    if sick:
        print("not green without a defect: " + "; ".join(str(ran.play) for ran in sick))
    stayed = [ran for ran in bad if ran.defect is not None]
    if not stayed:
        print("every one was noticed")
        return
    print(f"{len(stayed)} were not noticed:")
    for ran in stayed:
        assert ran.defect is not None
        print(f"  {ran.defect.id:<32} {ran.word:<8} {ran.defect.untrue}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
