"""`./wmbench compare`: both systems under the same attacks, one page and its JSON."""

from __future__ import annotations

import argparse
import json
from typing import Any

from bench import run_directory
from bench.cli import runner
from bench.compare import side_by_side as table
from bench.compare.compared import AT_HOME, CARD, PAIRS, SYSTEMS, Topic, scenarios_of
from bench.options import Commands, Options, add_runs, seed, with_system
from bench.run_errors import CannotRun


def add(commands: Commands) -> None:
    """The verb's parser."""
    verb = commands.add_parser("compare")
    verb.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help="run these on both; none: the card's attacks and the pairs"
    )
    verb.add_argument("--seed", type=seed, action="append", default=[], help="instead of their own")
    verb.add_argument("--only", choices=("card", "pairs"), help="the card's attacks alone, or the pairs alone")
    verb.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a world setting in both")
    verb.add_argument("-n", "--workers", type=int, metavar="N", help="scenarios side by side (default: one a core)")
    verb.add_argument(
        "--of", nargs=len(SYSTEMS), metavar="RUN",
        help=f"run nothing: runs that there are, of {' and '.join(SYSTEMS)}; several of one with commas between them",
    )  # fmt: skip
    verb.add_argument("--json", action="store_true", help=f"print {run_directory.COMPARISON} when done")
    add_runs(verb)
    verb.set_defaults(command=compare)


def compare(arguments: argparse.Namespace) -> int:
    """The exit code is the worse one of the two runs'."""
    topics = () if arguments.scenarios else {"card": CARD, "pairs": PAIRS, None: CARD + PAIRS}[arguments.only]
    runs: dict[str, Any] = {}
    places: dict[str, list[str]] = {}
    code = 0
    for system, given in zip(SYSTEMS, arguments.of or [""] * len(SYSTEMS), strict=True):
        if given:
            found = [run_directory.find(one) for one in given.split(",")]
        else:
            ran = _run(system, arguments, topics)
            if ran.directory is None:
                raise CannotRun(f"nothing of system '{system}' was run")
            code, found = max(code, ran.code), [ran.directory]
        places[system] = [str(one) for one in found]
        every = [one for place in found for one in run_directory.read(place)["scenarios"]]
        runs[system] = table.of_system({"scenarios": every}, system)
    from reports import compare_page, run_model  # no other verb needs its templates

    body = {
        "command": runner.command_line(),
        "systems": list(SYSTEMS),
        "runs": places,
        "kind": compare_page.KIND,
        "caveats": run_model.caveats(table.endpoints(runs)),
        "rows": table.rows(topics, runs) if topics else table.joined(runs),
        "at_home": table.at_home(AT_HOME if any(one.id == "pair-04" for one in topics) else (), runs),
        "sights": table.sights(runs),
        "costs": table.costs(runs),
        "measured_in": table.measured_in(runs),
    }
    directory = run_directory.make("compare")
    run_directory.write_json(directory / compare_page.FILE, body, reserve=directory)
    compare_page.write(directory)
    if arguments.json:
        print(json.dumps(body))
    else:
        _show(body)
        print(f"page: {runner.shown(directory / 'report.html')}")
    return code


def _run(system: str, arguments: argparse.Namespace, topics: tuple[Topic, ...]) -> runner.Ran:
    entries = runner.select(arguments.scenarios or scenarios_of(topics, system))
    own = {entry["settings"].get("system.kind", SYSTEMS[0]) for entry in entries}
    # Where no scenario names another system, there is nothing to say.
    kind = system if system != SYSTEMS[0] or own != {SYSTEMS[0]} else None
    return runner.run(
        runner.Choice(
            entries=entries,
            name=f"compare-{system}",
            title=f"System {system}",
            command=runner.command_line(),
            options=Options(None, with_system(kind, arguments.set)),
            seeds=tuple(dict.fromkeys(arguments.seed)),
            workers=arguments.workers,
        )
    )


def _show(body: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from sim.core.quoting import shown

    made = Table(box=None, header_style="bold")
    for title in ("", "attack", *body["systems"]):
        made.add_column(title)
    for row in body["rows"]:
        made.add_row(
            row["id"], shown(row["title"]), *(shown(row["systems"][name]["verdict"]) for name in body["systems"])
        )
    Console(width=160).print(made)
