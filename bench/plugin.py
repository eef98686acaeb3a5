"""How pytest runs a scenario: once as its world says, once for each named set of defences, once as the control.

A failed assert of the first run fails the scenario at once; in the control run a failed assert is what is hoped for
and is left to the verdicts. Each scenario leaves its own directory with scenario.json before the next begins, so an
interrupted session loses nothing that was finished. The controller gathers them into run.json, report.html and
junit.xml.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from bench import checks, rundir
from bench.progress import Progress
from bench.scenario import SCENARIOS, LeftOut, Mark, Stage, load_world
from bench.verdict import Verdict, decide
from sim.clock import wall_now, wall_s
from sim.endpoint.choice import FEATURES
from sim.spec import SECURITIES, WorldSpec

INCONCLUSIVE_EXIT = 6


class Inconclusive(Exception):
    """The attack never reached its target, or its control did not succeed: nothing is proven either way."""


class Failed(Exception):
    """A verdict, a measure or an invariant is not what it must be."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wmbench")
    group.addoption("--wmbench-run", default=None, help="run directory (made when not given)")
    group.addoption("--wmbench-name", default="pytest", help="name of the run under runs/")
    group.addoption("--wmbench-title", default="", help="title of the run")
    group.addoption("--wmbench-command", default="", help="the command that reproduces the run")
    group.addoption(
        "--seed", dest="wmbench_seed", type=int, default=None, help="run every scenario with this seed only"
    )
    group.addoption(
        "--endpoint", dest="wmbench_endpoint", default=None, help="memory or mosquitto, instead of the world's"
    )
    group.addoption("--set", dest="wmbench_set", action="append", default=[], help="KEY=VALUE: change a world setting")
    group.addoption("--wmbench-lines", action="store_true", help="own progress lines instead of pytest's dots")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "scenario: a wmbench scenario")
    if not hasattr(config, "workerinput"):
        config.stash[_SESSION] = _Session(config)
        # Workers of pytest-xdist get the options as they stand now, so all write into one run directory.
        config.option.wmbench_run = config.option.wmbench_run or None
    config.stash[_PROGRESS] = Progress(enabled=bool(config.getoption("--wmbench-lines")))


_SESSION: pytest.StashKey[_Session] = pytest.StashKey()
_PROGRESS: pytest.StashKey[Progress] = pytest.StashKey()


class _Session:
    """The controller's part: the run directory and what is gathered at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.started = wall_now()
        self.interrupted = False

    def directory(self) -> Path:
        option = self.config.option
        if option.wmbench_run is None:
            option.wmbench_run = str(rundir.make(option.wmbench_name))
        return Path(option.wmbench_run)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> object:
    """The stage a scenario sets. The rig calls a scenario once for each run and hands it the stage itself; pytest only
    carries the seed."""
    if not hasattr(request, "param"):
        raise pytest.UsageError("the fixture 'world' belongs to functions marked with @scenario(world=...)")
    return request.param


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark: Mark | None = getattr(metafunc.function, "__wmbench__", None)
    if mark is None:
        return
    seed = metafunc.config.getoption("wmbench_seed")
    seeds = mark.seeds if seed is None else (seed,)
    metafunc.parametrize("world", seeds, indirect=True, ids=[f"seed={s}" for s in seeds])


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    for order, item in enumerate(items):
        if isinstance(item, pytest.Function) and hasattr(item.function, "__wmbench__"):
            item.add_marker(pytest.mark.scenario)
            item.stash[_ORDER] = order
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    if any(_ORDER in item.stash for item in items):
        session.config.stash[_SESSION].directory()


_ORDER: pytest.StashKey[int] = pytest.StashKey()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where to write."""
    node.workerinput["wmbench_run"] = str(node.config.stash[_SESSION].directory())


def scenario_id(path: Path, function: str) -> str:
    """`card/test_replay.py::test_x`: the path below scenarios/ and the function."""
    try:
        relative = path.resolve().relative_to(SCENARIOS)
    except ValueError:
        relative = path
    return f"{relative.as_posix()}::{function}"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    mark: Mark | None = getattr(pyfuncitem.function, "__wmbench__", None)
    if mark is None:
        return None
    config = pyfuncitem.config
    run = getattr(config, "workerinput", {}).get("wmbench_run") or config.option.wmbench_run
    run = Path(run) if run else config.stash[_SESSION].directory()
    _Bout(pyfuncitem, mark, run).play()
    return True


