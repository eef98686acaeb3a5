"""`./wmbench city WORLD`: a whole city on the air, for capacity planners: how much is sent, heard and lost, and why.

The world is a file of scenarios/worlds/ (by its stem) or a path. The same seed gives the same figures and digest with
any number of workers and shards, here or on a cluster. A run leaves a directory: run.json, city.json with the figures,
report.html with a map, unless --no-report or --json ask for less, and at depth "readings" what the portal stored, as
Parquet files in readings/ or where --out says. Exit code 1: a stored reading is not what its meter said.
"""

from __future__ import annotations

import argparse
import json
import math
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import run_directory, worlds
from bench.options import Commands, Once, Options, above_zero, add_runs, changed, processes, seed
from bench.run_errors import CannotRun
from sim.world_spec import load

if TYPE_CHECKING:
    from sim.city.conduct import CityResult
    from sim.city.plan import CityPlan

ALTERED_EXIT = 1
_BYTES = "  bytes       {:>15,}   on the air, encrypted, with CRCs"


def add(commands: Commands) -> None:
    """`city` on the command line."""
    city = commands.add_parser("city")
    city.add_argument("world", metavar="WORLD", help="a name in scenarios/worlds/, or a TOML file")
    city.add_argument(
        "--depth", choices=["radio", "bytes", "readings"], default="bytes",
        help="radio: which gateway hears which meter; bytes: every telegram heard is built, encrypted and CRC'd "
        "(default); readings: bundled, decrypted, checked by the portal and stored",
    )  # fmt: skip
    store = city.add_mutually_exclusive_group()
    store.add_argument("--out", metavar="DIR", type=Path, help="for stored readings (readings/ in the run directory)")
    store.add_argument("--no-store", action="store_true", help="readings are judged and counted, and not kept")
    span = city.add_mutually_exclusive_group()
    span.add_argument("--days", type=above_zero(), metavar="DAYS")
    span.add_argument("--hours", type=above_zero(), metavar="HOURS", help="how long it lasts (24)")
    city.add_argument("--seed", type=seed, action=Once, default=1)
    hands = city.add_mutually_exclusive_group()
    hands.add_argument("--workers", type=processes, default=1, metavar="N", help="processes (1)")
    hands.add_argument("--scheduler", metavar="ADDRESS", help="of a dask.distributed cluster, as tcp://HOST:8786")
    city.add_argument("--shards", type=int, metavar="N", help="pieces, one at a time a process; more need less memory")
    city.add_argument("--outages", type=float, default=0.0, metavar="SHARE", help="of days on which a gateway fails")
    city.add_argument("--outage-s", type=float, default=3_600.0, metavar="SECONDS", help="how long it fails (3600)")
    city.add_argument("--dead", action="append", default=[], type=gateway_and_days, metavar="GATEWAY[:DAYS]",
                      help="this gateway (from 1) is down from the start, for so many days (7)")  # fmt: skip
    city.add_argument("--jam", action="append", default=[], type=gateway_and_days, metavar="GATEWAY[:DAYS]",
                      help="a jammer of 10 dBm 5 m beside it, without a pause")  # fmt: skip
    city.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a world setting")
    city.add_argument("--json", action="store_true", help="print the result as JSON, without a report")
    city.add_argument("--no-report", action="store_true", help="leave out report.html")
    add_runs(city)
    city.set_defaults(command=command)


def gateway_and_days(text: str) -> tuple[int, float]:
    """(number from 1, days)."""
    number, colon, days = text.partition(":")
    try:
        told = int(number), float(days) if colon else 7.0
    except ValueError:
        told = 0, 0.0
    if told[0] < 1 or not 0 < told[1] < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no GATEWAY:DAYS: a number from 1, and days above 0")
    return told


