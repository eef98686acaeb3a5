"""The command line. Exit codes are pytest's 0 to 5, and 6 when nothing failed but something is inconclusive; 2 for a
command that cannot be carried out. Errors are one line for people, without a stack trace (WMBENCH_TRACE=1 shows it).
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

USAGE_EXIT = 2
INTERRUPTED_EXIT = 130
DEFAULT = "card"


def main(argv: list[str]) -> int:
    """Carry out one command; returns the exit code."""
    parser = make_parser()
    if argv and argv[0] == "test":  # tox's own options pass through
        return command_test(argv[1:])
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return int(arguments.command(arguments))
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept under runs/", file=sys.stderr)
        return INTERRUPTED_EXIT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("WMBENCH_TRACE"):
            raise
        return _explain(error)


def _terminate(_signal: int, _frame: Any) -> NoReturn:
    """SIGTERM ends a run as Ctrl-C does: worlds are closed, children stopped, run.json written."""
    raise KeyboardInterrupt


def _explain(error: Exception) -> int:
    text = str(error) or type(error).__name__
    if type(error).__module__ == "builtins" and not isinstance(error, OSError):
        text = f"{type(error).__name__}: {text} (this is a fault of wmbench; WMBENCH_TRACE=1 shows where)"
    print(f"wmbench: {text}", file=sys.stderr)
    return USAGE_EXIT


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./wmbench", description="Simulation and test bench for remote metering over wireless M-Bus."
    )
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run scenarios (default: the five attacks of the card, a thousand meters)")
    run.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="id, folder or part of an id; see list")
    run.add_argument("--seed", type=_seed, help="run with this seed")
    run.add_argument("-k", metavar="EXPRESSION", help="only scenarios whose name fits (as in pytest)")
    run.add_argument("--endpoint", choices=["memory", "mosquitto"], help="instead of the world's own")
    run.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a world setting")
    run.add_argument("--play", metavar="FILE", type=Path, help="put a recorded log on the air (time, RSSI, hex)")
    run.add_argument("--keys", metavar="FILE", type=Path, help="with --play: meter keys, lines of ID,KEY")
    run.add_argument("-n", "--workers", type=int, metavar="N", help="scenarios side by side")
    run.add_argument("--json", action="store_true", help="print run.json when done")
    run.set_defaults(command=command_run)

    list_ = commands.add_parser("list", help="what there is")
    list_.add_argument(
        "kind", nargs="?", default=None, choices=["scenarios", "attacks", "meters", "gateways", "endpoints"]
    )
    list_.add_argument("--json", action="store_true")
    list_.set_defaults(command=command_list)

    show = commands.add_parser("show", help="one entry in full")
    show.add_argument("id")
    show.add_argument("--json", action="store_true")
    show.set_defaults(command=command_show)

    threats = commands.add_parser("threats", help="which threats are covered, with the last verdicts")
    threats.add_argument("--json", action="store_true")
    threats.set_defaults(command=command_threats)

    report = commands.add_parser("report", help="make report.html of a run again")
    report.add_argument("run", nargs="?", default="latest")
    report.set_defaults(command=command_report)

    replay = commands.add_parser("replay", help="run again with the same seeds and compare the histories")
    replay.add_argument("run", nargs="?", default="latest")
    replay.add_argument("--json", action="store_true")
    replay.set_defaults(command=command_replay)

    doctor = commands.add_parser("doctor", help="is this machine ready")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(command=command_doctor)

    commands.add_parser("test", help="the project's own tests (tox); its options pass through")
    return parser


def _seed(text: str) -> int:
    try:
        seed = int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not 0 <= seed < 2**64:
        raise argparse.ArgumentTypeError(f"{seed} is not between 0 and 2**64 - 1")
    return seed


# --- run -------------------------------------------------------------------------------------------------------


def command_run(arguments: argparse.Namespace) -> int:
    if arguments.play is not None:
        from bench.play import play

        return play(
            arguments.play,
            keys=arguments.keys,
            endpoint=arguments.endpoint or "memory",
            seed=arguments.seed if arguments.seed is not None else 1,
            as_json=arguments.json,
        )
    from bench.scenario import SCENARIOS

    words = arguments.scenarios or [DEFAULT]
    paths = [path for word in words for path in select(word, SCENARIOS)]
    name = (
        arguments.scenarios[0] if len(arguments.scenarios) == 1 else ("selection" if arguments.scenarios else DEFAULT)
    )
    title = "The five attacks of the card" if not arguments.scenarios else f"Scenarios: {' '.join(arguments.scenarios)}"
    _endpoint_ready(arguments.endpoint)
    return run_pytest(arguments, paths, name=name, title=title)


def _endpoint_ready(endpoint: str | None) -> None:
    """Say at once, not after minutes, that there is no broker."""
    if endpoint == "memory":
        return
    from sim.endpoint.mosquitto_program import NotFound, find_mosquitto

    found = find_mosquitto()
    if isinstance(found, NotFound):
        raise RuntimeWarning(
            f"no Mosquitto: {found.reason}. {found.way_out} Or leave it out: ./wmbench run --endpoint memory "
            "(no TLS, no sockets: the man in the middle and the killed broker are then left out)"
        )


def select(word: str, scenarios: Path) -> list[str]:
    """pytest's node ids for what a person means by a word. Raises NotFound."""
    from bench.catalogue import NotFound, entries

    known = [entry["id"] for entry in entries("scenarios")]
    stem = word.removeprefix("scenarios/").rstrip("/")
    chosen = [id_ for id_ in known if id_ == stem or id_.startswith((stem + "/", stem + "::"))]
    chosen = chosen or [id_ for id_ in known if stem in id_]
    if stem == "all":
        chosen = known
    if not chosen:
        raise NotFound(f"there is no scenario {word!r}; ./wmbench list scenarios shows all {len(known)}")
    return [str(scenarios / id_) for id_ in chosen]


