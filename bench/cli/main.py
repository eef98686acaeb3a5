"""The command line. Exit codes are pytest's 0 to 5, and 6 when nothing failed but something is inconclusive; 2 for a
command that cannot be carried out, 130 for one that was interrupted. Errors are one line for people, without a stack
trace (WMBENCH_TRACE=1 shows it).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from bench import broken_pipe, run_directory, signals
from bench.cli import tasks
from bench.cli.catalogue import KINDS, entries, show
from bench.exit_codes import INCONCLUSIVE_EXIT, INTERRUPTED_EXIT, USAGE_EXIT
from bench.options import (
    ENDPOINT_HELP,
    ENGINE_HELP,
    ENGINES,
    SYSTEM_HELP,
    Commands,
    Options,
    add_runs,
    endpoint,
    seed,
    system,
    with_system,
    workers,
)
from sim.core import own
from sim.core.quoting import hidden, shown
from sim.core.settings import SpecError

PYTEST_OPTIONS: Final[dict[tuple[str, ...], dict[str, Any]]] = {
    ("-k",): {"metavar": "EXPRESSION", "help": "only scenarios whose name fits"},
    ("-m",): {"metavar": "EXPRESSION", "help": "only scenarios whose markers fit"},
    ("-x", "--exitfirst"): {"action": "store_true", "help": "stop at the first that fails"},
    ("--lf", "--last-failed"): {"action": "store_true", "help": "only those that failed the last time"},
    ("--junitxml",): {"metavar": "FILE", "type": Path, "help": "pytest's own, beside junit.xml of the run directory"},
}
"""Those of pytest's that `run` passes on as they are."""
RUNS_READ = 60  # by `threats`, newest first: a verdict older than that many runs is no verdict any more


