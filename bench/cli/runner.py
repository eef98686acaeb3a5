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
from bench.exit_codes import INTERRUPTED_EXIT, USAGE_EXIT
from bench.options import Options, changed
from bench.rig.scenario import load_world
from bench.run_directory import ROOT
from bench.run_errors import CannotRun, complain
from sim.core import own
from sim.core.parts import UnknownPart
from sim.core.settings import SpecError

if TYPE_CHECKING:
    import pytest

    from bench.rig.controller import Controller
    from sim.endpoint.endpoint_spec import EndpointSpec
    from sim.world_spec import WorldSpec

DEFAULT = "card"


@dataclass(frozen=True, slots=True)
class Choice:
    """What one command runs. `command` reproduces it. `workers`: scenarios side by side; None: one a core."""

    entries: Sequence[dict[str, Any]]
    name: str
    title: str
    command: str
    options: Options
    seeds: tuple[int, ...] = ()  # none: the scenarios' own
    workers: int | None = None
    pytest_words: tuple[str, ...] = ()  # pytest's own options, as -k and what fits


@dataclass(frozen=True, slots=True)
class Ran:
    """`directory` is None when the run came to nothing: no scenario was begun."""

    code: int
    directory: Path | None


def select(words: Sequence[str]) -> list[dict[str, Any]]:
    """The catalogue's entries for what a person means: a folder, a file, an id, part of an id, or "all". No word: the
    scenarios of the user's own repository, or else the card's. Raises NotFound, SpecError."""
    from bench.cli.catalogue import scenario_entries

    chosen: dict[str, dict[str, Any]] = {}
    if not words and (beside := own.folder(own.SCENARIOS)) is not None:
        chosen = {entry["id"]: entry for entry in scenario_entries(beside)}
    for word in words or ([] if chosen else [DEFAULT]):
        chosen.update({entry["id"]: entry for entry in _meant(word)})
    return list(chosen.values())


def _meant(word: str) -> list[dict[str, Any]]:
    """Where a scenario has parameters, `[...]` behind its id names one set of them, and the entry is of those alone."""
    from bench.cli.catalogue import NotFound, entries

    known = entries("scenarios")
    if word == "all":
        return known
    file, _, function = word.partition("::")
    function, bracket, parameters = function.partition("[")
    named = [{**e, "id": e["id"] + bracket + parameters} for e in _on_disk(file) if function in ("", _function(e))]
    stem = file.removeprefix("./").removeprefix("scenarios/").rstrip("/")
    whole = f"{stem}::{function}" if function else stem
    exact = [{**e, "id": e["id"] + bracket + parameters} for e in known
             if e["id"] == whole or e["id"].startswith((whole + "/", whole + "::"))]  # fmt: skip
    if named or exact:
        return named or exact
    if file and Path(file).exists():
        raise NotFound(f"{file} holds no scenario{' ' + function if function else ''}: a function marked @scenario")
    found = [e for e in known if stem and whole in e["id"]]
    if not found:
        raise NotFound(f"there is no scenario {word!r}; ./wmbench list scenarios shows all {len(known)}")
    return found


def _on_disk(file: str) -> list[dict[str, Any]]:
    """The scenarios of a path, from here or from the user's own repository; none where there is no such path."""
    from bench.cli.catalogue import scenario_entries

    repository = own.root()
    for place in (Path(file), *([repository / file] if repository is not None else [])):
        try:
            there = bool(file) and (place.is_dir() or (place.suffix == ".py" and place.is_file()))
        except (OSError, ValueError):  # too long for a name, or with a zero byte in it
            return []
        if there:
            return scenario_entries(place)
    return []


def _function(entry: dict[str, Any]) -> str:
    return str(entry["id"]).partition("::")[2]


def check(choice: Choice) -> None:
    """All that can be known to be wrong before anything starts; of several scenarios one that cannot be run is left to
    the run, which says so of it and runs the others. Raises SpecError, UnknownPart, CannotRun."""
    if not choice.entries:
        raise CannotRun("no scenario was given")
    endpoints: dict[str, EndpointSpec] = {}
    wrong: list[SpecError | UnknownPart] = []
    for entry in choice.entries:
        if not entry["world"]:  # worked out when the file is imported: known in the run itself
            continue
        try:
            spec = _spec_of(entry, choice)
        except (SpecError, UnknownPart) as error:
            wrong.append(error)
        else:
            endpoints.setdefault(spec.endpoint.kind, spec.endpoint)
    if len(wrong) == len(choice.entries):
        raise wrong[0]
    for endpoint in sorted(endpoints):
        _ready(endpoint, endpoints[endpoint])


def _spec_of(entry: dict[str, Any], choice: Choice) -> WorldSpec:
    at = f"{str(entry['id']).partition('::')[0]}, line {entry['line']}"
    spec = load_world(entry["world"], beside=Path(entry["file"]).parent, at=at)
    for key, value in entry["settings"].items():
        spec = spec.with_setting(key, value)
    return changed(spec, choice.options)


def _ready(endpoint: str, spec: EndpointSpec) -> None:
    """Say at once, not after minutes, that this machine lacks what the endpoint needs. Raises CannotRun; OutOfReach
    for an endpoint elsewhere."""
    from sim.endpoint.port import OutOfReach
    from sim.endpoint.registry import ENDPOINTS

    kind = ENDPOINTS.find(endpoint)
    if kind.missing is not None:
        if missing := kind.missing(spec):
            raise OutOfReach(missing)
        return
    ready = kind.readiness()
    if not ready.ok:
        others = [f"--endpoint {one.id} (without {', '.join(sorted(kind.features - one.features))})"
                  for one in ENDPOINTS.parts().values() if one.id != endpoint and one.readiness().ok]  # fmt: skip
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
            complain(f"no chosen scenario fits {shlex.join(choice.pytest_words)}")
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
        *["-p", "bench.rig.plugin", "-p", "no:benchmark", "--wmbench-lines", "--capture=no"],
        *["--wmbench-run", str(directory), "--wmbench-name", choice.name],
        *["--wmbench-title", choice.title, "--wmbench-command", choice.command],
        *_settings_of(choice),
    ]
    for seed in choice.seeds:
        arguments += ["--seed", str(seed)]
    arguments += choice.options.words()
    workers = choice.workers or min(len(os.sched_getaffinity(0)), len(choice.entries) * max(1, len(choice.seeds)))
    if workers > 1:
        arguments += ["-n", str(workers), "--dist", "load", "--maxschedchunk", "1"]
    only = [word for entry in choice.entries if "[" in entry["id"] for word in ("--wmbench-only", entry["id"])]
    nodes = [f"{entry['file']}::{_function(entry).partition('[')[0]}" for entry in choice.entries]
    return [*arguments, *choice.pytest_words, *only, *nodes]


def _settings_of(choice: Choice) -> list[str]:
    """Whose settings of pytest hold: the user's, where all scenarios are of a repository of their own."""
    repository = own.root()
    if repository is not None and all(Path(e["file"]).is_relative_to(repository) for e in choice.entries):
        return ["--rootdir", str(repository)]
    kept = run_directory.place() / ".pytest_cache"  # for --lf
    return ["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), "-o", f"cache_dir={kept}"]


def command_line(argv: Sequence[str] | None = None) -> str:
    """This command as a shell would need it, for `run.json`; `argv` instead of the process's own."""
    return shlex.join(["./wmbench", *(sys.argv[1:] if argv is None else argv)])


def shown(directory: Path) -> str:
    """A path as a person would write it from here."""
    try:
        return os.path.relpath(directory)
    except (OSError, ValueError):  # the folder we stand in is gone
        return str(directory)
