"""`./wmbench size SITE`: how many gateways a site needs for a service, where they hang, and what the next one buys."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.options import Commands
from bench.run_errors import CannotRun
from bench.site.budget import candidates, losses_db
from bench.site.placement import Step, greedy
from bench.site.served import served

MISSED_EXIT: Final = 1
MOST_PAIRS: Final = 40_000_000  # meters times candidates: 1 GiB of arrays


def add(commands: Commands) -> None:
    """`size` on the command line."""
    size = commands.add_parser("size", help="how many gateways a site needs for a service, and where they hang")
    size.add_argument("site", metavar="SITE.toml", type=Path, help="as `site import` writes it; gateways in it stay")
    size.add_argument(
        "--served", type=_share, default=0.995, metavar="SHARE", help="of meters with a young reading (0.995)"
    )
    size.add_argument("--age-h", type=_above_0, default=24.0, metavar="HOURS", help="how old it may be (24)")
    size.add_argument("--one-dead", action="store_true", help="also when any one gateway is dead")
    size.add_argument("--interval-s", type=_above_0, default=900.0, metavar="SECONDS", help="of all meters (900)")
    size.add_argument("--power-dbm", type=float, default=7.0, metavar="DBM", help="of all meters (7)")
    size.add_argument("--receiver", metavar="ID", help="a profile of sim/radio/receivers")
    size.add_argument("--sensitivity-dbm", type=float, metavar="DBM", help="instead of the profile's own")
    size.add_argument("--model", default="p1238", metavar="ID", help="a file of sim/radio/models (p1238)")
    size.add_argument("--shadowing-db", type=_not_negative, default=4.0, metavar="DB", help="between places (4)")
    size.add_argument("--fading-db", type=_not_negative, default=3.0, metavar="DB", help="between frames (3)")
    size.add_argument("--out", metavar="FILE", type=Path, help="the site with its gateways, as a file")
    size.add_argument("--json", action="store_true")
    size.set_defaults(command=command)


def _above_0(text: str) -> float:
    value = _not_negative(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def _not_negative(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1000000")
    return value


def _share(text: str) -> float:
    value = _not_negative(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return value


def command(arguments: argparse.Namespace) -> int:
    """Raises SpecError, UnknownPart, CannotRun."""
    from bench.site.site_text import text
    from sim.core.quoting import hidden
    from sim.radio import site_file
    from sim.radio.models.port import MODELS

    site = site_file.load(arguments.site)
    chosen = MODELS.find(arguments.model)
    places = candidates(site)
    meters = sum(one.count for one in site.meter)
    if meters * len(places) > MOST_PAIRS:
        raise CannotRun(
            f"{meters} meters and {len(places)} places are {meters * len(places)} pairs; cut the site into parts of at "
            f"most {MOST_PAIRS}"
        )
    told = {model.id: plan(arguments, site, places, model) for model in MODELS.parts().values()}
    steps, load = told[chosen.id]
    holds = met(arguments, steps)
    answer = {
        "site": site.title, "meters": meters, "candidates": len(places), "hang": len(site.gateway),
        "service": service(arguments), "holds": holds, "gateways": len(steps), "load_erlang": round(load, 5),
        "model": chosen.id,
        "by_model": {id_: len(got) if met(arguments, got) else None for id_, (got, _) in told.items()},
        "places": [dataclasses.asdict(places[step.candidate]) for step in steps],
        "curve": [
            {"gateways": at, "served": step.served, "one_dead": step.one_dead} for at, step in enumerate(steps, start=1)
        ],
    }  # fmt: skip
    if arguments.out is not None:
        sized = dataclasses.replace(site, gateway=tuple(places[step.candidate] for step in steps))
        try:
            arguments.out.write_text(text(sized, f"{arguments.site.name}, sized"), encoding="ascii")
        except OSError as error:
            raise CannotRun(f"{error.filename}: {error.strerror}; name a file that can be written") from None
    print(json.dumps(answer, indent=1) if arguments.json else "\n".join(map(hidden, in_words(answer))))
    return 0 if holds else MISSED_EXIT


def plan(arguments: argparse.Namespace, site: Any, places: Any, model: Any) -> tuple[list[Step], float]:
    """(gateways one after the other, load of the busiest place in erlang)."""
    from sim.radio.receiver_profile import DEFAULT, profile

    sensitivity = arguments.sensitivity_dbm
    if sensitivity is None:
        sensitivity = profile(arguments.receiver or DEFAULT).sensitivity_dbm
    margin = arguments.power_dbm - losses_db(site, places, model) - sensitivity
    load = float((margin > -arguments.shadowing_db).sum(axis=0).max()) * mean_air_s(site) / arguments.interval_s
    frames = max(1.0, arguments.age_h * 3_600 // arguments.interval_s)
    chance = served(margin, frames, arguments.fading_db, arguments.shadowing_db, load)
    return greedy(chance, arguments.served, dead=arguments.one_dead, hang=range(len(site.gateway))), load


def mean_air_s(site: Any) -> float:
    """Of a frame, over all meters of a site."""
    from bench.sweep.closed_form import air_times_ns
    from sim.gateway.gateway_spec import GatewaySpec
    from sim.meters.fleet_spec import FleetSpec
    from sim.world_spec import WorldSpec

    counts: Counter[str] = Counter()
    for one in site.meter:
        counts[one.type] += one.count
    fleet = tuple(FleetSpec(type_, type_, count) for type_, count in counts.items())
    times = air_times_ns(WorldSpec("size", "Size", fleet, (GatewaySpec(),)))
    return float(np.dot(times, list(counts.values())) / counts.total() / 1e9)


def met(arguments: argparse.Namespace, steps: list[Step]) -> bool:
    return bool(steps) and (steps[-1].one_dead if arguments.one_dead else steps[-1].served) >= arguments.served


def service(arguments: argparse.Namespace) -> str:
    """The sentence that is to hold."""
    dead = ", also when any one gateway is dead" if arguments.one_dead else ""
    return f"{100 * arguments.served:g} % of meters have a reading younger than {arguments.age_h:g} h{dead}"


def in_words(answer: dict[str, Any]) -> list[str]:
    """The answer for people."""
    lines = [
        f"{answer['site']}: {answer['meters']:,} meters, {answer['candidates']:,} places, {answer['hang']} taken",
        f"  {answer['service']}: " + (f"{answer['gateways']} gateways" if answer["holds"] else
                                        f"NOT REACHED with {answer['gateways']}, and no other place adds anything"),
        "  by model: " + ", ".join(f"{id_} {count or 'not reached'}" for id_, count in answer["by_model"].items())
        + f"  (this answer: {answer['model']})",
        f"  busiest gateway {answer['load_erlang']:.5f} erlang",
        "  gateways    served  one dead  the last one hangs in",
    ]  # fmt: skip
    for at, (step, place) in enumerate(zip(answer["curve"], answer["places"], strict=True)):
        lines.append(
            f"  {at + 1:>8}  {step['served']:.6f}  {step['one_dead']:.6f}  {place['house']}, floor {place['floor']}"
        )
    return lines