def plan_of(arguments: argparse.Namespace) -> CityPlan:
    """What the command line asks for. Raises SpecError."""
    from sim.city.plan import CityPlan, Dead, Jammer, Outages

    hours = 24.0 if arguments.hours is None else arguments.hours
    if arguments.days is not None:
        hours = arguments.days * 24
    spec = changed(load(worlds.find(arguments.world)), Options(None, tuple(arguments.set)))
    return CityPlan(
        spec, arguments.seed, round(hours * 3_600e9), arguments.depth, workers=arguments.workers,
        shards=arguments.shards, outages=Outages(arguments.outages, arguments.outage_s),
        dead=tuple(Dead(number - 1, 0.0, days * 86_400) for number, days in arguments.dead),
        jammers=tuple(Jammer(number - 1, lasting_s=days * 86_400) for number, days in arguments.jam),
    )  # fmt: skip


def command(arguments: argparse.Namespace) -> int:
    """Raises SpecError, CityLimit, CannotRun, StoreError, RunDirectoryError, OSError."""
    plan = plan_of(arguments)
    spec, hours = plan.spec, plan.duration_ns / 3_600e9
    plan.refuse()
    if arguments.out is not None and plan.depth != "readings":
        raise CannotRun("--out is for stored readings: add --depth readings")
    directory = run_directory.make(f"city-{spec.name}")
    if plan.depth == "readings" and not arguments.no_store:
        plan = replace(plan, out=(arguments.out or directory / "readings").absolute())
        try:
            plan = with_room(plan)
            plan.refuse()
        except BaseException:
            run_directory.unmake(directory)
            raise
        if not arguments.json:
            print(room_in_words(plan), flush=True)
    made = {"command": again(arguments, hours), **run_directory.made_by()}
    try:
        result = on_cluster(plan, arguments.scheduler) if arguments.scheduler else here(plan)
        leave(directory, result, plan, made, hours, arguments.set)
    except BaseException:
        run_directory.release(directory)
        run_directory.unmake(directory)
        raise
    if arguments.json:
        print(json.dumps(result.as_json(), indent=1))
        return code_of(result)
    from bench.cli.runner import shown

    print(summary(result, hours))
    if arguments.no_report:
        print(f"result: {shown(directory / 'city.json')}")
        return code_of(result)
    from reports import city_page

    print(f"report: {shown(city_page.write(directory))}")
    return code_of(result)


def code_of(result: CityResult) -> int:
    """The exit code: ALTERED_EXIT when a stored reading differs from what was sent."""
    return ALTERED_EXIT if result.readings is not None and result.readings["altered"] else 0


def here(plan: CityPlan) -> CityResult:
    """The run on this machine. Raises CityLimit, SpecError, StoreError, OSError."""
    from sim.city.conduct import run

    return run(plan)


def on_cluster(plan: CityPlan, address: str) -> CityResult:
    """Its shards on a cluster. Raises CannotRun, StoreError."""
    from contextlib import ExitStack, closing

    from bench.sweep.scheduler import on
    from bench.sweep.worker_pool import Job
    from sim.city.conduct import combined
    from sim.city.plan import Blocks
    from sim.core.clock import wall_s

    begun_s = wall_s()
    tiles = Blocks.of(plan.spec).tiles(plan.shard_count())
    jobs = [Job(0, plan.seed, number, plan, tile) for number, tile in enumerate(tiles)]
    with ExitStack() as after:
        if plan.out is not None:
            from sim.portal.store.parquet import drop_parts, prepare

            prepare(plan.out)  # which the workers must be able to write to as well
            after.callback(drop_parts, plan.out)  # of workers that were killed
        done = sorted(after.enter_context(closing(on(address, jobs))), key=lambda one: one[0].shard)
    return combined(plan, [result for _, result in done], len(tiles), wall_s() - begun_s)


# --- what is left behind ---------------------------------------------------------------------------------------------


def again(arguments: argparse.Namespace, hours: float) -> str:
    """The command that gives the same digest."""
    words = ["./wmbench", "city", arguments.world, "--depth", arguments.depth, "--hours", f"{hours:g}"]
    words += ["--seed", str(arguments.seed)]
    if arguments.outages:
        words += ["--outages", f"{arguments.outages:g}", "--outage-s", f"{arguments.outage_s:g}"]
    for option, gone in (("--dead", arguments.dead), ("--jam", arguments.jam)):
        for number, days in gone:
            words += [option, f"{number}:{days:g}"]
    for setting in arguments.set:
        words += ["--set", setting]
    return shlex.join(words)


