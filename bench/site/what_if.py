"""What if: a sized site on the engine, asked one question after the other, each with the command that asks it again.

    gateways dead for a week, a jammer, twice the meters, an interval of 120 s, a firmware that sends in step, a broker
    that is gone

Each question is a run of `city` over a world that is written beside the answer, so its figures are those of a whole
run with every telegram, and not of the chances that found the places. The first is the plan as it is with another seed:
what differs by less than that is no difference. Each is played in two of the worlds that were drawn of what is not
known, too: a kind one and a harsh one (unknowns.py), as more would take too long. Who loses its broker loses no
telegram: gateways keep them, and what waits and how long it takes is reckoned (upstream.py).
"""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bench.site import engine_world, upstream
from bench.site.placement import Clause, told
from bench.site.service import S_PER_DAY
from bench.site.unknowns import World
from sim.radio import site_file
from sim.radio.site_file import SiteFile

DAYS: Final = 8
DEAD_DAYS: Final = 7
FAST_S: Final = 120.0
IN_STEP_S: Final = 1.0
BROKER_GONE_S: Final = 3_600.0
CONNECTS_A_S: Final = 500.0  # of an account: AWS IoT Core's quota
WORLD: Final = "plan-world.toml"
SITE: Final = "plan-site.toml"
DOUBLED_WORLD: Final = "plan-world-doubled.toml"
DOUBLED_SITE: Final = "plan-site-doubled.toml"


class Question(NamedTuple):
    """`words`: what `city` is asked, after the world."""

    asks: str
    world: str
    words: tuple[str, ...]


def questions(gateways: int, missed_most: int, busiest: int) -> list[Question]:
    """`missed_most`, `busiest`: numbers of gateways, from 1 on."""
    asked = [
        Question("another seed, and nothing else", WORLD, ("--seed", "2")),
        Question(f"gateway {missed_most} dead for {DEAD_DAYS} days", WORLD, ("--dead", f"{missed_most}:{DEAD_DAYS}")),
    ]
    if gateways > 1:
        two = ("--dead", f"{missed_most}:{DEAD_DAYS}", "--dead", f"{busiest}:{DEAD_DAYS}")
        if missed_most != busiest:
            asked.append(Question(f"gateways {missed_most} and {busiest} dead for {DEAD_DAYS} days", WORLD, two))
    return [
        *asked,
        Question(f"a jammer beside gateway {busiest} for {DEAD_DAYS} days", WORLD, ("--jam", f"{busiest}:{DEAD_DAYS}")),
        Question("twice the meters in the same flats", DOUBLED_WORLD, ()),
        Question(f"every meter sends each {FAST_S:g} s", WORLD, ("--set", f"fleet.interval_s={FAST_S:g}")),
        Question(f"a firmware that sends in step, within {IN_STEP_S:g} s", WORLD,
                 ("--set", f"fleet.in_step_s={IN_STEP_S:g}")),
    ]  # fmt: skip


def written(folder: Path, sized: SiteFile, of: Any, receiver: str) -> engine_world.Air:
    """The worlds of the questions, in a folder. Raises CannotRun."""
    from bench.site.site_text import text
    from bench.site.size_command import written as write

    air = engine_world.air_of(of.ways, of.model, of.sensitivity_dbm, of.service.power_dbm)
    doubled = dataclasses.replace(sized, meter=(*sized.meter, *sized.meter))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        from bench.run_errors import CannotRun

        raise CannotRun(f"{folder}: {error.strerror}; name a folder that can be made") from None
    for site, name, world in ((sized, SITE, WORLD), (doubled, DOUBLED_SITE, DOUBLED_WORLD)):
        write(folder / name, text(site, "a plan"))
        site_file.load.cache_clear()
        write(folder / world, engine_world.text(site, folder / name, of.service, air, of.sensitivity_dbm, receiver))
    return air


def answer(
    folder: Path, sized: SiteFile, of: Any, hung: list[int], clauses: list[Clause], receiver: str,
    ends: Mapping[str, World],
) -> dict[str, Any]:  # fmt: skip
    """The table. Raises CannotRun, SpecError, CityLimit."""
    air = written(folder, sized, of, receiver)
    chance = clauses[0].chance[:, hung]
    all_work = clauses[0]._replace(late=None)
    missed_most = 1 + min(range(len(hung)), key=lambda at: told(all_work, [*hung[:at], *hung[at + 1 :]]))
    busiest = 1 + int(chance.sum(axis=0).argmax())
    sets = {name: air_words(world, of) for name, world in ends.items()}
    rows = []
    for one in (Question("as planned", WORLD, ()), *questions(len(hung), missed_most, busiest)):
        drawn = {name: played(folder, one._replace(words=(*one.words, *more))) for name, more in sets.items()}
        rows.append({**played(folder, one), "asks": one.asks, "drawn": drawn})
    return {"days": DAYS, "air": air._asdict(), "rows": rows, "broker": broker(rows[0], of, len(hung))}


