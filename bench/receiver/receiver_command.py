"""`./wmbench receiver`: the receivers that gateways can have, and a receiver program measured anew.

./wmbench receiver list
./wmbench receiver show sdr-rtl_433
./wmbench receiver measure rtl_433 --frames 20 --save mine.toml
./wmbench receiver measure 'mine --file {iq}' --format rtl_wmbus
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.options import Commands, Once, count, seed
from bench.run_errors import CannotRun

if TYPE_CHECKING:
    from bench.receiver.measuring import Measured
    from sim.radio.receiver_profile import Points, ReceiverFile

_MODES = ("T1", "C1", "S1")


def add(commands: Commands) -> None:
    """`receiver` on the command line."""
    receiver = commands.add_parser("receiver")
    verbs = receiver.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("list", help="the profiles that a gateway can have").set_defaults(command=_list)
    show = verbs.add_parser("show", help="one profile: its curves and where they are from")
    show.add_argument("id", metavar="ID")
    show.set_defaults(command=_show)
    measure = verbs.add_parser("measure", help="feed IQ to a receiver program; the share of telegrams it prints")
    measure.add_argument("program", metavar="COMMAND", help="rtl_433, rtl_wmbus, or a command; {iq} is the recording")
    measure.add_argument("--format", metavar="ID", help="what it prints, by sim/lines/codecs (rtl_433-json, rtl_wmbus)")
    measure.add_argument("--frames", type=count(1, 10_000), default=20, metavar="N", help="telegrams a point (20)")
    measure.add_argument("--modes", nargs="+", choices=_MODES, default=list(_MODES), metavar="MODE")
    measure.add_argument("--save", type=Path, metavar="FILE", help="as a profile (needs all three modes)")
    measure.add_argument("--against", metavar="ID", help="print the shares of this profile beside")
    measure.add_argument("--json", action="store_true")
    measure.add_argument("--seed", type=seed, action=Once, default=1)
    measure.set_defaults(command=_measure)



def _list(_: argparse.Namespace) -> int:
    from sim.radio.receiver_names import DEFAULT
    from sim.radio.receiver_profile import profiles

    for id_, one in profiles().items():
        print(f"{id_:<24}{one.title}{' (the default)' if id_ == DEFAULT else ''}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from sim.radio.receiver_profile import file_of

    print(file_of(arguments.id).read_text(encoding="utf-8"), end="")
    return 0


def _measure(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, UnknownPart."""
    from bench.receiver.measuring import measure
    from bench.receiver.trial import KNOWN, Program
    from sim.lines.codecs.port import CODECS
    from sim.radio.receiver_profile import profile

    program = KNOWN.get(arguments.program)
    if program is None:
        name = Path((shlex.split(arguments.program) or [""])[0]).name if arguments.program.count("'") % 2 == 0 else ""
        line_format = arguments.format or (KNOWN[name].line_format if name in KNOWN else None)
        if line_format is None:
            raise CannotRun(f"what does it print? Give --format, one of {', '.join(CODECS.parts())}")
        program = Program(arguments.program, line_format)
    CODECS.find(program.line_format)
    if arguments.save is not None and set(arguments.modes) != set(_MODES):
        raise CannotRun("a profile has all three modes: leave out --modes, or --save")
    if arguments.against is not None:
        profile(arguments.against)
    found = measure(program, arguments.modes, arguments.frames, arguments.seed, _say)
    if arguments.json:
        print(json.dumps(found.points))
    else:
        _print(found, arguments.against)
    if arguments.save is not None:
        source = (f"Measured by `wmbench receiver measure` with {arguments.frames} telegrams a point, seed "
                  f"{arguments.seed}: {program.command}. Capture at 30 dB over noise.")  # fmt: skip
        try:
            arguments.save.write_text(as_toml(found.profile(arguments.program, source)), encoding="utf-8")
        except OSError as error:
            raise CannotRun(f"{arguments.save} cannot be written: {error.strerror}; give another place") from None
        print(f"profile: {arguments.save}")
    return 0


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)


def _print(found: Measured, against: str | None) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    for mode, curves in found.points.items():
        for curve, points in curves.items():
            print(f"{mode} {curve:<9} dB   " + " ".join(f"{at:5g}" for at, _ in points))
            print(f"{'':<15}is" + " ".join(["", *(f"{share:5.2f}" for _, share in points)]))
            if against is not None and (told := _told(against, mode, curve, points)):
                print(f"{'':<12}has" + " " * 2 + " ".join(f"{share:5.2f}" for share in told))


def _told(id_: str, mode: str, curve: str, points: list[tuple[float, float]]) -> list[float]:
    """What a profile has at these points."""
    from bench.receiver.measuring import MODES
    from sim.radio.receiver_profile import profile

    one, row = profile(id_), list(MODES).index(mode)
    if curve == "together":
        return []
    table = {"alone": one.need, "first": one.capture, "inside": one.inside}[curve][row]
    base = (one.sensitivity_dbm + 106.0) * 100 + one.easiest_cdb if curve == "alone" else 0
    return [float((table + base <= 100 * at).mean()) for at, _ in points]


def as_toml(told: ReceiverFile) -> str:
    """A profile's file."""
    lines = [f"title = {json.dumps(told.title)}", f"source = {json.dumps(told.source)}",
             f"sensitivity_dbm = {told.sensitivity_dbm}"]  # fmt: skip
    for mode in _MODES:
        own = getattr(told, mode)
        lines += ["", f"[{mode}]"]
        lines += [f"{name} = {_listed(getattr(own, name))}" for name in ("sensitivity", "capture", "overtakes",
                                                                         "overtakes_early")]  # fmt: skip
        lines.append(f"early_us = {own.early_us}")
    return "\n".join(lines) + "\n"


def _listed(points: Points) -> str:
    return "[" + ", ".join(f"[{at:g}, {share:g}]" for at, share in points) + "]"