def leave(
    directory: Path, result: CityResult, plan: CityPlan, made: dict[str, Any], hours: float, settings: list[str]
) -> None:
    """run.json and city.json."""
    run_directory.release(directory)
    body = {
        "hours": hours, "outages": [plan.outages.share_of_days, plan.outages.lasting_s], "settings": settings,
        "figures": figures(result, plan), "result": result.as_json(),
    }  # fmt: skip
    run_directory.write_json(directory / "city.json", body)
    run = {
        "version": 1, "kind": "city", "name": f"city-{plan.spec.name}", "title": plan.spec.title, **made,
        "seed": plan.seed, "outcome": "failed" if code_of(result) else "passed", "left_out": [], "scenarios": [],
    }  # fmt: skip
    run_directory.write_json(directory / "run.json", {**run, "duration_s": round(result.wall_s, 2)})


def figures(result: CityResult, plan: CityPlan) -> list[dict[str, Any]]:
    """The figures for people: name, value, unit, what it counts."""
    from bench.sweep import closed_form

    intervals = sorted({group.interval_s for group in plan.spec.fleet})
    begun_s = sum(result.fates.values()) * closed_form.mean_air_time_ns(plan.spec) / 1e9
    rows = [
        ("meters", result.meters, "", "of all groups of the fleet"),
        ("gateways", result.gateways, "", "of all groups"),
        ("interval", " and ".join(f"{interval_s:g}" for interval_s in intervals), "s", "between telegrams of a meter"),
        (
            "load at a gateway",
            begun_s / (max(1, result.gateways) * plan.duration_ns / 1e9),
            "erlang",
            "air time begun by meters in reach / time, mean over gateways",
        ),
        ("links", result.links, "", "pairs of a meter and a gateway in reach, those at the edges of shards again"),
        ("telegrams sent", result.frames_sent, "", "frames begun in the run"),
        ("telegrams heard", result.frames_heard, "", "by at least one gateway, each once"),
        ("delivery ratio", result.delivery_ratio, "", "heard / sent"),
    ]
    rows += missed_figures(result.missed)
    if result.telegram_bytes:
        rows.append(("bytes heard", result.telegram_bytes, "bytes", "on the air, encrypted, with CRCs, each once"))
    if result.readings is not None:
        stored = result.readings
        rows += [
            ("readings stored", stored["stored"], "", "decrypted, checked and kept by the portal"),
            ("copies", stored["copies"], "", "of telegrams that another gateway had brought already"),
            *((f"refused: {why}", count, "", "by the portal") for why, count in stored["refused"].items()),
            ("missing", stored["missing"], "", "telegrams that a gateway received and that are no reading"),
            ("altered", stored["altered"], "", "readings that are not what the meter said, or twice the same"),
        ]
        rows += upstream_figures(stored["upstream"], plan.duration_ns / 1e9)
        if stored["out"] is not None:
            rows.append(("readings on disk", stored["bytes"], "bytes", f"in {stored['files']} files: {stored['out']}"))
    return [dict(zip(("name", "value", "unit", "what"), row, strict=True)) for row in rows]


def with_room(plan: CityPlan) -> CityPlan:
    """Where disk does not suffice for every telegram that is sent: reckoned for those that a sample hears."""
    from sim.city.disk_sample import heard_share
    from sim.city.plan import free_disk_bytes

    assert plan.out is not None
    if plan.disk_bytes() <= free_disk_bytes(plan.out):
        return plan
    return replace(plan, heard_share=heard_share(plan))


def room_in_words(plan: CityPlan) -> str:
    """What the run will take, before it takes it."""
    from sim.city.plan import free_disk_bytes

    assert plan.out is not None
    free = free_disk_bytes(plan.out)
    sampled = "" if plan.heard_share == 1 else f" (a sample hears {plan.heard_share:.3f} of what is sent)"
    return (
        f"stored readings: up to {plan.disk_bytes() / 2**30:.2f} GiB of {free / 2**30:.1f} GiB free{sampled}, "
        f"and about {plan.memory_bytes() / 2**30:.1f} GiB of memory"
    )