def run_pytest(arguments: argparse.Namespace, paths: list[str], *, name: str, title: str) -> int:
    """Run scenarios under pytest in this process; summary to standard output (or run.json with --json)."""
    import pytest

    from bench import rundir
    from reports import console

    directory = rundir.make(name)
    options = [
        *["-p", "bench.plugin", "-p", "no:cacheprovider", "-p", "no:benchmark", "--rootdir", str(rundir.ROOT)],
        *["-c", str(rundir.ROOT / "pyproject.toml"), "--wmbench-lines", "-q", "--no-header", "--no-summary"],
        *["--capture=no", "--wmbench-run", str(directory), "--wmbench-name", name, "--wmbench-title", title],
        *["--wmbench-command", shlex.join(["./wmbench", *sys.argv[1:]])],
    ]
    if arguments.seed is not None:
        options += ["--seed", str(arguments.seed)]
    if arguments.k:
        options += ["-k", arguments.k]
    if arguments.endpoint:
        options += ["--endpoint", arguments.endpoint]
    for setting in arguments.set:
        options += ["--set", setting]
    if arguments.workers and arguments.workers > 1:
        options += ["-n", str(arguments.workers)]
    from contextlib import redirect_stdout

    with redirect_stdout(sys.stderr):  # pytest's own lines; standard output is for the result
        code = int(pytest.main([*options, *paths]))
    if not (directory / "run.json").exists():
        return code
    run = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    if arguments.json:
        print(json.dumps(run))
    else:
        console.print_summary(directory)
        print(f"report: {os.path.relpath(directory / 'report.html')}")
    return INTERRUPTED_EXIT if run["outcome"] == "interrupted" else code


# --- looking ---------------------------------------------------------------------------------------------------


def command_list(arguments: argparse.Namespace) -> int:
    from bench.catalogue import KINDS, entries

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
    from bench.catalogue import show

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
    from bench import rundir
    from bench.catalogue import entries
    from reports import coverage

    runs = sorted((rundir.ROOT / "runs").glob("*/latest/run.json"))
    declared = {entry["id"]: entry["threats"] for entry in entries("scenarios")}
    matrix = coverage.threat_matrix([json.loads(p.read_text(encoding="utf-8")) for p in runs], declared=declared)
    if arguments.json:
        print(json.dumps([row.as_json() for row in matrix], indent=1))
    else:
        coverage.print_matrix(matrix)
    return 0


def command_report(arguments: argparse.Namespace) -> int:
    from bench import rundir
    from reports import html

    print(html.write_report(rundir.find(arguments.run)))
    return 0


# --- doing again -----------------------------------------------------------------------------------------------


def command_replay(arguments: argparse.Namespace) -> int:
    from bench.replay import replay

    return replay(arguments.run, as_json=arguments.json)


def command_doctor(arguments: argparse.Namespace) -> int:
    from bench import doctor

    return doctor.main(as_json=arguments.json)


def command_test(words: list[str]) -> int:
    """tox, with `unit`, `scenarios`, `lint`, `perf` as short forms of `-e NAME`."""
    from bench.rundir import ROOT

    environments = ["unit", "scenarios", "lint", "perf"]
    named = [word for word in words if word in environments]
    rest = [word for word in words if word not in environments]
    options = ["-e", ",".join(named)] if named else []
    return subprocess.call([sys.executable, "-m", "tox", "-c", str(ROOT / "tox.ini"), *options, *rest], cwd=ROOT)