class _Bout:
    """One scenario with one seed: its runs, its claims, its scenario.json."""

    def __init__(self, item: pytest.Function, mark: Mark, run: Path) -> None:
        self.item = item
        self.mark = mark
        self.seed = int(str(item.callspec.params["world"]))
        self.id = scenario_id(item.path, item.originalname)
        slug = re.sub(r"[^a-z0-9]+", "-", self.id.lower().replace("::test_", "-").replace(".py", "")).strip("-")
        self.directory = run / f"{slug}-{self.seed}"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.stages: list[Stage] = []
        self.claims: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.unproven: list[str] = []
        self.progress = item.config.stash[_PROGRESS]

    def play(self) -> None:
        started_s = wall_s()
        outcome, message = "passed", ""
        self.progress.scenario(self.title)
        try:
            self._run_all()
            self._judge()
            if self.problems:
                raise Failed("\n".join([*self.problems, f"again: {self.replay}"]))
            if self.unproven:
                raise Inconclusive("\n".join([*self.unproven, f"again: {self.replay}"]))
        except LeftOut as left_out:
            outcome, message = "skipped", str(left_out)
            pytest.skip(f"left out: {left_out}")
        except Inconclusive as inconclusive:
            outcome, message = "inconclusive", str(inconclusive)
            raise
        except (Failed, AssertionError) as failed:
            outcome, message = "failed", str(failed)
            raise
        except KeyboardInterrupt:
            outcome, message = "error", "interrupted"
            raise
        except BaseException as error:
            outcome, message = "error", f"{type(error).__name__}: {error}"
            raise
        finally:
            for stage in self.stages:
                stage.close()
            self._write(outcome, message, wall_s() - started_s)
            self.progress.done(outcome, wall_s() - started_s)

    # --- the runs -----------------------------------------------------------------------------------------------

    def _run_all(self) -> None:
        spec = self._spec()
        missing = self.mark.needs - FEATURES[spec.endpoint.kind]
        if missing:
            raise LeftOut(f"needs an endpoint with {', '.join(sorted(missing))}; '{spec.endpoint.kind}' has none")
        first = self._run_one("on", spec)
        for name, settings in self.mark.defences.items():
            weaker = spec
            for key, value in settings.items():
                weaker = weaker.with_setting(key, value)
            self._run_one(name, weaker)
        if first.staged:
            weakest = spec
            for staged in first.staged:
                for key, value in staged.attack.record.weakness.items():
                    weakest = weakest.with_setting(key, value)
            self._run_one("off", weakest)

    def _spec(self) -> WorldSpec:
        spec = load_world(self.mark.world)
        for key, value in self.mark.settings.items():
            spec = spec.with_setting(key, value)
        if self.item.config.option.wmbench_endpoint:
            spec = spec.with_setting("endpoint.kind", self.item.config.option.wmbench_endpoint, source="--endpoint")
        for setting in self.item.config.option.wmbench_set:
            key, _, text = setting.partition("=")
            try:
                value = json.loads(text)
            except ValueError:
                value = text
            spec = spec.with_setting(key, value, source="--set")
        return spec

    def _run_one(self, defences: str, spec: WorldSpec) -> Stage:
        stage = Stage(
            spec,
            self.seed,
            self.directory / defences,
            defences,
            frames=self.mark.frames,
            on_window=self.progress.world(f"defences {defences}", spec.meters),
        )
        self.stages.append(stage)
        try:
            self.item.obj(world=stage)
        except AssertionError:
            if defences == "on":
                raise
        finally:
            self.progress.world_done()
        if stage.made:
            if defences == "on":
                self.problems += [f"{m}: limit missed" for m in stage.measures if not m.ok]
            for name, found in checks.apply(stage.inner, attacked=bool(stage.staged)):
                self.problems.append(f"{name} ({defences}): {found}")
            stage.inner.finish()
        return stage

    # --- the verdicts -------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        outcomes = {stage.defences: stage.outcomes() for stage in self.stages if stage.staged}
        controls = outcomes.get("off", [])
        expected: dict[tuple[str, str, str, str], Verdict | None] = {
            (e.attack, e.variant, name, security): verdict
            for e in (self.stages[0].expectations if self.stages else [])
            for name, verdicts in e.by_defences.items()
            for security, verdict in zip(SECURITIES, verdicts, strict=True)
        }
        met = set()
        for name, rows in outcomes.items():
            for attack, outcome in rows:
                key = (attack.record.id, outcome.variant, name, outcome.security)
                decision = decide(outcome, [o for a, o in controls if a.record.id == attack.record.id])
                self._claim(attack, outcome, name, decision, expected.get(key))
                met.add(key)
                self._compare(key, decision, expected)
        for key, verdict in expected.items():
            if verdict is not None and key not in met:
                self.problems.append(f"{_named(key)}: {verdict} expected, but the attack reported no such outcome")

    def _compare(self, key: tuple[str, str, str, str], decision: Any, expected: dict[Any, Any]) -> None:
        if decision.verdict is Verdict.INCONCLUSIVE:
            self.unproven.append(f"{_named(key)}: INCONCLUSIVE, {decision.why}")
        elif key not in expected:
            self.problems.append(f"{_named(key)}: {decision.verdict}, and the scenario does not say what to expect")
        elif expected[key] is not decision.verdict:
            self.problems.append(f"{_named(key)}: {decision.verdict}, expected {expected[key]} ({decision.why})")

    def _claim(self, attack: Any, outcome: Any, defences: str, decision: Any, expected: Verdict | None) -> None:
        self.claims.append(
            {
                "attack": attack.record.id,
                "title": attack.record.title,
                "variant": outcome.variant,
                "security": outcome.security,
                "defences": defences,
                "expected": str(expected) if expected is not None else "",
                "verdict": str(decision.verdict),
                "control": decision.control if defences != "off" else "this is the control",
                "why": decision.why,
                "evidence": {"reached": outcome.reached, "achieved": outcome.achieved, **outcome.evidence},
            }
        )

    # --- what is left behind ------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        words = self.item.originalname.removeprefix("test_").replace("_", " ")
        return words[:1].upper() + words[1:]

    @property
    def replay(self) -> str:
        endpoint = self.item.config.option.wmbench_endpoint
        extra = f" --endpoint {endpoint}" if endpoint else ""
        settings = "".join(f" --set {s}" for s in self.item.config.option.wmbench_set)
        return f"./wmbench run {self.id} --seed {self.seed}{extra}{settings}"

    def _write(self, outcome: str, message: str, duration_s: float) -> None:
        body = {
            "order": self.item.stash.get(_ORDER, 0),
            "id": self.id,
            "title": self.title,
            "doc": " ".join((self.item.function.__doc__ or "").split()),
            "threats": list(self.mark.threats),
            "seed": self.seed,
            "outcome": outcome,
            "message": message,
            "duration_s": round(duration_s, 2),
            "replay": self.replay,
            "claims": self.claims,
            "measures": [m.as_json() for s in self.stages[:1] for m in s.measures],
            "worlds": [_world_json(stage, self.directory.parent) for stage in self.stages if stage.made],
        }
        rundir.write_json(self.directory / "scenario.json", body)