def missed_figures(missed: dict[str, Any]) -> list[tuple[str, Any, str, str]]:
    """Of meters that nothing was heard of."""
    days, months = missed["without_a_reading"], missed["at_month_end"]
    rows: list[tuple[str, Any, str, str]] = []
    if days:
        worst = max(days, key=lambda day: days[day])
        rows += [
            ("without a reading, a day", sum(days.values()) / len(days), "meters", f"mean over {len(days)} whole days"),
            ("without a reading, worst day", days[worst], "meters", f"on {worst}"),
        ]
    for one in months:
        what = f"nothing heard on {one['last_day']}; {one['without_in_month']} meters in the whole month"
        rows.append(("at the month's end", one["without_that_day"], "meters", what))
    return [*rows, ("never heard", missed["never"], "meters", "in the whole run")]


def upstream_figures(told: dict[str, Any], lasts_s: float) -> list[tuple[str, Any, str, str]]:
    """Of gateways to the portal."""
    return [
        ("connections", told["connections"], "", "one a gateway"),
        ("messages upstream", told["messages"] / lasts_s, "1/s", "bundles closed, all gateways"),
        ("bytes upstream", told["payload_bytes"] / lasts_s, "bytes/s", "of bundles, encoded, at most; without headers"),
        ("waiting at most", told["waiting_most"], "", "telegrams that gateways held after a take of the portal"),
        ("waiting at the end", told["waiting_at_end"], "", "telegrams that gateways still hold"),
    ]


def summary(result: CityResult, hours: float) -> str:
    """The result for people."""
    pairs = sum(result.fates.values())
    lines = [
        f"{result.world}, seed {result.seed}: {result.meters:,} meters, {result.gateways:,} gateways, {hours:g} h",
        f"  sent        {result.frames_sent:>15,}",
        f"  heard       {result.frames_heard:>15,}   {result.delivery_ratio:.4f} of those sent",
        *([_BYTES.format(result.telegram_bytes)] if result.depth == "bytes" else []),
        f"  at gateways {pairs:>15,}   a frame at a gateway in reach, of these:",
        *(f"    {label:<16}{count:>9,}   {count / max(1, pairs):.4f}" for label, count in result.fates.items()),
        *told_of_missed(result),
        *told_of_readings(result.readings or {}),
        f"  digest      {result.received_digest}   of the set of telegrams received",
        f"  took {result.wall_s:.1f} s, {result.transmissions_a_s / 1e6:.2f} million transmissions/s, {result.workers} "
        f"workers, {result.shards} shards, {result.peak_bytes_a_worker / 2**20:.0f} MiB a worker at most",
    ]
    return "\n".join(lines)


def told_of_missed(result: CityResult) -> list[str]:
    """Meters without a reading, and the worst one."""
    days = result.missed["without_a_reading"]
    lines = [f"  never heard {result.missed['never']:>15,}   meters of which no gateway received anything"]
    if days:
        worst = max(days, key=lambda day: days[day])
        lines.append(f"  no reading  {days[worst]:>15,}   meters on the worst of {len(days)} days, {worst}")
    for one in result.missed["at_month_end"][-1:]:
        lines.append(f"  month's end {one['without_that_day']:>15,}   meters without a reading on {one['last_day']}")
    for bad in result.worst[:1]:
        lines.append(f"  worst meter {bad['meter'] + 1:>15,}   {bad['heard']} of {bad['sent']} heard; {bad['why']}")
    return lines


def told_of_readings(readings: dict[str, Any]) -> list[str]:
    """What the portal made of it; nothing for a run that did not go so far."""
    if not readings:
        return []
    refused = sum(readings["refused"].values())
    why = ", ".join(f"{reason} {count:,}" for reason, count in readings["refused"].items())
    place = f"   in {readings['files']} files, {readings['bytes']:,} B: {readings['out']}" if readings["out"] else ""
    return [
        f"  stored      {readings['stored']:>15,}{place}",
        f"  copies      {readings['copies']:>15,}   of telegrams that another gateway had brought already",
        f"  refused     {refused:>15,}   {why}".rstrip(),
        f"  missing     {readings['missing']:>15,}   received by a gateway, and no reading",
        f"  altered     {readings['altered']:>15,}   readings that are not what the meter said",
        f"  rows        {readings['digest']:>16}  digest of what is stored",
    ]