def main(argv: list[str]) -> int:
    """Carry out one command; returns the exit code."""
    broken_pipe.lay()
    signals.listen()
    try:
        code = _carry_out(argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print(f"wmbench: interrupted; what was finished is kept under {shown(str(run_directory.place()))}/",
              file=sys.stderr)  # fmt: skip
        return INTERRUPTED_EXIT
    except Exception as error:
        if os.environ.get("WMBENCH_TRACE"):
            raise
        return _explain(error)


def _carry_out(argv: list[str]) -> int:
    if argv and argv[0] == "test":  # tox's own options pass through
        from bench.cli import own_tests

        return own_tests.command(argv[1:])
    if argv and argv[0] == "pytest":  # and so do pytest's
        return command_pytest(argv[1:])
    _open_repository(argv)
    arguments = make_parser(next((word for word in argv if word[:1] != "-"), "")).parse_args(argv)
    if getattr(arguments, "runs", None) is not None:
        os.environ[run_directory.PLACE] = str(arguments.runs.absolute())  # workers are to find it too
    return int(arguments.command(arguments))


def _open_repository(argv: list[str]) -> None:
    """The user's own, where the command stands in one or names a path in one. It is opened before anything asks for
    parts. Raises SpecError."""
    named = [Path(word.partition("::")[0]) for word in argv[1:] if argv[0] == "run" and word[:1] not in ("", "-")]
    for place in (Path(), *named):
        try:
            repository = own.find(place) if place.exists() else None
        except (OSError, ValueError):  # no path: too long, or with a zero byte in it
            continue
        if repository is not None:
            own.open_repository(repository)
    if own.root() is not None:
        own.spec()


def _one_seed(seeds: list[int]) -> int:
    if len(seeds) > 1:
        raise SpecError("--play takes one --seed: a recording is put on the air once")
    return seeds[0] if seeds else 1


def _explain(error: Exception) -> int:
    from bench.run_errors import complain, explained, of_kind
    from sim.core.part_errors import in_own_part, told
    from sim.endpoint.port import SaysNothing

    text = explained(error)
    if text is None:
        where = "" if in_own_part(error) else "this is a fault of wmbench; "
        text = f"{told(error)} ({where}WMBENCH_TRACE=1 shows where)"
    unproven = of_kind(error, SaysNothing)
    complain(f"INCONCLUSIVE: {text}" if unproven else text)
    broken_pipe.drop_stdout_if_full()
    return INCONCLUSIVE_EXIT if unproven else USAGE_EXIT


class _Parser(argparse.ArgumentParser):
    """Its errors repeat words of the command line, among which a key or a terminal's control sequence may be."""

    def error(self, message: str) -> NoReturn:
        super().error(hidden(message))


class _ByTask(_Parser):
    """The command line's own parser; those of its verbs have argparse's help."""

    def format_help(self) -> str:
        return tasks.text(self)


def make_parser(verb: str | None = None) -> argparse.ArgumentParser:
    """The parser of all verbs; where one is named, the others are there by their names alone."""
    parser: argparse.ArgumentParser = _ByTask(
        prog="./wmbench", description="Simulation and test bench for remote metering over wireless M-Bus."
    )
    parser.add_argument("--version", action="version", version=f"wmbench {run_directory.VERSION}")
    commands: Commands = parser.add_subparsers(
        dest="name", required=True, metavar="COMMAND", parser_class=cast("type[argparse.ArgumentParser]", _Parser)
    )

    run = commands.add_parser("run")
    run.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="id, folder or part of an id; see list")
    run.add_argument("--seed", type=seed, action="append", default=[], help="instead of their own; may be given again")
    for words, options in PYTEST_OPTIONS.items():
        run.add_argument(*words, dest=words[-1].lstrip("-"), **options)
    run.add_argument("--firmware", metavar="VERSION", help="of what is under test, for run.json and junit.xml")
    run.add_argument("--endpoint", type=endpoint, metavar="KIND", help=ENDPOINT_HELP)
    run.add_argument("--system", type=system, metavar="KIND", help=SYSTEM_HELP)
    run.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a world setting")
    run.add_argument("--engine", choices=ENGINES, help=ENGINE_HELP)
    run.add_argument("--play", metavar="FILE", type=Path, help="put a recorded log on the air (time, RSSI, hex)")
    run.add_argument("--keys", metavar="FILE", type=Path, help="with --play: meter keys, lines of ID,KEY")
    run.add_argument("-n", "--workers", type=workers, metavar="N", help="scenarios side by side (default: one a core)")
    run.add_argument("--json", action="store_true", help="print run.json when done")
    run.add_argument("-v", "--verbose", action="store_true", help="a line for each verdict, below the matrix")
    add_runs(run)
    run.set_defaults(command=command_run)

    list_ = commands.add_parser("list")
    list_.add_argument("kind", nargs="?", default=None, choices=KINDS)
    list_.add_argument("--json", action="store_true")
    list_.set_defaults(command=command_list)

    one = commands.add_parser("show")
    one.add_argument("id")
    one.add_argument("--json", action="store_true")
    one.set_defaults(command=command_show)

    threats = commands.add_parser("threats")
    threats.add_argument("--json", action="store_true")
    threats.add_argument("--claims", action="store_true", help="what the talk claims: held, refuted, or not measured")
    add_runs(threats)
    threats.set_defaults(command=command_threats)

    report = commands.add_parser("report")
    report.add_argument("run", nargs="?", default="latest")
    report.add_argument("--against", metavar="RUN", help="an older check or card of a gateway, put beside this one")
    add_runs(report)
    report.set_defaults(command=command_report)

    pack = commands.add_parser("pack")
    pack.add_argument("run", nargs="?", default="latest")
    pack.add_argument("--out", metavar="FILE", type=Path, help="where to (default: beside the run's directory)")
    pack.add_argument("--sign", metavar="KEY", type=Path, help="put a signature beside it: an Ed25519 private key, PEM")
    pack.add_argument("--json", action="store_true")
    add_runs(pack)
    pack.set_defaults(command=command_pack)

    replay = commands.add_parser("replay")
    replay.add_argument("run", nargs="?", default="latest")
    replay.add_argument("--engine", choices=ENGINES, help="instead of the run's own; the histories must be the same")
    replay.add_argument("--json", action="store_true")
    add_runs(replay)
    replay.set_defaults(command=command_replay)

    doctor = commands.add_parser("doctor")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(command=command_doctor)

    commands.add_parser("test")
    commands.add_parser("pytest")
    setup = commands.add_parser("setup")
    setup.set_defaults(command=command_setup)
    for name, (_, module) in tasks.VERBS.items():
        if module and verb in (name, None):
            importlib.import_module(module).add(commands)
        elif module:
            commands.add_parser(name)
    return parser


