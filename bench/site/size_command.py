"""`./wmbench size SITE`: how many gateways a site needs for a service, where they hang, what the next one buys, what
goes upstream, and what it costs."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bench import named_files
from bench.options import Commands
from bench.run_errors import CannotRun
from bench.site import exact as solver
from bench.site import figures, hand_over, risks, site_prices, size_options, upstream, variations, what_if
from bench.site.budget import Paths, Prices, candidates, paths
from bench.site.placement import Clause, Step, beyond, fewest, greedy, holds, in_turn, spared
from bench.site.service import S_PER_DAY, Service, Traffic, asked, chances
from bench.site.size_words import assumptions, doubt_json, exact_json, in_words, walls_in_words
from bench.site.unknowns import MIDDLE, World, middle, unsure
from sim.billing import plan_cost
from sim.network.backhaul import Backhaul, backhaul
from sim.radio.fitted import Fitted
from sim.radio.models.port import MODELS, Model
from sim.radio.site_file import Gateway, SiteFile

MISSED_EXIT: Final = 1
POWER_DBM: Final = 7.0
BEYOND: Final = 3  # gateways more than are needed, in the curve
KINDS: Final = {"stairwells": False, "roofs": True}
SHADOWING_DB: Final = 4.0
MOST_PAIRS: Final = 40_000_000  # meters times candidates: 1 GiB of arrays


def add(commands: Commands) -> None:
    """`size` on the command line."""
    size_options.parser(commands).set_defaults(command=command)


class Task(NamedTuple):
    """A site with what is asked of it."""

    site: SiteFile
    places: list[Gateway]
    ways: Paths
    service: Service
    model: Model
    fitted: Fitted | None
    sensitivity_dbm: float
    telegram_bytes: float
    backhaul: Backhaul
    prices: Any
    """Of hanging each place, (places,); None where they are not all given."""

    @property
    def meters(self) -> int:
        return sum(one.count for one in self.site.meter)


def task(arguments: argparse.Namespace) -> Task:
    """Raises SpecError, UnknownPart, CannotRun."""
    from bench.site.air_times import of_site
    from sim.radio import fitted, site_file

    site = site_file.load(arguments.site)
    own = fitted.load(arguments.fitted) if arguments.fitted is not None else None
    model: Model = middle() if arguments.model == MIDDLE else MODELS.find(arguments.model)
    model = own if own is not None else model
    places = candidates(site, arguments.places)
    meters = sum(one.count for one in site.meter)
    if meters * len(places) > MOST_PAIRS:
        raise CannotRun(
            f"{meters} meters and {len(places)} places are {meters * len(places)} pairs; cut the site into parts of at "
            f"most {MOST_PAIRS}"
        )
    air_s, telegram_bytes = of_site(site)
    told = Prices(arguments.stairwell_price, arguments.roof_price)
    each = [told.of(one) for one in places[len(site.gateway) :]]
    prices = None if None in each else np.array([0.0] * len(site.gateway) + [one or 0.0 for one in each])
    return Task(
        site, places, paths(measured(site, own), places), wanted(arguments, site, own, air_s), model, own,
        sensitivity_dbm(arguments), telegram_bytes, backhaul(arguments.backhaul), prices,
    )  # fmt: skip


def measured(site: SiteFile, own: Fitted | None) -> SiteFile:
    """The site without the loss that it says of outer walls, where a fit measured one and it says the same of all
    houses, as `site import --outer-wall-db` does: what was measured here goes before what was assumed."""
    said = {house.outer_wall_db for house in site.house}
    if own is None or "outer_wall_db" not in own.names or len(said) > 1:
        return site
    return dataclasses.replace(site, house=tuple(dataclasses.replace(one, outer_wall_db=0.0) for one in site.house))


def command(arguments: argparse.Namespace) -> int:
    """Raises SpecError, UnknownPart, CannotRun."""
    from bench.site.site_text import text
    from sim.core.quoting import hidden

    of = task(arguments)
    prices = site_prices.load(arguments.prices)
    clauses, load, steps = plan(of, of.model)
    hung = [step.candidate for step in steps]
    found = None
    if steps and steps[-1].holds:
        hung = spared(clauses, hung, hang=of.service.hang, prices=of.prices)
    greedy_hung = hung
    if arguments.exact is not None:
        found = solver.exact(clauses, hang=of.service.hang, known=hung, prices=of.prices, limit_s=arguments.exact)
        hung = hung if found.chosen is None else by_gain(clauses, found.chosen, of.service.hang)
    steps = in_turn(clauses, hung)
    margin_db = of.service.power_dbm - of.ways.losses_db(of.model) - of.sensitivity_dbm
    arrive = of.service.arrive(of.ways, of.model, of.sensitivity_dbm, load)
    carried = figures.Carried(of.service.traffic, of.telegram_bytes, of.backhaul, arguments.outage_days * S_PER_DAY,
                              of.meters, prices)  # fmt: skip
    doubt, planned = None, dict[str, float]()
    if steps and arguments.draws:
        one_world = functools.partial(figures.of_world, carried, hung)
        planned = one_world(arrive, load, hung)
        doubt = unsure(of.ways, hung, of.service, fitted=of.fitted, sensitivity_dbm=arguments.sensitivity_dbm,
                       draws=arguments.draws, seed=arguments.seed, figures=one_world)  # fmt: skip
    ends = {} if doubt is None else doubt.ends
    met = bool(steps) and holds(clauses, hung)
    answer: dict[str, Any] = {
        "site": of.site.title, "meters": of.meters, "candidates": len(of.places), "hang": len(of.site.gateway),
        "left_out": of.site.left_out,
        "service": of.service.sentence, "holds": met, "gateways": len(steps), "load_erlang": round(load, 5),
        "model": of.model.id, "by_model": by_model(of), "by_places": by_places(of, clauses),
        "wanted": arguments.served,
        "places": hand_over.gateways(of.site, of.places, hung, margin_db, of.prices),
        "worst": hand_over.worst(of.site, of.places, hung, clauses[0].chance, margin_db) if hung else [],
        "assumptions": assumptions(of.service, of.model, of.sensitivity_dbm, of.places[len(of.site.gateway) :])
        + walls_in_words(of.site, of.fitted),
        "curve": [
            {"gateways": at, "served": step.served, "one_dead": step.one_dead} for at, step in enumerate(steps, start=1)
        ],
        "next": [
            {"gateways": at, "served": step.served, "one_dead": step.one_dead, "name": of.places[step.candidate].name}
            for at, step in enumerate(beyond(clauses, hung, BEYOND) if hung else (), start=len(steps) + 1)
        ],
        "unsure": None if doubt is None else doubt_json(doubt, planned),
        "hanging": hanging(of, hung), "exact": exact_json(found, greedy_hung, of),
        "upstream": None if not hung else upstream.answer(
            arrive, hung, carried.traffic, carried.telegram_bytes, carried.backhaul, carried.outage_s),
        "variations": varied(of, prices, ends),
    }  # fmt: skip
    sized = dataclasses.replace(of.site, gateway=tuple(of.places[at] for at in hung), candidate=())
    answer["what_if"] = None
    if arguments.what_if is not None and hung:
        answer["what_if"] = what_if.answer(arguments.what_if, sized, of, hung, clauses, receiver(arguments), ends)
    if arguments.out is not None:
        written(arguments.out, text(sized, f"{arguments.site.name}, sized"))
    cost = None
    if prices is not None:
        cost = site_prices.costs(prices, of.meters, carried.each(arrive, hung), of.backhaul)
    answer["cost"] = None if cost is None else plan_cost.as_json(cost)
    answer["risks"] = risks.told(answer, cost)
    hand_on(arguments, sized, answer, cost)
    print(json.dumps(answer, indent=1) if arguments.json else "\n".join(map(hidden, in_words(answer))))
    return 0 if met else MISSED_EXIT


def plan_clauses(of: Task, model: Model) -> tuple[list[Clause], float]:
    """(clauses, load of the busiest place in erlang)."""
    return chances(of.ways, model, of.sensitivity_dbm, of.service)


def plan(of: Task, model: Model) -> tuple[list[Clause], float, list[Step]]:
    """(clauses, load of the busiest place in erlang, gateways one after the other)."""
    clauses, load = plan_clauses(of, model)
    return clauses, load, greedy(clauses, hang=of.service.hang)


def by_model(of: Task) -> dict[str, int | None]:
    """How many gateways each model asks for, by the same search; None: all places are too few."""
    models: dict[str, Model] = {model.id: model for model in MODELS.parts().values()} | {of.model.id: of.model}
    found = {id_: fewest(plan_clauses(of, model)[0], of.service.hang) for id_, model in models.items()}
    return {id_: None if chosen is None else len(chosen) for id_, chosen in found.items()}


def by_places(of: Task, clauses: Sequence[Clause]) -> list[dict[str, Any]]:
    """What stairwells alone ask for, and roofs alone, where there are both: the fewest are not the cheapest."""
    hang, rows = len(of.site.gateway), list[dict[str, Any]]()
    free = range(hang, len(of.places))
    kinds = {name: [at for at in free if of.places[at].roof is roof] for name, roof in KINDS.items()}
    for name, some in kinds.items() if all(kinds.values()) else ():
        own = [*range(hang), *some]
        only = [Clause(one.chance[:, own], one.wanted, None if one.late is None else one.late[:, own])
                for one in clauses]  # fmt: skip
        chosen = fewest(only, of.service.hang)
        if chosen is not None and of.prices is not None:
            chosen = spared(only, chosen, hang=of.service.hang, prices=of.prices[own])
        price = None if chosen is None else hanging(of, [own[at] for at in chosen])
        rows.append({"places": name, "gateways": None if chosen is None else len(chosen), "hanging": price})
    return rows


def by_gain(clauses: Sequence[Clause], chosen: Sequence[int], hang: Sequence[int]) -> list[int]:
    """A set in the order in which greedy would take its places, so that the curve says what the next one buys."""
    own = [*hang, *(at for at in chosen if at not in set(hang))]
    only = [Clause(one.chance[:, own], 1.0, None if one.late is None else one.late[:, own]) for one in clauses[:1]]
    order = [own[step.candidate] for step in greedy(only, hang=range(len(hang)))]
    return [*order, *(at for at in own if at not in order)]


def hanging(of: Task, hung: Sequence[int]) -> float | None:
    """The price of what is hung anew; None where a price is missing."""
    return None if of.prices is None else float(of.prices[list(hung)].sum())


def varied(of: Task, prices: Any, ends: Mapping[str, World]) -> list[dict[str, Any]]:
    """What interval, bundling and thinning do, with what each costs where prices are given; each row has the same of
    some drawn worlds in `drawn`."""

    def told(world: World | None) -> list[dict[str, Any]]:
        model, sensitivity, service = of.model, of.sensitivity_dbm, of.service
        if world is not None:
            model, sensitivity = world.model, world.sensitivity_dbm
            service = service._replace(capture_db=world.capture_db)
        fixed = variations.Fixed(of.ways, model, sensitivity, of.telegram_bytes, of.backhaul)
        rows = list(variations.rows(fixed, service))
        costs = [
            None if prices is None or not row.each else
            round(float(site_prices.costs(prices, of.meters, row.each, of.backhaul).a_meter_and_year), 6)
            for row in rows
        ]  # fmt: skip
        return variations.as_json(rows, costs)

    each = {name: told(world) for name, world in ends.items()}
    return [row | {"drawn": {name: each[name][at] for name in each}} for at, row in enumerate(told(None))]


def hand_on(arguments: argparse.Namespace, sized: SiteFile, answer: dict[str, Any], cost: Any) -> None:
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

        words = shlex.join(["./wmbench", *sys.argv[1:]])
        spread = figures.table(answer["unsure"]["figures"]) if answer["unsure"] else []
        written(arguments.page, size_page.render(sized, answer, cost, words, spread))


def written(path: Path, what: str) -> None:
    """Raises CannotRun."""
    with named_files.writing():
        path.write_text(what, encoding="utf-8")


def wanted(arguments: argparse.Namespace, site: SiteFile, own: Fitted | None, air_s: float) -> Service:
    """The service, with what a fit found where the command line does not say it. Raises CannotRun."""
    power, shadowing = arguments.power_dbm, arguments.shadowing_db
    if power is None:
        power = POWER_DBM if own is None or own.power_dbm is None else own.power_dbm
    if shadowing is None:
        shadowing = SHADOWING_DB if own is None else own.sigma_db
    traffic = Traffic(arguments.interval_s, arguments.bundle_s, arguments.thin_s)
    clauses = asked(arguments.served, arguments.age_h, arguments.set_date_days)
    for one in clauses:
        if traffic.frames(one.within_s) < 1:
            thinned = f" and one telegram in {traffic.thin_s:g} s" if traffic.thin_s else ""
            raise CannotRun(
                f"'{one.words}' cannot hold: bundles of {traffic.bundle_s:g} s{thinned} leave no time for one each "
                f"{traffic.interval_s:g} s; lower --bundle-s, --thin-s or --interval-s"
            )
    dead_s = arguments.dead_days * S_PER_DAY if arguments.one_dead else 0.0
    return Service(clauses, dead_s, traffic, arguments.fading_db, shadowing, power, air_s, range(len(site.gateway)))


def sensitivity_dbm(arguments: argparse.Namespace) -> float:
    """As given, or that of the receiver's profile."""
    from sim.radio.receiver_profile import profile

    given: float | None = arguments.sensitivity_dbm
    return profile(receiver(arguments)).sensitivity_dbm if given is None else given


def receiver(arguments: argparse.Namespace) -> str:
    """The profile's id."""
    from sim.radio.receiver_names import DEFAULT

    given: str | None = arguments.receiver
    return given or DEFAULT