def _world_json(stage: Stage, run: Path) -> dict[str, Any]:
    weakness = {
        key: value for s in stage.staged for key, value in s.attack.record.weakness.items() if stage.defences == "off"
    }
    return {
        "role": "control" if stage.defences == "off" else "subject",
        "variant": stage.defences,
        "directory": str(stage.directory.relative_to(run)),
        "digest": stage.history.digest,
        "world": stage.spec.name,
        "meters": stage.spec.meters,
        "gateways": stage.spec.gateways,
        "seed": stage.seed,
        "endpoint": stage.inner.endpoint.name,
        "duration_ns": int(stage.inner.env.now),
        "weakness": ", ".join(f"{key} = {value!r}" for key, value in weakness.items()),
    }


def _named(key: tuple[str, str, str, str]) -> str:
    attack, variant, defences, security = key
    return f"{attack} / {variant} / {security} / defences {defences}"


# --- the end of a session --------------------------------------------------------------------------------------


def pytest_keyboard_interrupt(excinfo: Any) -> None:
    _interrupted.append(time.strftime("%H:%M:%S"))


_interrupted: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
    yield
    config = session.config
    if hasattr(config, "workerinput") or config.option.wmbench_run is None:
        return
    directory = Path(config.option.wmbench_run)
    if not any(directory.glob("*/scenario.json")):
        return
    run = rundir.gather(
        directory,
        name=config.option.wmbench_name,
        title=config.option.wmbench_title or config.option.wmbench_name,
        command=config.option.wmbench_command or "pytest " + " ".join(config.invocation_params.args),
        started=config.stash[_SESSION].started,
        interrupted=bool(_interrupted),
    )
    from reports import html, junit

    html.write_report(directory)
    junit.write_junit(directory)
    bad = {s["outcome"] for s in run["scenarios"]} - {"passed", "skipped"}
    if bad == {"inconclusive"} and session.testsfailed == sum(s["outcome"] == "inconclusive" for s in run["scenarios"]):
        session.exitstatus = INCONCLUSIVE_EXIT


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    run = config.option.wmbench_run
    if run is not None and (Path(run) / "report.html").exists():
        terminalreporter.write_line(f"report: {Path(run) / 'report.html'}")


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    if config.getoption("--wmbench-lines") and report.when in ("setup", "call", "teardown"):
        if report.passed:
            return ("passed" if report.when == "call" else "", "", "")
        if report.skipped:
            return ("skipped", "", "")
        return ("failed", "", "")
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None and call.excinfo.errisinstance((Failed, Inconclusive)):
        report.longrepr = str(call.excinfo.value)  # the message is meant for people; a traceback adds nothing
    return report