# --- run -------------------------------------------------------------------------------------------------------


def command_run(arguments: argparse.Namespace) -> int:
    if arguments.play is not None:
        from bench.cli.play import play

        return play(
            arguments.play,
            keys=arguments.keys,
            endpoint=arguments.endpoint or "memory",
            seed=_one_seed(arguments.seed),
            engine=arguments.engine,
            as_json=arguments.json,
        )
    from bench.cli import runner

    named = arguments.scenarios
    at_home = f"Scenarios of {repository.name}" if (repository := own.root()) else "The five attacks of the card"
    choice = runner.Choice(
        entries=runner.select(named),
        name=_called(named[0]) if len(named) == 1 else ("selection" if named else _called(".")),
        title=f"Scenarios: {' '.join(named)}" if named else at_home,
        command=runner.command_line(),
        options=Options(arguments.endpoint, with_system(arguments.system, arguments.set), arguments.engine),
        seeds=tuple(dict.fromkeys(arguments.seed)),
        workers=arguments.workers,
        pytest_words=tuple(_pytest_words(arguments)),
    )
    ran = runner.run(choice)
    if ran.directory is None:
        return ran.code
    if arguments.json:
        print(json.dumps(run_directory.read(ran.directory)))
    else:
        from reports import console
        from reports.run_model import read_run

        console.print_run(read_run(ran.directory), verbose=arguments.verbose)
        print(f"report: {runner.shown(ran.directory / 'report.html')}")
    return ran.code


def _called(word: str) -> str:
    """The name of a run of one word: a folder by its name, however it was typed; "." without a repository: the card."""
    place = Path(word)
    if word == "." and (repository := own.root()) is not None:
        return repository.name
    return place.resolve().name or "run" if place.is_dir() and word != "." else ("card" if word == "." else word)


def _pytest_words(arguments: argparse.Namespace) -> Iterator[str]:
    """What of PYTEST_OPTIONS was given, as pytest is told it."""
    for words in PYTEST_OPTIONS:
        value = getattr(arguments, words[-1].lstrip("-"))
        if value is True:
            yield words[-1]
        elif value:
            yield from (words[-1], str(value))
    if arguments.firmware:
        yield from ("--firmware", arguments.firmware)


# --- looking ---------------------------------------------------------------------------------------------------


def command_list(arguments: argparse.Namespace) -> int:
    kinds = [arguments.kind] if arguments.kind else list(KINDS)
    found = {kind: entries(kind) for kind in kinds}
    if arguments.json:
        print(json.dumps(found[arguments.kind] if arguments.kind else found, indent=1))
        return 0
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 160)
    for kind, rows in found.items():
        table = Table(title=kind, title_justify="left", box=None, show_header=True, header_style="bold")
        table.add_column("id", no_wrap=True)
        table.add_column("what")
        for row in rows:
            table.add_row(row["id"], row["title"] + (f"  [{', '.join(row['threats'])}]" if row.get("threats") else ""))
        console.print(table)
    return 0


def command_show(arguments: argparse.Namespace) -> int:
    entry = show(arguments.id)
    if arguments.json:
        print(json.dumps(entry, indent=1))
        return 0
    for key, value in entry.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        if isinstance(text, dict):
            text = ", ".join(f"{k} = {v!r}" for k, v in text.items())
        print(f"{key:<12} {text}")
    return 0


