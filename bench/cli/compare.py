"""`./wmbench compare`: systems under the same attacks, one page and its JSON."""

from __future__ import annotations

import argparse
import json
from typing import Any

from bench import run_directory
from bench.cli import runner
from bench.compare import side_by_side as table
from bench.compare.compared import AT_HOME, CARD, KEYLESS, PAIRS, SYSTEMS, Topic, scenarios_of
from bench.options import Commands, Options, add_runs, seed, with_system
from bench.run_errors import CannotRun
from sim.systems.port import SYSTEMS as KINDS


def add(commands: Commands) -> None:
    """The verb's parser."""
    verb = commands.add_parser("compare")
    verb.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help="run these on each; none: the card's attacks and the pairs"
    )
    verb.add_argument("--seed", type=seed, action="append", default=[], help="instead of their own")
    verb.add_argument("--only", choices=("card", "pairs"), help="the card's attacks alone, or the pairs alone")
    verb.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a world setting in each")
    verb.add_argument("-n", "--workers", type=int, metavar="N", help="scenarios side by side (default: one a core)")
    verb.add_argument(
        "--system", action="append", default=[], metavar="KIND",
        help=f"compare this one; may be given again (default: {' and '.join(SYSTEMS)}); see list systems",
    )  # fmt: skip
    verb.add_argument(
        "--of", nargs="+", metavar="RUN",
        help="run nothing: runs that there are, one a system in order; several of one with commas between them",
    )  # fmt: skip
    verb.add_argument("--json", action="store_true", help=f"print {run_directory.COMPARISON} when done")
    add_runs(verb)
    verb.set_defaults(command=compare)


def compare(arguments: argparse.Namespace) -> int:
    """The exit code is the worst one of the runs'. Raises CannotRun, UnknownPart."""
    systems = tuple(dict.fromkeys(arguments.system)) or SYSTEMS
    titles = {kind: KINDS.find(kind).title for kind in systems}
    if arguments.of and len(arguments.of) != len(systems):
        raise CannotRun(f"--of: {len(arguments.of)} runs are given for the systems {', '.join(systems)}; one each")
    topics = () if arguments.scenarios else {"card": CARD, "pairs": PAIRS, None: CARD + PAIRS}[arguments.only]
    runs: dict[str, Any] = {}
    places: dict[str, list[str]] = {}
    code = 0
    for system, given in zip(systems, arguments.of or [""] * len(systems), strict=True):
        if given:
            found = [run_directory.find(one) for one in given.split(",")]
        elif not (arguments.scenarios or scenarios_of(topics, system)):
            found = []  # nobody named a scenario that answers for it
        else:
            ran = _run(system, arguments, topics)
            if ran.directory is None:
                raise CannotRun(f"nothing of system '{system}' was run")
            code, found = max(code, ran.code), [ran.directory]
        places[system] = [str(one) for one in found]
        every = [one for place in found for one in run_directory.read(place)["scenarios"]]
        runs[system] = table.of_system({"scenarios": every}, system)
    at_home = any(one.id == "pair-04" for one in topics)
    from reports import compare_page, run_model  # no other verb needs its templates

    body = {
        "command": runner.command_line(),
        "systems": list(systems),
        "titles": titles,
        "runs": places,
        "kind": compare_page.KIND,
        "caveats": run_model.caveats(table.endpoints(runs)),
        "rows": table.rows(topics, runs, systems) if topics else table.joined(runs, systems),
        "at_home": table.at_home([one for one in AT_HOME if one.system in systems] if at_home else [], runs),
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
    own = {entry["settings"].get("system.kind", KEYLESS) for entry in entries}
    # Where no scenario names another system, there is nothing to say.
    kind = system if system != KEYLESS or own != {KEYLESS} else None
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
