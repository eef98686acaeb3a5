"""How pytest finds and runs scenarios: the fixture `world`, one item a seed, and the run directory at the end.

What happens inside one scenario is in bout, what comes of a session in controller; here is only what pytest wants to
know. Loaded with `-p bench.rig.plugin`, by ./wmbench run as by tox.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import xml_key

from bench import firmware
from bench.options import ENDPOINT_HELP, ENGINE_HELP, ENGINES, Options, endpoint, seed
from bench.progress import ENDED, Beat, Progress
from bench.rig import order
from bench.rig.controller import BROKEN, CONTROLLER, Controller
from bench.rig.scenario import Mark
from bench.rig.scenario_run import Bout, scenario_id
from bench.run_errors import CannotRun, Failed, Inconclusive, disk_is_full
from bench.scenario_files import shown
from sim.core import own
from sim.core.broken_files import at_line, place_of, words_of
from sim.core.parent import die_with_parent
from sim.core.settings import SpecError

FOR_PEOPLE = (Failed, Inconclusive, CannotRun)  # their message says all; a traceback adds nothing

_PROGRESS: pytest.StashKey[Progress | Beat] = pytest.StashKey()
_ORDER: pytest.StashKey[int] = pytest.StashKey()


# --- options and items -----------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wmbench")
    group.addoption("--wmbench-run", default=None, help="run directory (made when not given)")
    group.addoption("--wmbench-name", default="pytest", help="name of the run under runs/")
    group.addoption("--wmbench-title", default="", help="title of the run")
    group.addoption("--wmbench-command", default="", help="the command that reproduces the run")
    group.addoption(
        "--seed", dest="wmbench_seed", action="append", type=seed, default=[], metavar="N",
        help="run every scenario with this seed instead of its own; may be given again",
    )  # fmt: skip
    group.addoption("--firmware", default=None, metavar="VERSION", help="of what is under test, for junit.xml")
    group.addoption("--wmbench-only", action="append", default=[], metavar="ID", help="scenarios with parameters")
    group.addoption("--endpoint", dest="wmbench_endpoint", type=endpoint, default=None, help=ENDPOINT_HELP)
    group.addoption("--set", dest="wmbench_set", action="append", default=[], help="KEY=VALUE: change a world setting")
    group.addoption("--engine", dest="wmbench_engine", choices=ENGINES, default=None, help=ENGINE_HELP)
    group.addoption("--wmbench-lines", action="store_true", help="own progress lines instead of pytest's dots")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "scenario: a wmbench scenario")
    worker = getattr(config, "workerinput", None)
    lines = bool(config.getoption("--wmbench-lines"))
    beat = worker["wmbench_beat"] if worker is not None else ""
    progress = Progress(enabled=lines, bars=worker is None)
    config.stash[_PROGRESS] = Beat(Path(beat)) if beat else progress
    if lines:  # one voice is enough
        config.pluginmanager.unregister(name="terminalreporter")
    if worker is not None:
        die_with_parent(worker["wmbench_controller"])
        return
    try:
        config.stash[CONTROLLER] = Controller(config, progress, firmware.version(config.option.firmware))
    except SpecError as error:
        raise pytest.UsageError(str(error)) from None
    suite = config.stash.get(xml_key, None)
    if suite is not None and config.stash[CONTROLLER].firmware:
        suite.add_global_property("firmware", config.stash[CONTROLLER].firmware)
    config.pluginmanager.register(config.stash[CONTROLLER], "wmbench-controller")


@pytest.fixture
def world(request: pytest.FixtureRequest) -> object:
    """The stage a scenario sets. The rig calls a scenario once for each run and hands it the stage itself; pytest only
    carries the seed."""
    if not hasattr(request, "param"):
        raise pytest.UsageError("the fixture 'world' belongs to functions marked with @scenario(world=...)")
    return request.param


def _mark(function: Callable[..., object]) -> Mark | None:
    mark: Mark | None = getattr(function, "__wmbench__", None)
    return mark


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = _mark(metafunc.function)
    if mark is None:
        return
    if "world" not in metafunc.fixturenames:
        where = f"{metafunc.definition.nodeid}"
        raise pytest.Collector.CollectError(f"{where}: a scenario takes one argument, named world")
    seeds = tuple(dict.fromkeys(metafunc.config.getoption("wmbench_seed"))) or mark.seeds
    metafunc.parametrize("world", seeds, indirect=True, ids=[f"seed={s}" for s in seeds])


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    _leave_out(session.config, items)
    for number, item in enumerate(items):
        if isinstance(item, pytest.Function) and _mark(item.function) is not None:
            item.add_marker(pytest.mark.scenario)
            item.stash[_ORDER] = number
    if hasattr(session.config, "workerinput") and all(_ORDER in item.stash for item in items):
        items[:] = order.dealt(_longest_first(items), session.config.workerinput["workercount"])
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    if any(_ORDER in item.stash for item in items):
        session.config.stash[CONTROLLER].directory()
        _compile_own(session.config)


def _compile_own(config: pytest.Config) -> None:
    """Here, once, and not by each worker in its first window; pytest would keep the line that says so to itself. What
    cannot be compiled is said by the scenarios, which then fail."""
    if own.folder("checks") is None:
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    with contextlib.suppress(Exception), capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
        from sim.city import warm_up  # the portal, and with it the checks

        warm_up.compile_own()


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the functions that --wmbench-only names, the parameters that it does not name."""
    only = set(config.getoption("--wmbench-only"))
    functions = {id_.partition("[")[0] for id_ in only}
    if not only:
        return
    kept: list[pytest.Item] = []
    rest: list[pytest.Item] = []
    for item in items:
        id_ = scenario_id(item) if isinstance(item, pytest.Function) and _mark(item.function) is not None else ""
        (rest if id_.partition("[")[0] in functions and id_ not in only else kept).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=rest)


