"""`./wmbench site import FILE --out SITE.toml`: a list of addresses (CSV, GeoJSON) to a site that worlds can use; and
`site fit` (bench/site/fit_command.py)."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from bench import named_files
from bench.options import Commands
from bench.site import fit_command


def add(commands: Commands) -> None:
    """`site` on the command line."""
    site = commands.add_parser("site")
    verbs = site.add_subparsers(dest="verb", required=True, metavar="VERB")
    import_ = verbs.add_parser(
        "import", help="CSV (address, lat, lon, floor, flat, type, count) or GeoJSON to a site file"
    )
    import_.add_argument("file", metavar="FILE", type=Path)
    import_.add_argument(
        "--out", metavar="SITE.toml", type=Path, required=True, help="where to; a page with a map beside it"
    )
    import_.add_argument("--title", metavar="WORDS", help="(the file's name)")
    import_.add_argument(
        "--names", metavar="COLUMN=NAME,...", default="", help="what columns are called, as in lat=Breite"
    )
    import_.add_argument("--metres", action="store_true", help="columns east_m and north_m in place of lat and lon")
    import_.add_argument("--type", metavar="TYPE", help="of rows that name none; ./wmbench list meters shows them")
    import_.add_argument("--types", metavar="NAME=TYPE,...", default="", help="what the list calls its types, as in "
                         "HKV=qundis-q-caloric,Wasser=qundis-q-water")  # fmt: skip
    import_.add_argument("--leave-out", action="store_true", help="rows that cannot be right are named and left out, "
                         "instead of the whole file being refused")  # fmt: skip
    import_.add_argument("--anywhere", action="store_true", help="the site is not in Europe")
    import_.add_argument("--width-m", type=float, default=15.0, metavar="METRES", help="of a house, along east (15)")
    import_.add_argument("--depth-m", type=float, default=12.0, metavar="METRES", help="of a house, along north (12)")
    import_.add_argument("--outer-wall-db", type=float, default=0.0, metavar="DB", help="what an outer wall takes (0)")
    import_.set_defaults(command=command_import)
    fit_command.add(verbs)


def command_import(arguments: argparse.Namespace) -> int:
    """Raises SpecError, CannotRun."""
    from bench.site import houses, rows, site_text
    from reports import site_page
    from sim.core.quoting import hidden
    from sim.core.settings import Place, build
    from sim.meters.meter_type import kinds
    from sim.radio import site_file

    problems = rows.Problems(arguments.file)
    types = rows.types_of(arguments.types, list(kinds()))
    found = rows.read(arguments.file, rows.names_of(arguments.names), arguments.metres, problems, types)
    if not arguments.leave_out:
        problems.stop()
    box = {"name": "-", "width_m": arguments.width_m, "depth_m": arguments.depth_m,
           "outer_wall_db": arguments.outer_wall_db}  # fmt: skip
    build(site_file.House, box, Place("command line", {}))  # the limits of a house

    def made_of(some: list[rows.Row], problems: rows.Problems) -> site_file.SiteFile:
        return houses.site(
            some, problems, title=arguments.title or arguments.file.stem, types=list(kinds()),
            default_type=arguments.type, metres=arguments.metres, anywhere=arguments.anywhere,
            boxes=houses.Boxes(arguments.width_m, arguments.depth_m, arguments.outer_wall_db),
        )  # fmt: skip

    if arguments.leave_out:
        made, problems = rows.right(found, problems, made_of)
        made = replace(made, left_out=len(problems.lines))
    else:
        made = made_of(found, problems)
    page = arguments.out.with_suffix(".html")
    with named_files.writing():
        arguments.out.write_text(site_text.text(made, arguments.file.name), encoding="ascii")
        site_file.load.cache_clear()
        page.write_text(site_page.render(site_file.load(arguments.out)), encoding="utf-8")
    counts = f"{len(made.house)} houses, {sum(one.count for one in made.meter)} meters, {len(made.gateway)} gateways"
    print(hidden(f"{made.title}: {counts}"))
    for one in problems.found[: rows.MOST_PROBLEMS]:
        print(hidden(f"left out: {one}"))
    if made.left_out:
        print(f"{made.left_out} rows are left out; what is sized from this file says so")
    if not made.gateway:
        print("no gateway hangs yet: a world needs [[gateway]] entries in the file")
    print(hidden(f"site: {arguments.out}"))
    print(hidden(f"page: {page}"))
    return 0
