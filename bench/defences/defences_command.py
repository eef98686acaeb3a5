"""`./wmbench defences PROFILE`: which of the portal's switches are needed against the list's attacks, and their
price."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.options import Commands, add_runs, seed
from sim.core.vocabulary import Security

if TYPE_CHECKING:
    from bench.defences.trace import Cell, Trace

PROFILES: Final[dict[str, Security]] = {"mode0": "none", "mode5": "mode5", "mode7": "mode7"}
SCENARIOS: Final = (
    "radio/test_alteration.py", "radio/test_blind_forgery.py", "radio/test_downgrade.py", "radio/test_ell_ctr.py",
    "radio/test_hold_back.py", "radio/test_key_twin.py", "radio/test_onboarding.py", "radio/test_poisoning.py",
    "radio/test_patient_replay.py::test_another_gateway_makes_no_replay_new", "radio/test_wormhole.py",
    "radio/test_replay_by_defence.py::test_the_counter_alone_stops_a_quick_wrap_without_a_time_inside",
    "wan/test_stolen_gateway.py",
)  # fmt: skip
"""Attacks of the list that a portal answers, in worlds of some sixty meters."""


def add(commands: Commands) -> None:
    """`defences` on the command line."""
    parser = commands.add_parser("defences")
    parser.add_argument("profile", choices=tuple(PROFILES), help="how the meters secure their telegrams")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="instead of those of the list; see list")
    parser.add_argument("--seed", type=seed, default=1)
    parser.add_argument("--without-price", action="store_true", help="leave out the worlds without an attacker")
    parser.add_argument("--json", action="store_true")
    add_runs(parser)
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """0: there is a set; 1: none was needed or found. Raises NotFound, SpecError, and what worlds raise."""
    from bench import run_directory
    from bench.cli import runner

    directory = run_directory.make("defences")
    try:
        entries = runner.select(arguments.scenarios or SCENARIOS)
        body = find(arguments.profile, entries, directory, seed=arguments.seed, priced=not arguments.without_price)
        run_directory.write_json(directory / "defences.json", body, reserve=directory)
    finally:
        run_directory.release(directory)
    print(json.dumps(body, indent=1) if arguments.json else "\n".join(told(body)))
    return 0 if body["sets"] else 1


def find(
    profile: str, entries: Sequence[dict[str, Any]], directory: Path, *, seed: int, priced: bool
) -> dict[str, Any]:
    """The answer as data; see docs/reference/defences.md."""
    from bench.defences.smallest_sets import smallest_sets
    from bench.defences.switches import switches
    from bench.defences.trace import Trace
    from bench.rig.scenario import LeftOut

    security, names = PROFILES[profile], switches()
    left_out: dict[str, str] = {}
    traces: list[Trace] = []
    with ExitStack() as stack:
        for number, entry in enumerate(entries):
            _say(f"runs {entry['id']}")
            try:
                trace = Trace(entry, directory / f"trace-{number}", seed=seed)
            except LeftOut as error:
                left_out[entry["id"]] = str(error)
                continue
            stack.callback(trace.close)
            traces.append(trace)
        every, nothing = frozenset(names), frozenset[str]()
        open_, unproven, asked = [], [], {}
        for trace in traces:
            for cell, achieved in trace.cells(nothing).items():
                if cell[2] != security:
                    continue
                if not achieved:
                    unproven.append([trace.id, *cell])
                elif trace.cells(every).get(cell):
                    open_.append([trace.id, *cell])
                else:
                    asked[cell] = trace

        def succeeds(on: frozenset[str], cell: Cell) -> bool:
            return bool(asked[cell].cells(on).get(cell))

        def succeeding(on: frozenset[str]) -> Cell | None:
            return next((cell for cell in asked if succeeds(on, cell)), None)

        _say(f"asks {len(asked)} attacks of {len(traces)} scenarios which switches they need")
        found = smallest_sets(names, succeeding, succeeds)
        sets = [sorted(one, key=names.index) for one in found.sets]
        body: dict[str, Any] = {
            "version": 1, "profile": profile, "seed": seed, "switches": list(names), "sets": sets,
            "needed": [{"one_of": sorted(one.one_of, key=names.index), "or": list(one.cell)} for one in found.needed],
            "stopped": [list(cell) for cell in asked], "nothing_stops": open_, "unproven": unproven,
            "left_out": left_out, "portals_asked": sum(trace.replays for trace in traces), "price": {},
        }  # fmt: skip
    if priced:
        priced_sets = {" + ".join(one): frozenset(one) for one in sets} | {"all": every}
        body["price"] = _prices(security, priced_sets, directory, seed=seed)
    return body


def _prices(security: Security, sets: dict[str, frozenset[str]], directory: Path, *, seed: int) -> dict[str, Any]:
    from bench.defences.price import CONDITIONS, Priced

    prices: dict[str, Any] = {}
    for number, (name, condition) in enumerate(CONDITIONS.items()):
        _say(f"runs a world without an attacker: {name}")
        with ExitStack() as stack:
            world = Priced(condition, security, directory / f"price-{number}", seed=seed)
            stack.callback(world.close)
            prices[name] = {one: list(world.cost(on)) for one, on in sets.items()}
    return prices


def told(body: dict[str, Any]) -> list[str]:
    """For people."""
    out = [f"meters in {body['profile']}: {len(body['stopped'])} attacks that some defence of the portal stops"]
    for one in body["sets"]:
        out.append(f"smallest set: {', '.join(one) or 'none is needed'}")
    for one in body["needed"]:
        out.append(f"  one of {', '.join(one['one_of'])}: or {one['or'][0]}, {one['or'][1]}")
    for name, sets in body["price"].items():
        costs = "; ".join(f"{one}: {refused} of {received}" for one, (received, refused) in sets.items())
        out.append(f"genuine telegrams refused, {name}: {costs}")
    for scenario, attack, variant, _ in body["nothing_stops"]:
        out.append(f"nothing at the portal stops: {attack}, {variant} ({scenario})")
    for scenario, attack, variant, _ in body["unproven"]:
        out.append(f"whatever the switches it did not succeed: {attack}, {variant} ({scenario})")
    out += [f"left out: {scenario}: {why}" for scenario, why in body["left_out"].items()]
    return [*out, f"{body['portals_asked']} portals were asked, seed {body['seed']}"]


def _say(text: str) -> None:
    print(f"wmbench: {text}", file=sys.stderr)
