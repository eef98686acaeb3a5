"""The command line of `size`: what is asked of a site, what is known of it, and what is handed on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from bench.options import Commands, above_zero, between
from bench.site.budget import PLACES
from bench.site.unknowns import MIDDLE

MOST_DRAWS: Final = 10_000
LEVEL_DBM: Final = between(-200.0, 100.0)
_above_0 = above_zero(1e6)


def parser(commands: Commands) -> argparse.ArgumentParser:
    """`size` on the command line."""
    size: argparse.ArgumentParser = commands.add_parser("size")
    size.add_argument("site", metavar="SITE.toml", type=Path, help="as `site import` writes it; gateways in it stay")
    asked = size.add_argument_group("the service")
    asked.add_argument(
        "--served", type=_share, default=0.995, metavar="SHARE", help="of meters with a young reading (0.995)"
    )
    asked.add_argument("--age-h", type=_above_0, default=24.0, metavar="HOURS", help="how old it may be (24)")
    asked.add_argument("--set-date-days", type=_above_0, metavar="DAYS",
                       help="all have the value of the set date by this day after it")  # fmt: skip
    asked.add_argument("--one-dead", action="store_true", help="also when any one gateway is dead, for --dead-days")
    asked.add_argument("--dead-days", type=_above_0, default=7.0, metavar="DAYS", help="how long it is dead (7)")
    sent = size.add_argument_group("what meters send and gateways pass on")
    sent.add_argument("--interval-s", type=_above_0, default=900.0, metavar="SECONDS", help="of all meters (900)")
    sent.add_argument("--power-dbm", type=LEVEL_DBM, metavar="DBM", help="of all meters (7, or as fitted)")
    sent.add_argument("--bundle-s", type=_above_0, default=900.0, metavar="SECONDS", help="age of a bundle (900)")
    sent.add_argument("--thin-s", type=between(0.0, 1e6), default=0.0, metavar="SECONDS",
                      help="a gateway passes on one telegram of a meter in each (0: all)")  # fmt: skip
    sent.add_argument("--backhaul", default="lte-m", metavar="ID", help="a file of sim/network/backhauls (lte-m)")
    sent.add_argument("--outage-days", type=_above_0, default=7.0, metavar="DAYS",
                      help="of the backhaul, for the backlog and the time to recover (7)")  # fmt: skip
    radio = size.add_argument_group("radio")
    radio.add_argument("--receiver", metavar="ID", help="a profile of sim/radio/receivers")
    radio.add_argument("--sensitivity-dbm", type=LEVEL_DBM, metavar="DBM", help="instead of the profile's own")
    radio.add_argument("--model", default=MIDDLE, metavar="ID", help="the world to plan for: a file of "
                       "sim/radio/models, or middle: each number in the middle of what is not known (middle)"
                       )  # fmt: skip
    radio.add_argument("--fitted", metavar="MODEL.toml", type=Path, help="instead: what `site fit` found here")
    radio.add_argument("--shadowing-db", type=between(0.0, 1e6), metavar="DB", help="between places (4, or as fitted)")
    radio.add_argument("--fading-db", type=between(0.0, 1e6), default=3.0, metavar="DB", help="between frames (3)")
    search = size.add_argument_group("places and prices")
    search.add_argument("--places", choices=PLACES, help="where gateways may hang (the candidates of the site, if it "
                        "has any, else stairwells)")  # fmt: skip
    search.add_argument("--stairwell-price", type=between(0.0, 1e6), metavar="MONEY", help="of a gateway there, hung")
    search.add_argument("--roof-price", type=between(0.0, 1e6), metavar="MONEY", help="of a gateway on a roof, hung")
    search.add_argument("--exact", type=_above_0, nargs="?", const=60.0, metavar="SECONDS",
                        help="also by a solver (the extra 'solver'), for so long at most (60)")  # fmt: skip
    search.add_argument("--prices", metavar="PLAN.toml", type=Path,
                        help="as for `cost`; its meters, gateways and traffic are ours")  # fmt: skip
    sure = size.add_argument_group("how sure it is")
    sure.add_argument("--draws", type=_draws, default=32, metavar="N",
                      help="of what is not known, for the intervals (32; 0: none)")  # fmt: skip
    sure.add_argument("--seed", type=int, default=1, metavar="N", help="of the draws (1)")
    sure.add_argument("--what-if", type=Path, metavar="DIR", help="a table of questions, played by the engine over "
                      "worlds written there: gateways dead, a jammer, twice the meters, ...")  # fmt: skip
    out = size.add_argument_group("what is handed on")
    out.add_argument("--out", metavar="FILE", type=Path, help="the site with its gateways, as a file")
    out.add_argument("--page", metavar="FILE.html", type=Path, help="the plan to hand on, on one page")
    out.add_argument("--csv", metavar="FILE", type=Path, help="a line a gateway")
    out.add_argument("--geojson", metavar="FILE", type=Path, help="gateways and houses as points")
    out.add_argument("--json", action="store_true")
    return size


def _draws(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not (text == "0" or 8 <= int(text) <= MOST_DRAWS):
        raise argparse.ArgumentTypeError(f"{text!r} is not 0, or a whole number from 8 to {MOST_DRAWS}")
    return int(text)


def _share(text: str) -> float:
    value = above_zero()(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return value
