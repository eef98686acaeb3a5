"""`./wmbench bench`: what the whole is to reach, with what it reaches here beside it.

Each row of the table names its goal and how it is measured; the measuring is bench/perf's, so that a figure printed and
a figure tested are the same. Ratios (against SimPy, against the event model, growth) are of figures from this run.
Rates are per second of one core's processor time, the best of several rounds, since machines are shared.

Rows that need the pipeline of a whole city ask `bench.perf.city.FIGURES` (row's key -> function of `quick` that gives
the figure) where that is there; else they say that they are not measured. A row shows no figure of another run but
the country's, which takes both cores for minutes, and says so (bench/perf/recorded.py).
"""

from __future__ import annotations

import importlib
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from arrays import ciphers
from bench import run_directory
from bench.columns import in_columns
from bench.options import Commands, add_runs
from sim.core.clock import wall_now, wall_s

_NO_CITY = "not measured: needs the city pipeline, from meters to stored readings"


@dataclass(frozen=True, slots=True)
class Row:
    """`better`: whether a figure is to be at least or at most the goal; None: there is no goal."""

    key: str
    what: str
    goal: float
    unit: str
    better: str | None
    measured: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a figure or a goal."""
        if self.measured is None or self.better is None:
            return None
        return self.measured >= self.goal if self.better == "at least" else self.measured <= self.goal


GOALS = (
    Row("radio", "radio only: 100 000 meters, 200 gateways, 2 links, T1, 73 B", 30e6, "transmissions/s", "at least"),
    Row("radio_simpy", "  against SimPy time-outs with 10 000 processes", 50, "times", "at least"),
    Row("radio_events", "  against the event model at 10 000 meters", 300, "times", "at least"),
    Row("fading_transceiver-datasheet", "  with fading, transceiver-datasheet", 25e6, "transmissions/s", "at least"),
    Row("fading_sdr-rtl_wmbus", "  with fading, sdr-rtl_wmbus", 25e6, "transmissions/s", "at least"),
    Row("fading_sdr-rtl_433", "  with fading, sdr-rtl_433", 25e6, "transmissions/s", "at least"),
    Row("iq", "IQ of 50 frames/s with noise and a jammer, cu8, of one core", 1.6e6, "samples/s", "at least"),
    Row("mode5", "telegrams built, encrypted, CRC'd, mode 5", 12e6, "telegrams/s", "at least"),
    Row("mode7", "telegrams built, encrypted, CRC'd, mode 7", 4e6, "telegrams/s", "at least"),
    Row("tariff", "tariff engine alone, TAF 2, of one core", 2e6, "readings/s", "at least"),
    Row("smgw_taf2_s", "1 000 gateways, 10 meters each, a day at 900 s under TLS: TAF 2", 180, "s", "at most"),
    Row("smgw_taf7_s", "  TAF 7, each value signed", 600, "s", "at most"),
    Row("stored", "from reception to stored readings: bundled, checked, on disk", 1e6, "telegrams/s", "at least"),
    Row("million_s", "1 M meters, 2 000 gateways, 24 h at 900 s, outages, encrypted", 8, "s", "at most"),
    Row("million_gb", "  memory of it", 1, "GB", "at most"),
    Row("country_s", "60 M meters, 24 h at 900 s, encrypted, sharded", 0, "s", None),
    Row("country_gb", "  memory of it", 4, "GB", "at most"),
    Row("shard", "a country's shard, 2 M meters, 24 h (--quick: 0.1 M, 12 h), of its parts", 1.25, "times", "at most"),
    Row("memory", "a meter with key and two links", 300, "bytes", "at most"),
    Row("growth", "time ~ N^x from 1 000 to 10 M meters (--quick: to 1 M), x", 1.02, "", "at most"),
    Row("workers", "two workers against one, efficiency", 0.95, "", "at least"),
    Row("path_s", "a day of 1 000 meters through Mosquitto to readings, processor time", 5, "s", "at most"),
    Row("month_mb", "memory of a simulated month, 1 000 meters at 900 s, after its first day", 50, "MB", "at most"),
    Row("judging_mb", "  beside it, while the invariants are checked at its end", 0, "MB", None),
    Row("connect_s", "1 000 gateways with mutual TLS up, from one process, wall", 5, "s", "at most"),
    Row("c_client_100", "QoS 1 messages from 100 connections, against Mosquitto's C client", 0.9, "times", "at least"),
    Row("c_client_1000", "  from 1 000 connections", 0.7, "times", "at least"),
    Row("load_100", "  of `load`'s generator in two processes, 100 connections", 0.9, "times", "at least"),
    Row("load_1000", "  from 1 000 connections", 0.7, "times", "at least"),
    Row("aws_rate", "as many under AWS's rules, a core each, against Mosquitto alone", 0.7, "times", "at least"),
    Row("aws_p99", "  p99 of a bundle a minute from each of 1 000, against it", 2, "times", "at most"),
    Row("feed_ms", "first byte after a frame's end, p99, 100 frames/s to each of 8 feeders", 2, "ms", "at most"),
    Row("default_s", "default run, wall, all cores", 40, "s", "at most"),
    Row("first_s", "first use on a fresh machine: set-up, compiling, run", 110, "s", "at most"),
    Row("tests_s", "./wmbench test", 600, "s", "at most"),
    Row("setup_s", "set-up: everything compiled, once", 35, "s", "at most"),
    Row("warm_s", "start to first window", 1.5, "s", "at most"),
)  # fmt: skip


def measure(quick: bool, say: Callable[[str], None], *, long: bool = False) -> list[Row]:
    """The table filled in. `say` is called with what is being measured. `long`: also what takes minutes."""
    found: dict[str, float] = {}
    notes: dict[str, str] = dict.fromkeys(_COMMANDS, "not measured: takes minutes, ask with --long")
    steps = (_air, _iq, _bytes, _growth, _start, _city, _path, _month, _desk, _smgw)
    for step in (*steps, *([_smgw_whole, _commands] * long)):
        say(str(step.__doc__))
        step(quick, found, notes)
    return [
        Row(row.key, row.what, row.goal, row.unit, row.better, found.get(row.key), notes.get(row.key, ""))
        for row in GOALS
    ]


def _air(quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """the air, SimPy's time-outs, the event model"""
    from bench.perf import air
    from sim.radio.receiver_profile import profiles

    city = air.City(100_000, 200)
    city.window()
    found["radio"] = air.rate(city.window, lambda: city.sent, 30 if quick else 100)
    found["radio_simpy"] = found["radio"] / air.simpy_timeouts()
    found["radio_events"] = found["radio"] / air.reference_rate()
    for id_, profile in profiles().items():
        faded = air.City(100_000, 200, fading_cdb=300, profile=profile)
        faded.window()
        rounds = 20 if quick else 60
        found[f"fading_{id_}"] = air.rate(faded.window, lambda city=faded: city.sent, rounds)  # type: ignore[misc]


