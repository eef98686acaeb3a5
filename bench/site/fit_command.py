"""`./wmbench site fit LOG`: path loss from measured levels, as a model that `size` uses."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench import named_files
from bench.options import Commands
from bench.run_errors import CannotRun
from bench.site.size_options import LEVEL_DBM
from sim.core.settings import SpecError

_WORDS = {
    "power": ("N, ten times the exponent", "", "28, ITU-R P.1238, residential"),
    "floor_db": ("a floor", "dB", "4, ITU-R P.1238, residential"),
    "outer_wall_db": ("an outer wall", "dB", "14.2, ITU-R P.2109, traditional, median"),
    "power_dbm": ("radiated power", "dBm", ""),
    "sigma_db": ("spread of places", "dB", "8, ITU-R P.1238"),
}


def add(verbs: Commands) -> None:
    """`site fit` on the command line."""
    fit = verbs.add_parser("fit", help="path loss from measured levels, for `size --fitted`")
    fit.add_argument("log", metavar="LOG", type=Path, nargs="+",
                     help="a table (CSV: distance_m, rssi_dbm, floors, ...), or logs of one receiver")  # fmt: skip
    fit.add_argument("--places", metavar="FILE", type=Path,
                     help="where the meters of a log are: as for `site import`, with a column id")  # fmt: skip
    fit.add_argument("--gateway", metavar="ADDRESS", help="of its row of type gateway where the log was written")
    fit.add_argument("--names", metavar="COLUMN=NAME,...", default="", help="what columns of places are called")
    fit.add_argument("--metres", action="store_true", help="columns east_m and north_m in place of lat and lon")
    fit.add_argument("--anywhere", action="store_true", help="the site is not in Europe")
    fit.add_argument("--power-dbm", type=LEVEL_DBM, metavar="DBM",
                     help="radiated by the meters, gains included (without it, it is fitted)")  # fmt: skip
    fit.add_argument("--sensitivity-dbm", type=LEVEL_DBM, metavar="DBM",
                     help="of the receiver, for links not heard")  # fmt: skip
    fit.add_argument("--out", metavar="MODEL.toml", type=Path, help="the model, for `size --fitted`")
    fit.add_argument("--json", action="store_true")
    fit.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Raises SpecError, CannotRun."""
    from dataclasses import asdict

    from sim.core.quoting import hidden
    from sim.desk import toml_text
    from sim.radio import fitted
    from sim.radio.fit import CannotFit, fit

    links, notes = _links(arguments)
    source = ", ".join(one.name for one in arguments.log)
    try:
        got = fit(links, power_dbm=arguments.power_dbm, sensitivity_dbm=arguments.sensitivity_dbm)
    except CannotFit as error:
        raise CannotRun(f"{source}: {error}") from None
    model = fitted.of(got, f"fitted to {source}")
    if arguments.out is not None:
        words = f"Path loss by {got.heard} links heard and {got.unheard} not heard; for ./wmbench size --fitted."
        lines = [toml_text.comment(words)]
        lines += [f"{key} = {toml_text.value(what)}\n" for key, what in asdict(model).items() if what is not None]
        with named_files.writing():
            arguments.out.write_text("".join(lines), encoding="ascii")
            fitted.load(arguments.out)
    if arguments.json:
        told = {name: {"value": value, "low": got.interval(name)[0], "high": got.interval(name)[1]}
                for name, value in zip(got.names, got.values, strict=True)}  # fmt: skip
        print(json.dumps({"heard": got.heard, "unheard": got.unheard, "fitted": told, "not_told": got.not_told,
                          "notes": notes}, indent=1))  # fmt: skip
        return 0
    print(hidden(f"{source}: {got.heard} links heard, {got.unheard} not heard"))
    print("                               value   95 of 100          without a fit")
    for name, value in zip(got.names, got.values, strict=True):
        (words, unit, usual), (low, high) = _WORDS[name], got.interval(name)
        print(f"  {words:<26} {value:7.2f}   {f'{low:.2f} to {high:.2f} {unit}':<20} {usual}".rstrip())
    for name in got.not_told:
        print(f"  {_WORDS[name][0]:<26} these links do not tell it from the others; it stays {_WORDS[name][2]}")
    for note in notes:
        print(hidden(f"  {note}"))
    if arguments.out is not None:
        print(hidden(f"model: {arguments.out}"))
    return 0


def _links(arguments: argparse.Namespace) -> tuple[Any, list[str]]:
    from bench.site import houses, rows, rssi_log

    if rssi_log.is_table(arguments.log[0]):
        if len(arguments.log) > 1 or arguments.places is not None:
            raise SpecError(f"{arguments.log[0]}: is a table of links, which stands alone: no --places, no other file")
        return rssi_log.table(arguments.log[0]), []
    if arguments.places is None or arguments.gateway is None:
        raise SpecError(
            f"{arguments.log[0]}: has no columns distance_m and rssi_dbm, so it is taken for a receiver's log; that "
            "needs --places FILE and --gateway ADDRESS"
        )
    heard = rssi_log.log(arguments.log)
    if not heard.telegrams:
        raise SpecError(
            f"{arguments.log[0]}: {heard.without} telegrams without a level and {heard.bad} lines that are none; "
            "a fit needs lines that say the level (RSSI)"
        )
    problems = rows.Problems(arguments.places)
    found = rows.read(arguments.places, rows.names_of(arguments.names), arguments.metres, problems)
    problems.stop()
    placed, _ = houses.on_a_plane(found, problems, metres=arguments.metres, anywhere=arguments.anywhere)
    links, strangers = rssi_log.joined(heard, placed, arguments.gateway, problems)
    notes = [
        f"{heard.telegrams} telegrams with a level, {heard.without} without, {heard.bad} lines that are no telegram"
    ]
    if strangers:
        notes.append(f"{strangers} meters of the log have no place in {arguments.places.name} and are left out")
    return links, notes
