"""A gateway, or wired meters, as a program of its own on a terminal, until its input ends.

    python -m sim.smart_metering.lmn.on_line make FOLDER --meters 3
    python -m sim.smart_metering.lmn.on_line meters FOLDER/meters --tty /dev/ttyUSB0
    python -m sim.smart_metering.lmn.on_line gateway FOLDER/gateway --tty /dev/ttyUSB1

Both may lose their power at any moment: what a meter measured the gateway has, once both are there again. With
`--period 1` meters measure and the gateway asks each second. Lines of output say what a gateway found on its bus.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sim.core.clock import NS_PER_S, unix_ns, wall_now
from sim.pki.content_ciphers import library_bytes
from sim.smart_metering.lmn import line_folders
from sim.smart_metering.lmn.tty_wire import LineLost, MetersOnLine, Tty, TtyWire
from sim.smart_metering.lmn.wired_bus import BusSetup, WiredBus
from sim.smart_metering.lmn.wired_store import WiredStore


def main(words: list[str]) -> int:
    """2 for folders or a terminal that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m sim.smart_metering.lmn.on_line")
    parser.add_argument("what", choices=("make", "gateway", "meters"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tty", type=Path, help="the terminal")
    parser.add_argument("--period", type=int, default=900, metavar="S", help="seconds between values")
    parser.add_argument("--meters", type=int, default=1, metavar="N", help="make: so many")
    parser.add_argument("--seed", type=int, default=0, help="make: of the houses")
    parser.add_argument("--crc", choices=("X25", "KERMIT"), default="X25", help="make: of the meters' SML")
    parser.add_argument("--pairing", choices=("certificates", "meter key"), default="certificates", help="make: how")
    given = parser.parse_args(words)
    try:
        if given.what == "make":
            since = wall_now().replace(microsecond=0) - timedelta(days=1)
            line_folders.make(given.folder, given.meters, given.seed, since, crc=given.crc, pairing=given.pairing)
            return 0
        if given.tty is None:
            parser.error("--tty names the terminal")
        tty = Tty(given.tty)
        return (_gateway if given.what == "gateway" else _meters)(given.folder, tty, max(1, given.period))
    except (line_folders.FolderError, LineLost) as error:
        print(f"on_line: {error}", file=sys.stderr)
        return 2


def _now_s() -> int:
    return unix_ns() // NS_PER_S


def _ended(most_s: float) -> bool:
    """Its input ended; waits for that so long."""
    ready, _, _ = select.select([sys.stdin], [], [], most_s)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1)


def _meters(folder: Path, tty: Tty, period_s: int) -> int:
    meters = line_folders.meters_in(folder, period_s)
    since_s = _now_s()
    line = MetersOnLine(tty, meters)
    print("ready", flush=True)
    while not _ended(0.0):
        for meter in meters:
            meter.measure(_now_s(), since_s)
        line.turn(0.1, sys.stdin.fileno())
    return 0


def _gateway(folder: Path, tty: Tty, period_s: int) -> int:
    end = line_folders.own_end(folder)
    store = WiredStore(folder / "wired.sqlite")
    setup = BusSetup(
        end.write(folder, "lmn"), end.certificate, library_bytes, datetime.fromtimestamp(_now_s(), UTC), _tell,
        lambda meter: line_folders.keep_paired(folder, meter), period_s,
    )  # fmt: skip
    bus = WiredBus(TtyWire(tty), store, setup, line_folders.paired_in(folder))
    print("ready", flush=True)
    while not _ended((period_s * NS_PER_S - unix_ns() % (period_s * NS_PER_S)) / NS_PER_S):
        bus.contact(_now_s())
    store.close()
    return 0


def _tell(what: str, meter: str, detail: str) -> None:
    print(json.dumps({"what": what, "meter": meter, "detail": detail}), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
