"""One scenario with one seed: its runs, its judgement, its scenario.json.

A scenario runs once as its world says, once more without its attackers (the clean twin), once for each named set of
defences, once as the control. A failed assert of the first run fails it at once; in the control a failed assert is what
is hoped for and is left to the verdicts.
However it ends, worlds are closed, and scenario.json is written before the next scenario begins.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import re
import shlex
import traceback
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import run_directory, scenario_files
from bench.options import ENGINES, Options, changed
from bench.progress import Beat, Progress
from bench.rig import checks
from bench.rig.aws_bill import measure_bill
from bench.rig.judgement import Judgement, judge
from bench.rig.real_gateways import measure_real
from bench.rig.scenario import CLEAN, KEYLESS, CurtainDown, LeftOut, Mark, Stage, load_world
from bench.rig.twin import Twin, active, twin_of
from bench.rig.world_row import world_json
from bench.run_errors import CannotRun, Failed, Inconclusive, explained, of_kind
from reports import pictures
from sim.core.broken_files import line_in
from sim.core.clock import wall_s
from sim.core.part_errors import told
from sim.desk.box import BoxError
from sim.endpoint.port import SaysNothing
from sim.world_spec import WorldSpec


@dataclass(frozen=True, slots=True)
class End:
    """How it ended. `raised` is what pytest is given; `trace` is kept where nobody foresaw the error."""

    outcome: str
    message: str = ""
    trace: str = ""
    raised: BaseException | None = None


class Bout:
    """`play()` raises what pytest is to make of it."""

    def __init__(
        self, item: pytest.Function, mark: Mark, run: Path, *, options: Options, order: int, progress: Progress | Beat
    ) -> None:
        self.function = item.obj
        self.mark = mark
        self.folder = item.path.parent
        self.seed = int(str(item.callspec.params["world"]))
        self.fixtures = {name: item.funcargs[name] for name in item._fixtureinfo.argnames if name != "world"}
        self.id = scenario_id(item)
        self.case = item.name
        parameters = "".join(self.id.partition("[")[1:])
        self.title = f"{title_of(item.originalname)} {parameters}".strip()
        self.options = options
        self.order = order
        self.progress = progress
        self.path = item.path
        self.directory = run / f"{slug(self.id)}-{self.seed}"
        self.stages: list[Stage] = []
        self.twin: Twin | None = None
        self.problems: list[str] = []
        self.unproven: list[str] = []
        self.judgement = Judgement()

    def play(self) -> None:
        started_s = wall_s()
        self.progress.scenario(self.title)
        end = End("passed")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._run_all()
            self._judge()
        except BaseException as error:
            end = self._end(error)
        end = self._close(end)
        duration_s = wall_s() - started_s
        try:
            self._write(end, duration_s)
        except OSError as error:
            end = self._end(error)
        self.progress.done(end.outcome, duration_s)
        if end.outcome != "interrupted" and any(stage.made for stage in self.stages):
            with contextlib.suppress(Exception):  # the page of the run draws what is not there, and says what is wrong
                pictures.draw_ahead(self.directory)
        if end.raised is not None:
            raise end.raised

    def _end(self, error: BaseException) -> End:
        if isinstance(error, LeftOut):
            return End("skipped", str(error), raised=pytest.skip.Exception(f"left out: {error}"))
        if isinstance(error, pytest.skip.Exception):
            return End("skipped", str(error), raised=error)
        if isinstance(error, Inconclusive):
            return End("inconclusive", str(error), raised=error)
        if isinstance(error, SaysNothing):
            said = self._where(error) + str(error)
            return End("inconclusive", said, raised=Inconclusive(f"{said}\nagain: {self.replay}"))
        if isinstance(error, (Failed, AssertionError, pytest.fail.Exception)):
            return End("failed", self._where(error) + str(error), raised=error)
        if isinstance(error, KeyboardInterrupt):
            self._note_interruption()
            return End("interrupted", "interrupted before it was finished", raised=error)
        message = explained(error)
        if message is not None and of_kind(error, BoxError):
            return End("inconclusive", message, raised=Inconclusive(f"{message}\nagain: {self.replay}"))
        if message is not None:
            message = self._where(error) + message
            raised = CannotRun(f"{message}\nagain: {self.replay}")
            raised.__cause__, raised.__suppress_context__ = error, True
            return End("error", message, raised=raised)
        trace = "".join(traceback.format_exception(error))
        return End("error", f"{self._where(error)}{told(error)}", trace, error)

    def _where(self, error: BaseException) -> str:
        """File and line of the scenario at which it came to this; "" where it was not there."""
        line = line_in(self.path, error)
        return f"{scenario_files.name_of(self.path)}, line {line}: " if line else ""

    def _note_interruption(self) -> None:
        for stage in self.stages[-1:]:
            with contextlib.suppress(Exception):  # the disk may be what was interrupted
                if stage.made:
                    stage.inner.finish("interrupted")

    def _close(self, end: End) -> End:
        """Every world, whatever happened to the one before; the first fault counts when all went well till then."""
        for stage in self.stages:
            try:
                stage.close()
            except BaseException as error:
                if end.outcome == "passed" or isinstance(error, KeyboardInterrupt):
                    end = self._end(error)
        return end

    # --- the runs -----------------------------------------------------------------------------------------------

    def _run_all(self) -> None:
        spec = self._spec()
        if (reason := self.mark.not_for.get(spec.system.kind)) is not None:
            raise LeftOut(f"not for system '{spec.system.kind}': {reason}")
        missing = spec.lacks(self.mark.needs)
        if missing:
            raise LeftOut(missing)
        first = self._run_one("on", spec)
        if active(first):
            self.twin = twin_of(self._run_one(CLEAN, spec))
        for name, settings in self.mark.defences.items():
            weaker = spec
            for key, value in settings.items():
                weaker = weaker.with_setting(key, value)
            self._run_one(name, weaker)
        if first.staged:
            weakest = spec
            for staged in first.staged:
                for key, value in staged.attack.record.weakness_for(spec.system.kind).items():
                    weakest = weakest.with_setting(key, value)
            self._run_one("off", weakest)

    def _spec(self) -> WorldSpec:
        at = f"{scenario_files.name_of(self.path)}, line {inspect.unwrap(self.function).__code__.co_firstlineno}"
        spec = load_world(self.mark.world, beside=self.folder, at=at)
        for key, value in self.mark.settings.items():
            spec = spec.with_setting(key, value)
        return changed(spec, self.options)

    def _run_one(self, defences: str, spec: WorldSpec) -> Stage:
        stage = Stage(
            spec,
            self.seed,
            self.directory / defences,
            defences,
            frames=self.mark.frames,
            engine=self.options.engine or ENGINES[0],
            home=self.mark.settings.get("system.kind", KEYLESS),
            on_window=self.progress.world(f"defences {defences}", spec.meters),
        )
        self.stages.append(stage)
        try:
            self.function(world=stage, **self.fixtures)
        except CurtainDown:
            pass
        except AssertionError:
            if defences == "on":
                raise
        finally:
            self.progress.world_done()
        if stage.made:
            self._look_at(stage)
            stage.sights, stage.costs = stage.inner.system.sights(), stage.inner.system.costs()
            stage.inner.finish()
        return stage

    def _look_at(self, stage: Stage) -> None:
        """Whatever the attacks were after: limits, invariants, and whether anything happened at all."""
        measure_real(stage)
        measure_bill(stage)
        if stage.defences == "on":
            self.problems += [f"{m}: limit missed" for m in stage.measures if not m.ok]
        truth = stage.truth
        truth.look_again()
        if not truth.received and not (truth.foreign and stage.history.fates["received"]):
            self.unproven.append(f"no gateway heard a telegram ({stage.defences})")
        for title, found in checks.apply(stage.inner, attacked=active(stage) and stage.defences != CLEAN):
            said = self.unproven if title in checks.unproven() else self.problems
            said.append(f"{title} ({stage.defences}): {found}")

    def _judge(self) -> None:
        self.judgement = judge(self.stages, self.twin)
        judged = self.judgement.problems
        if self.problems or (judged and not self.unproven):
            said = [*self.problems, *judged, *self.unproven, *self.judgement.unproven]
            raise Failed("\n".join([*said, f"again: {self.replay}"]))
        # A world that could not keep up, or a gateway that did not work, was no fair question to its gateways.
        unproven = [*self.unproven, *self.judgement.unproven, *judged]
        if unproven:
            raise Inconclusive("\n".join([*unproven, f"again: {self.replay}"]))

    # --- what is left behind ------------------------------------------------------------------------------------

    @property
    def replay(self) -> str:
        return shlex.join(["./wmbench", "run", self.id, "--seed", str(self.seed), *self.options.words()])

    def _write(self, end: End, duration_s: float) -> None:
        body = {
            "order": self.order,
            "id": self.id,
            "case": self.case,
            "title": self.title,
            "doc": " ".join((self.function.__doc__ or "").split()),
            "threats": list(self.mark.threats),
            "seed": self.seed,
            "outcome": end.outcome,
            "message": end.message,
            "traceback": end.trace,
            "duration_s": round(duration_s, 2),
            "replay": self.replay,
            "claims": self.judgement.claims,
            "what_if": list(self.options.settings),
            "false_alarms": self.twin.false_alarms if self.twin else {},
            "measures": [m.as_json() for s in self.stages[:1] for m in s.measures],
            "worlds": [world_json(stage, self.directory.parent) for stage in self.stages if stage.made],
        }
        run_directory.write_json(self.directory / "scenario.json", body, reserve=self.directory.parent)


# --- names -----------------------------------------------------------------------------------------------------


def scenario_id(item: pytest.Function) -> str:
    """`card/test_replay.py::test_x`: what `scenario_files` calls the file, and the function; behind it in brackets the
    parameters that are not the seed, so that two cases of one function never share an id."""
    inside = [one.name for one in item.iter_parents() if isinstance(one, pytest.Class)][::-1]
    parameters = re.sub(r"(^|-)seed=\d+(?=-|$)", "", item.callspec.id, count=1).strip("-")
    function = "::".join([*inside, item.originalname])
    return f"{scenario_files.name_of(item.path)}::{function}" + (f"[{parameters}]" if parameters else "")


def title_of(function: str) -> str:
    words = function.removeprefix("test_").replace("_", " ")
    return words[:1].upper() + words[1:]


def slug(id_: str) -> str:
    """A folder's name that two scenarios never share."""
    plain = re.fullmatch(r"[\w./-]+::test_\w+", id_) is not None and id_[0] != "/" and len(id_) <= 150
    short = id_ if plain else id_.rpartition("/")[2]
    text = re.sub(r"[^a-z0-9]+", "-", short.lower().replace("::test_", "-").replace(".py", "")).strip("-")
    return text if plain else f"{text[:100]}-{hashlib.blake2b(id_.encode(), digest_size=3).hexdigest()}"
