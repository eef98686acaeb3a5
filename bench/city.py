"""`./wmbench city WORLD`: a whole city on the air, for capacity planners: how much is sent, heard and lost, and why.

The world is a file of scenarios/worlds/ (by its stem) or a path. Nothing of it is kept but the figures; the same seed
gives the same figures and digest with any number of workers and shards.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import rundir
from bench.options import Options, changed, seed

if TYPE_CHECKING:
    from sim.city.run import CityResult


def add(commands: Any) -> None:
    city = commands.add_parser("city", help="a whole city as arrays: what is sent, heard and lost, and why")
    city.add_argument("world", metavar="WORLD", help="a name in scenarios/worlds/, or a TOML file")
    city.add_argument(
        "--depth", choices=["radio", "bytes"], default="bytes",
        help="radio: who hears what; bytes: every telegram heard is built, encrypted and CRC'd (default)",
    )  # fmt: skip
    span = city.add_mutually_exclusive_group()
    span.add_argument("--days", type=float, metavar="DAYS")
    span.add_argument("--hours", type=float, metavar="HOURS", help="how long it lasts (24)")
    city.add_argument("--seed", type=seed, default=1)
    city.add_argument("--workers", type=int, default=1, metavar="N", help="processes")
    city.add_argument("--shards", type=int, metavar="N", help="pieces, one at a time a process; more need less memory")
    city.add_argument("--outages", type=float, default=0.0, metavar="SHARE", help="of days on which a gateway fails")
    city.add_argument("--outage-s", type=float, default=3_600.0, metavar="SECONDS", help="how long it fails (3600)")
    city.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a world setting")
    city.add_argument("--json", action="store_true")
    city.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    from sim.city.plan import CityPlan, Outages
    from sim.city.run import run
    from sim.spec import load

    hours = 24.0 if arguments.hours is None else arguments.hours
    if arguments.days is not None:
        hours = arguments.days * 24
    spec = changed(load(world_file(arguments.world)), Options(None, tuple(arguments.set)))
    plan = CityPlan(
        spec, arguments.seed, round(hours * 3_600e9), arguments.depth, workers=arguments.workers,
        shards=arguments.shards, outages=Outages(arguments.outages, arguments.outage_s),
    )  # fmt: skip
    result = run(plan)
    print(json.dumps(result.as_json(), indent=1) if arguments.json else told(result, hours))
    return 0


def world_file(name: str) -> Path:
    """A path as it stands, or the world of this name."""
    path = Path(name)
    return path if path.suffix == ".toml" else rundir.ROOT / "scenarios" / "worlds" / f"{name}.toml"


def told(result: CityResult, hours: float) -> str:
    """The result for people."""
    pairs = sum(result.fates.values())
    lines = [
        f"{result.world}, seed {result.seed}: {result.meters:,} meters, {result.gateways:,} gateways, {hours:g} h",
        f"  sent        {result.frames_sent:>15,}",
        f"  heard       {result.frames_heard:>15,}   {result.delivery_ratio:.4f} of those sent",
        f"  bytes       {result.telegram_bytes:>15,}   on the air, encrypted, with CRCs",
        f"  at gateways {pairs:>15,}   a frame at a gateway in reach, of these:",
        *(f"    {label:<16}{count:>9,}   {count / max(1, pairs):.4f}" for label, count in result.fates.items()),
        f"  digest      {result.received_digest}   of the set of telegrams received",
        f"  took {result.wall_s:.1f} s, {result.transmissions_a_s / 1e6:.2f} million transmissions/s, {result.workers} "
        f"workers, {result.shards} shards, {result.peak_bytes_a_worker / 2**20:.0f} MiB a worker at most",
    ]
    return "\n".join(line for line in lines if result.telegram_bytes or "bytes" not in line)
