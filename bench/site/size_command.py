"""`./wmbench size SITE`: how many gateways a site needs for a service, where they hang, and what the next one buys."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.options import Commands
from bench.run_errors import CannotRun
from bench.site import hand_over
from bench.site.budget import Paths, candidates, paths
from bench.site.placement import Step, greedy
from bench.site.size_words import assumptions, doubt_json, in_words
from bench.site.unknowns import Service, chances, unsure
from sim.radio.fitted import Fitted
from sim.radio.models.port import MODELS, Model
from sim.radio.site_file import SiteFile

MISSED_EXIT: Final = 1
POWER_DBM: Final = 7.0
SHADOWING_DB: Final = 4.0
MOST_DRAWS: Final = 10_000
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
    size.add_argument("--power-dbm", type=float, metavar="DBM", help="of all meters (7, or as fitted)")
    size.add_argument("--receiver", metavar="ID", help="a profile of sim/radio/receivers")
    size.add_argument("--sensitivity-dbm", type=float, metavar="DBM", help="instead of the profile's own")
    size.add_argument("--model", default="p1238", metavar="ID", help="a file of sim/radio/models (p1238)")
    size.add_argument("--fitted", metavar="MODEL.toml", type=Path, help="instead: what `site fit` found here")
    size.add_argument("--shadowing-db", type=_not_negative, metavar="DB", help="between places (4, or as fitted)")
    size.add_argument("--fading-db", type=_not_negative, default=3.0, metavar="DB", help="between frames (3)")
    size.add_argument("--draws", type=_draws, default=32, metavar="N",
                      help="of what is not known, for the intervals (32; 0: none)")  # fmt: skip
    size.add_argument("--seed", type=int, default=1, metavar="N", help="of the draws (1)")
    size.add_argument("--out", metavar="FILE", type=Path, help="the site with its gateways, as a file")
    size.add_argument("--page", metavar="FILE.html", type=Path, help="the plan to hand on, on one page")
    size.add_argument("--csv", metavar="FILE", type=Path, help="a line a gateway")
    size.add_argument("--geojson", metavar="FILE", type=Path, help="gateways and houses as points")
    size.add_argument(
        "--prices", metavar="PLAN.toml", type=Path, help="as for `cost`; its meters and gateways are ours"
    )
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


def _draws(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not (text == "0" or 8 <= int(text) <= MOST_DRAWS):
        raise argparse.ArgumentTypeError(f"{text!r} is not 0, or a whole number from 8 to {MOST_DRAWS}")
    return int(text)


def _share(text: str) -> float:
    value = _not_negative(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return value


def command(arguments: argparse.Namespace) -> int:
    """Raises SpecError, UnknownPart, CannotRun."""
    from bench.site.site_text import text
    from sim.core.quoting import hidden
    from sim.radio import fitted, site_file

    site = site_file.load(arguments.site)
    own = fitted.load(arguments.fitted) if arguments.fitted is not None else None
    models: dict[str, Model] = {model.id: model for model in MODELS.parts().values()}
    chosen: Model = own if own is not None else MODELS.find(arguments.model)
    models[chosen.id] = chosen
    places = candidates(site)
    meters = sum(one.count for one in site.meter)
    if meters * len(places) > MOST_PAIRS:
        raise CannotRun(
            f"{meters} meters and {len(places)} places are {meters * len(places)} pairs; cut the site into parts of at "
            f"most {MOST_PAIRS}"
        )
    service_ = asked(arguments, site, own)
    ways = paths(site, places)
    sensitivity = sensitivity_dbm(arguments)
    told = {id_: plan(service_, ways, model, sensitivity) for id_, model in models.items()}
    steps, load = told[chosen.id]
    hung = [step.candidate for step in steps]
    margin_db = service_.power_dbm - ways.losses_db(chosen) - sensitivity
    chance, _ = chances(ways, chosen, sensitivity, service_)
    doubt = None
    if steps and arguments.draws:
        doubt = unsure(ways, hung, service_, fitted=own, sensitivity_dbm=arguments.sensitivity_dbm,
                       draws=arguments.draws, seed=arguments.seed)  # fmt: skip
    holds = met(arguments, steps)
    answer = {
        "site": site.title, "meters": meters, "candidates": len(places), "hang": len(site.gateway),
        "service": service(arguments), "holds": holds, "gateways": len(steps), "load_erlang": round(load, 5),
        "model": chosen.id,
        "by_model": {id_: len(got) if met(arguments, got) else None for id_, (got, _) in told.items()},
        "wanted": arguments.served,
        "places": hand_over.gateways(site, places, hung, margin_db),
        "worst": hand_over.worst(site, places, hung, chance, margin_db) if hung else [],
        "assumptions": assumptions(arguments.interval_s, service_, chosen, sensitivity),
        "curve": [
            {"gateways": at, "served": step.served, "one_dead": step.one_dead} for at, step in enumerate(steps, start=1)
        ],
        "unsure": None if doubt is None else doubt_json(doubt),
    }  # fmt: skip
    sized = dataclasses.replace(site, gateway=tuple(places[at] for at in hung))
    if arguments.out is not None:
        written(arguments.out, text(sized, f"{arguments.site.name}, sized"))
    hand_on(arguments, sized, answer)
    print(json.dumps(answer, indent=1) if arguments.json else "\n".join(map(hidden, in_words(answer))))
    return 0 if holds else MISSED_EXIT


def hand_on(arguments: argparse.Namespace, sized: SiteFile, answer: dict[str, Any]) -> None:
    """The files that were asked for. Raises SpecError, CannotRun."""
    if arguments.csv is not None:
        written(arguments.csv, hand_over.as_csv(answer["places"]))
    if arguments.geojson is not None:
        try:
            written(arguments.geojson, hand_over.as_geojson(sized, answer["places"]))
        except ValueError as error:
            raise CannotRun(f"--geojson: {error}") from None
    if arguments.page is not None:
        from reports import size_page

        words = ["./wmbench", *sys.argv[1:]]
        written(arguments.page, size_page.render(sized, answer, priced(arguments, answer), shlex.join(words)))


def priced(arguments: argparse.Namespace, answer: dict[str, Any]) -> Any:
    """What these gateways cost for these meters, by the prices and the traffic of a plan. None without one."""
    if arguments.prices is None:
        return None
    from sim.billing import plan_cost, plan_spec

    prices = plan_spec.load(arguments.prices)
    ours = {"meters": answer["meters"], "gateways": max(1, answer["gateways"])}
    return plan_cost.answer(dataclasses.replace(prices, **ours))


def written(path: Path, what: str) -> None:
    """Raises CannotRun."""
    try:
        path.write_text(what, encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"{error.filename}: {error.strerror}; name a file that can be written") from None


def asked(arguments: argparse.Namespace, site: Any, own: Fitted | None) -> Service:
    """The service, with what a fit found where the command line does not say it."""
    power, shadowing = arguments.power_dbm, arguments.shadowing_db
    if power is None:
        power = POWER_DBM if own is None or own.power_dbm is None else own.power_dbm
    if shadowing is None:
        shadowing = SHADOWING_DB if own is None else own.sigma_db
    frames = max(1.0, arguments.age_h * 3_600 // arguments.interval_s)
    return Service(
        arguments.served, arguments.one_dead, frames, arguments.fading_db, shadowing, power,
        mean_air_s(site) / arguments.interval_s, range(len(site.gateway)),
    )  # fmt: skip


def sensitivity_dbm(arguments: argparse.Namespace) -> float:
    """As given, or that of the receiver's profile."""
    from sim.radio.receiver_profile import DEFAULT, profile

    given: float | None = arguments.sensitivity_dbm
    return profile(arguments.receiver or DEFAULT).sensitivity_dbm if given is None else given


def plan(service_: Service, ways: Paths, model: Model, sensitivity: float) -> tuple[list[Step], float]:
    """(gateways one after the other, load of the busiest place in erlang)."""
    chance, load = chances(ways, model, sensitivity, service_)
    return greedy(chance, service_.wanted, dead=service_.dead, hang=service_.hang), load


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
