"""From a person's words to a run: which scenarios are meant, can they be run at all, and pytest in this process.

What can be known to be wrong is said before anything starts: a world's TOML, an unknown setting or meter type, a
missing broker. Standard output is kept for the result; pytest's own lines go to standard error.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import run_directory
from bench.options import Options, changed
from bench.rig.scenario import SCENARIOS, load_world
from bench.run_errors import CannotRun

if TYPE_CHECKING:
    import pytest

    from bench.rig.controller import Controller

INTERRUPTED_EXIT = 130
USAGE_EXIT = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """What one command runs. `command` reproduces it. `workers`: scenarios side by side; None: one a core."""

    entries: Sequence[dict[str, Any]]
    name: str
    title: str
    command: str
    options: Options
    seed: int | None = None
    expression: str | None = None  # pytest's -k
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """`directory` is None when the run came to nothing: no scenario was begun."""

    code: int
    directory: Path | None


def select(words: Sequence[str]) -> list[dict[str, Any]]:
    """The catalogue's entries for what a person means: an id, a folder, part of an id, "all", or a file of their own.
    Raises NotFound, SpecError."""
    chosen: dict[str, dict[str, Any]] = {}
    for word in words:
        chosen.update({entry["id"]: entry for entry in _meant(word)})
    return list(chosen.values())


def _meant(word: str) -> list[dict[str, Any]]:
    from bench.cli.catalogue import NotFound, entries, scenario_entries

    known = entries("scenarios")
    stem = word.removeprefix("./").removeprefix("scenarios/").rstrip("/")
    if stem == "all":
        return known
    exact = [e for e in known if e["id"] == stem or e["id"].startswith((stem + "/", stem + "::"))]
    if exact:
        return exact
    file, _, function = word.partition("::")
    if file.endswith(".py") and os.path.isfile(file) and not Path(file).resolve().is_relative_to(SCENARIOS):
        own = [e for e in scenario_entries(Path(file)) if function in ("", e["id"].partition("::")[2])]
        if own:
            return own
        raise NotFound(f"{file} holds no scenario{' ' + function if function else ''}: a function marked @scenario")
    found = [e for e in known if stem and stem in e["id"]]
    if not found:
        raise NotFound(f"there is no scenario {word!r}; ./wmbench list scenarios shows all {len(known)}")
    return found


def check(choice: Choice) -> None:
    """Raises SpecError, UnknownPart, CannotRun: all that can be known to be wrong before anything starts."""
    from sim.meters.meter_type import kind

    if not choice.entries:
        raise CannotRun("no scenario was given")
    endpoints = set()
    for entry in choice.entries:
        if not entry["world"]:  # worked out when the file is imported: known in the run itself
            continue
        path = Path(entry["id"].partition("::")[0])
        spec = load_world(entry["world"], beside=path.parent if path.is_absolute() else SCENARIOS)
        for key, value in entry["settings"].items():
            spec = spec.with_setting(key, value)
        spec = changed(spec, choice.options)
        for group in spec.fleet:
            kind(group.type)
        endpoints.add(spec.endpoint.kind)
    for endpoint in sorted(endpoints):
        _ready(endpoint)


def _ready(endpoint: str) -> None:
    """Say at once, not after minutes, that this machine lacks what the endpoint needs."""
    from sim.endpoint.registry import ENDPOINTS

    kind = ENDPOINTS.find(endpoint)
    ready = kind.ready()
    if not ready.ok:
        others = [f"--endpoint {one.id} (without {', '.join(sorted(kind.features - one.features))})"
                  for one in ENDPOINTS.parts().values() if one.id != endpoint and one.ready().ok]  # fmt: skip
        way_out = f" Or take another, and scenarios that need more are left out: {'; '.join(others)}" if others else ""
        raise CannotRun(f"endpoint '{endpoint}' cannot run here: {ready.detail}. {ready.way_out}{way_out}")


def run(choice: Choice) -> Ran:
    """Run it. Raises what `check` does, and RunDirectoryError."""
    import pytest

    check(choice)
    directory = run_directory.make(choice.name)
    kept = _Kept()
    with redirect_stdout(sys.stderr):
        code = int(pytest.main(_arguments(choice, directory), plugins=[kept]))
    controller = kept.controller
    for line in dict.fromkeys(controller.unread if controller else []):
        print(f"wmbench: cannot be imported: {line}", file=sys.stderr)
        code = USAGE_EXIT
    if controller and controller.unwritten:
        print(f"wmbench: the run could not be written: {controller.unwritten}", file=sys.stderr)
    if controller and controller.interrupted:
        code = INTERRUPTED_EXIT
    if not (directory / "run.json").exists():
        run_directory.unmake(directory)
        if code == int(pytest.ExitCode.NO_TESTS_COLLECTED):
            print(f"wmbench: no chosen scenario fits -k {choice.expression!r}", file=sys.stderr)
        return Ran(code, None)
    return Ran(code, directory)


class _Kept:
    """A plugin that keeps hold of the session's controller."""

    controller: Controller | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        from bench.rig.controller import CONTROLLER

        self.controller = session.config.stash.get(CONTROLLER, None)


def _arguments(choice: Choice, directory: Path) -> list[str]:
    arguments = [
        *["-p", "bench.rig.plugin", "-p", "no:cacheprovider", "-p", "no:benchmark"],
        *["--rootdir", str(run_directory.ROOT)],
        *["-c", str(run_directory.ROOT / "pyproject.toml"), "--wmbench-lines"],
        *["--capture=no", "--wmbench-run", str(directory), "--wmbench-name", choice.name],
        *["--wmbench-title", choice.title, "--wmbench-command", choice.command],
    ]
    if choice.seed is not None:
        arguments += ["--seed", str(choice.seed)]
    if choice.expression:
        arguments += ["-k", choice.expression]
    arguments += choice.options.words()
    workers = choice.workers or min(len(os.sched_getaffinity(0)), len(choice.entries))
    if workers > 1:
        arguments += ["-n", str(workers), "--dist", "load", "--maxschedchunk", "1"]
    return [*arguments, *(str(SCENARIOS / entry["id"]) for entry in choice.entries)]


def command_line(argv: Sequence[str] | None = None) -> str:
    """This command as a shell would need it, for `run.json`; `argv` instead of the process's own."""
    return shlex.join(["./wmbench", *(sys.argv[1:] if argv is None else argv)])


def shown(directory: Path) -> str:
    """A path as a person would write it from here."""
    try:
        return os.path.relpath(directory)
    except (OSError, ValueError):  # the folder we stand in is gone
        return str(directory)