def command_threats(arguments: argparse.Namespace) -> int:
    from bench.run_errors import complain
    from reports import claims, coverage, run_model

    declared = {entry["id"]: entry["threats"] for entry in entries("scenarios")}
    runs, unseen = [], set(declared)
    for directory in run_directory.newest_first():
        try:
            run = run_directory.read(directory)
        except run_directory.RunDirectoryError as error:
            complain(f"left out: {error}")
            continue
        runs.append(run)
        unseen -= {s["id"] for s in run["scenarios"] if s.get("claims") and not s.get("what_if")}
        if not unseen or len(runs) >= RUNS_READ:
            break
    endpoints = {one for run in runs for one in run_model.from_json(run).endpoints}
    for caveat in run_model.caveats(endpoints):
        print(f"note: {caveat}", file=sys.stderr if arguments.json else sys.stdout)
    if arguments.claims:
        told = claims.judge(claims.newest(runs, declared))
        if arguments.json:
            print(json.dumps([one.as_json() for one in told], indent=1))
        else:
            claims.print_claims(told)
        return 0
    matrix = coverage.threat_matrix(runs, declared=declared)
    if arguments.json:
        print(json.dumps([row.as_json() for row in matrix], indent=1))
    else:
        coverage.print_matrix(matrix)
    return 0


def command_report(arguments: argparse.Namespace) -> int:
    from reports import card_page, check_page, city_page, compare_page, documents, sweep_page

    directory = run_directory.find(arguments.run)
    if arguments.against is not None:
        return _report_against(directory, run_directory.find(arguments.against))
    if (directory / card_page.FILE).exists():
        print(card_page.write(directory))
        return 0
    if (directory / compare_page.FILE).exists():
        print(compare_page.write(directory))
        return 0
    if not (directory / "run.json").exists():
        run_directory.gather_killed(directory)
    pages = {"city": city_page.write, "sweep": sweep_page.write, "check": check_page.write}
    print(pages.get(run_directory.read(directory).get("kind", ""), documents.write_all)(directory))
    return 0


def _report_against(directory: Path, before: Path) -> int:
    """Two checks, or two cards, side by side; 1 where the newer one has a new failure."""
    from reports import card_page, check_page, check_text

    if (directory / card_page.FILE).exists():
        page = card_page.write(directory, before)
        cards = card_page.read(before), card_page.read(directory)
        said, found = card_page.against_lines(*cards), card_page.pairs(*cards)
    else:
        page = check_page.write(directory, before)
        checks = run_directory.read(before), run_directory.read(directory)
        said, found = check_text.against_lines(*checks), check_text.pairs(*checks)
    print("\n".join(said))
    print(page)
    return 1 if any(pair.change == "new failure" for pair in found) else 0


def command_pack(arguments: argparse.Namespace) -> int:
    from bench.cli import pack

    return pack.command(arguments.run, arguments.out, arguments.sign, as_json=arguments.json)


# --- doing again -----------------------------------------------------------------------------------------------


def command_replay(arguments: argparse.Namespace) -> int:
    from bench.cli.rerun import replay

    return replay(arguments.run, as_json=arguments.json, engine=arguments.engine)


def command_doctor(arguments: argparse.Namespace) -> int:
    from bench.cli import doctor

    return doctor.main(as_json=arguments.json)


def command_pytest(words: list[str]) -> int:
    """pytest as it stands, with the bench's packages and its plugin; in a repository with a conftest of `init` the same
    as plain pytest there."""
    _open_repository([])
    around = {**os.environ, "PYTHONPATH": str(run_directory.ROOT)}
    return subprocess.call([sys.executable, "-P", "-m", "pytest", "-p", "bench.rig.plugin", *words], env=around)


def command_setup(arguments: argparse.Namespace) -> int:
    """The launcher does it before there is a Python that could run this."""
    raise SpecError("set-up is the launcher's: ./wmbench setup")