def _iq(quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """samples of a software radio"""
    from bench.perf import iq_rate

    found["iq"] = iq_rate.rate(seconds=2.0 if quick else 10.0)


def _bytes(quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """telegrams, and memory a meter"""
    from bench.perf import bytes as own

    found["mode5"] = own.telegram_rate("mode5", rounds=6 if quick else 20)
    found["mode7"] = own.telegram_rate("mode7", rounds=5 if quick else 12)
    found["memory"] = own.bytes_a_meter()


def _growth(quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """growth with the fleet"""
    from bench.perf import air

    found["growth"] = air.growth(1_000, 1_000_000 if quick else 10_000_000)


def _start(quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """set-up and start"""
    from bench.perf import start

    found["warm_s"] = start.warm_s(2 if quick else 4)
    if quick:
        notes["setup_s"] = "not measured with --quick: too long"
    else:
        found["setup_s"] = start.setup_s()


def _city(quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """the city, from meters to stored readings"""
    keys = ("stored", "million_s", "million_gb", "country_s", "country_gb", "shard", "workers")
    try:
        city = importlib.import_module("bench.perf.city")
        figures: dict[str, Callable[[bool], float]] = city.FIGURES
        notes |= getattr(city, "NOTES", {})
    except ModuleNotFoundError as error:
        if error.name != "bench.perf.city":
            raise
        figures = {}
    for key in keys:
        value = figures[key](quick) if key in figures else math.nan
        if math.isnan(value):
            notes[key] = _NO_CITY if key not in figures else "not measured with --quick: too long"
        else:
            found[key] = value


def _path(quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """a world's path through Mosquitto"""
    from bench.perf import path

    hours = 4 if quick else 24
    found["path_s"] = path.day(hours).processor_s * 24 / hours
    if quick:
        notes["path_s"] = f"six times the first {hours} hours, the world's making included"


def _desk(quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """connections, messages, feeders"""
    from bench.perf import aws_rate, c_client, connections, feeding, load_rate
    from sim.endpoint.port import EndpointError

    found["connect_s"] = connections.up_s()
    for name, measured in (("c_client", c_client.compared), ("load", load_rate.compared)):
        for count in (100, 1_000):
            key = f"{name}_{count}"
            try:
                one = measured(count, rounds=1 if quick else 3)
            except c_client.NoCClient as error:
                notes[key] = f"not measured: {error}"
            else:
                found[key] = one.ratio
                notes[key] = f"{one.ours_per_s:.0f} a second, mosquitto_pub {one.c_per_s:.0f}"
    try:
        alone, aws = aws_rate.compared(1_000, 20_000 if quick else 40_000, aws_rate.text(1_024), 1 if quick else 3)
    except (c_client.NoCClient, EndpointError) as error:
        notes["aws_rate"] = f"not measured: {error}"
    else:
        found["aws_rate"] = aws.could_per_s / alone.could_per_s
        notes["aws_rate"] = f"us a message: companion {aws.companion_us:.0f}, broker {aws.broker_us:.0f}; " \
            f"Mosquitto alone {alone.broker_us:.0f}; by the wall {aws.per_s / alone.per_s:.2f} times"
    gateways = 200 if quick else 1_000
    try:
        plain, ruled = aws_rate.delayed(gateways, gateways * 0.06, aws_rate.text(1_024), 1 if quick else 3)
    except EndpointError as error:
        notes["aws_p99"] = f"not measured: {error}"
    else:
        found["aws_p99"] = ruled.p99_ms / plain.p99_ms
        notes["aws_p99"] = f"{gateways} gateways, all came: {ruled.p99_ms:.1f} ms, Mosquitto alone {plain.p99_ms:.1f}"
    found["feed_ms"] = feeding.first_byte_p99_ms(10 if quick else 60)


def _month(quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """what a month adds to memory"""
    from bench.perf.month import month_mb

    if quick:
        notes |= dict.fromkeys(("month_mb", "judging_mb"), "not measured with --quick: too long")
        return
    days = 3
    found["month_mb"], found["judging_mb"] = month_mb(days)
    notes |= dict.fromkeys(("month_mb", "judging_mb"), f"as it grew over {days} days")


def _smgw(quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """tariffs, and a day of smart meter gateways"""
    from bench.perf import smgw_day, tariff_rate

    found["tariff"] = tariff_rate.rate()
    gateways = 2 if quick else 20
    for taf in (2, 7):
        found[f"smgw_taf{taf}_s"] = smgw_day.portion(taf, gateways).scaled_s
        notes[f"smgw_taf{taf}_s"] = f"processor time of {gateways} gateways, scaled by count, on {smgw_day.CORES} cores"


def _smgw_whole(_quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """a day of a thousand smart meter gateways"""
    from bench.perf import smgw_day

    for taf in (2, 7):
        found[f"smgw_taf{taf}_s"] = smgw_day.whole(taf).wall_s
        notes[f"smgw_taf{taf}_s"] = "all of them, wall"


_COMMANDS = ("default_s", "first_s", "tests_s")


def _commands(_quick: bool, found: dict[str, float], notes: dict[str, str]) -> None:
    """the default run, a first use, the tests"""
    from bench.perf import commands

    for key, measured in zip(_COMMANDS, (commands.default_run_s, commands.first_use_s, commands.tests_s), strict=True):
        try:
            found[key], notes[key] = measured(), ""
        except subprocess.CalledProcessError as error:
            notes[key] = f"not measured: the command ended with {error.returncode}"


# --- output ----------------------------------------------------------------------------------------------------


def main(*, quick: bool, as_json: bool, long: bool = False) -> int:
    """Measure, print, write bench.json. The exit code is 0 also where a goal is missed: machines differ."""
    begin = wall_s()
    quiet = not sys.stderr.isatty()
    rows = measure(quick, lambda what: None if quiet else print(f"measuring {what} ...", file=sys.stderr), long=long)
    directory = run_directory.make("bench")
    run_directory.release(directory)
    body = {
        "kind": "bench",
        "version": run_directory.VERSION,
        "commit": run_directory.commit(),
        "at": wall_now().isoformat(timespec="seconds"),
        "quick": quick,
        "took_s": round(wall_s() - begin, 1),
        "machine": {
            "system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count(),
            "aes": ciphers.engine(),
        },
        "rows": [asdict(row) | {"met": row.met} for row in rows],
    }  # fmt: skip
    run_directory.write_json(directory / "bench.json", body)
    if as_json:
        print(json.dumps(body, indent=1))
        return 0
    for line in lines(rows):
        print(line)
    print(f"took {body['took_s']} s; {directory / 'bench.json'}")
    return 0


def lines(rows: list[Row]) -> list[str]:
    """The table as text."""
    cells = [("", "goal", "measured", "")]
    for row in rows:
        sign = {"at least": ">= ", "at most": "<= ", None: ""}[row.better]
        goal = f"{sign}{number(row.goal)} {row.unit}".rstrip() if row.better else "none"
        measured = "-" if row.measured is None else number(row.measured)
        verdict = {True: "reached", False: "missed", None: ""}[row.met]
        verdict = "; ".join(part for part in (verdict, row.note) if part)
        cells.append((row.what, goal, measured, verdict))
    return in_columns(cells)


def number(value: float) -> str:
    """Three figures that mean something, millions as such."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g} M"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def add(commands: Commands) -> None:
    """`bench` on the command line."""
    parser = commands.add_parser("bench")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under 50 s")
    parser.add_argument("--long", action="store_true", help="also the default run, a first use and the tests: minutes")
    parser.add_argument("--json", action="store_true")
    add_runs(parser)
    parser.set_defaults(
        command=lambda arguments: main(quick=arguments.quick, as_json=arguments.json, long=arguments.long)
    )