def _longest_first(items: list[pytest.Item]) -> list[pytest.Item]:
    def longest_s(item: pytest.Item) -> float:
        assert isinstance(item, pytest.Function)
        mark = _mark(item.function)
        assert mark is not None
        return -order.estimated_s(mark, item.function)

    return sorted(items, key=longest_s)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where to write."""
    controller = node.config.stash[CONTROLLER]
    _compile_own(node.config)
    node.workerinput["wmbench_controller"] = os.getpid()
    node.workerinput["wmbench_run"] = str(controller.directory())
    node.workerinput["wmbench_beat"] = controller.watch(node.gateway.id)


def pytest_exception_interact(node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any], report: Any) -> None:
    """Say of a file that cannot be imported which one it is that must be mended; a worker's report takes it along."""
    if isinstance(node, pytest.Collector) and call.excinfo is not None:
        error: BaseException = call.excinfo.value
        while isinstance(error, pytest.Collector.CollectError) and error.__cause__ is not None:
            error = error.__cause__
        place = place_of(error)
        if place is not None:
            file, line = place
            report.sections.append((BROKEN, f"{at_line(shown(file), line)}: {words_of(error)}"))


# --- running ---------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    mark = _mark(pyfuncitem.function)
    if mark is None:
        return None
    config = pyfuncitem.config
    run = getattr(config, "workerinput", {}).get("wmbench_run") or config.option.wmbench_run
    bout = Bout(
        pyfuncitem,
        mark,
        Path(run) if run else config.stash[CONTROLLER].directory(),
        options=Options(config.option.wmbench_endpoint, tuple(config.option.wmbench_set), config.option.wmbench_engine),
        order=pyfuncitem.stash.get(_ORDER, 0),
        progress=config.stash[_PROGRESS],
    )
    try:
        bout.play()
    except CannotRun as error:
        if disk_is_full(error):
            pyfuncitem.session.shouldstop = "the disk is full"  # nothing that writes can go well from here on
        raise
    finally:
        if isinstance(bout.progress, Beat):
            pyfuncitem.user_properties.append((ENDED, bout.progress.ended))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None and call.excinfo.errisinstance(FOR_PEOPLE):
        report.longrepr = str(call.excinfo.value)
    return report