def air_words(world: World, of: Any) -> tuple[str, ...]:
    """What makes the planned world a drawn one; what a receiver captures stays that of its profile."""
    air = engine_world.air_of(of.ways, world.model, world.sensitivity_dbm, of.service.power_dbm)
    told_ = (
        f"site.path_loss_exponent={air.exponent:g}", f"site.floor_loss_db={air.floor_loss_db:g}",
        f"gateway.sensitivity_dbm={world.sensitivity_dbm:.2f}",
    )  # fmt: skip
    return tuple(word for one in told_ for word in ("--set", one))


def command(folder: Path, one: Question) -> list[str]:
    """That asks it again."""
    seed = () if "--seed" in one.words else ("--seed", "1")
    return ["city", str(folder / one.world), "--depth", "radio", "--days", f"{DAYS}", *seed, *one.words]


def played(folder: Path, one: Question) -> dict[str, Any]:
    """The figures of one run."""
    from bench.cli import city
    from bench.sweep.closed_form import mean_air_time_ns
    from sim.city.conduct import run

    words, parser = command(folder, one), argparse.ArgumentParser()
    city.add(parser.add_subparsers())
    plan = city.plan_of(parser.parse_args(words))
    result = run(plan)
    lasts_s = plan.duration_ns / 1e9
    days = list(result.missed["without_a_reading"].values())
    begun_s = sum(result.fates.values()) * mean_air_time_ns(plan.spec) / 1e9
    return {
        "meters": result.meters, "delivery_ratio": round(result.delivery_ratio, 6),
        "without_a_reading_worst_day": max(days, default=0), "without_a_reading_mean": round(float(np.mean(days)), 3),
        "never": result.missed["never"], "load_erlang": round(begun_s / lasts_s / max(1, result.gateways), 5),
        "receptions_a_s": round(result.fates["received"] / lasts_s, 4),
        "why": result.worst[0]["why"] if result.worst else "", "command": shlex.join(["./wmbench", *words]),
    }  # fmt: skip


def broker(before: dict[str, Any], of: Any, gateways: int) -> dict[str, Any]:
    """A broker that is gone for an hour, by what gateways would hold and how fast they may come back."""
    arrive = np.full((1, 1), before["receptions_a_s"] * of.service.traffic.interval_s / gateways)
    one = upstream.of_gateway(arrive, of.service.traffic, of.telegram_bytes, of.backhaul)
    late = upstream.after(one, BROKER_GONE_S, of.backhaul)
    return {
        "gone_s": BROKER_GONE_S, "backlog_messages": round(late.messages * gateways),
        "backlog_bytes": round(late.bytes * gateways), "connects_s": round(gateways / CONNECTS_A_S, 3),
        "recovers_s": None if late.recovers_s == float("inf") else round(gateways / CONNECTS_A_S + late.recovers_s, 1),
        "lost": 0, "as_days": BROKER_GONE_S / S_PER_DAY,
    }  # fmt: skip


def in_words(told_: dict[str, Any]) -> Iterator[str]:
    """The table for people."""
    air = told_["air"]
    yield (f"  what if ({told_['days']} days on the engine, exponent {air['exponent']:g}, {air['floor_loss_db']:g} dB "
           f"a floor, {air['rms_db']:g} dB rms from the model)")  # fmt: skip
    yield "    delivered   no reading (worst day)   never   erlang  /s up    question"
    if told_["rows"][0]["drawn"]:
        yield "    beneath, the same in two worlds drawn, in which the plan serves more than in 90 and in 10 of 100"
    for row in told_["rows"]:
        yield (
            f"    {row['delivery_ratio']:9.4f}   {row['without_a_reading_worst_day']:>22,}  {row['never']:>6,}  "
            f"{row['load_erlang']:.5f}  {row['receptions_a_s']:>6.2f}    {row['asks']}"
        )
        for name, one in row["drawn"].items():
            yield (
                f"    {one['delivery_ratio']:9.4f}   {one['without_a_reading_worst_day']:>22,}  {one['never']:>6,}  "
                f"{one['load_erlang']:.5f}  {one['receptions_a_s']:>6.2f}      a {name} world"
            )
        yield f"      {row['command']}"
    gone = told_["broker"]
    recovers = "never" if gone["recovers_s"] is None else f"after {gone['recovers_s']:,.1f} s"
    yield (f"    a broker gone for {gone['gone_s'] / 3600:g} h: nothing is lost; gateways hold "
           f"{gone['backlog_messages']:,} messages, {gone['backlog_bytes'] / 1e6:,.2f} MB; caught up {recovers} "
           "(reckoned)")  # fmt: skip
