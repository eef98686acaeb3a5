"""What the referee notes of a window at once is what it notes of each frame at each receiver, one after the other."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from sim.core.events import Fate
from sim.core.history import FrameBatch
from sim.gateway.thinning import Thinning
from sim.radio.emissions import Emission
from sim.radio.link_modes import Mode
from sim.radio.links import Radios
from sim.radio.window_report import WindowReport, WindowTap
from sim.truth.air_tap import AirTap
from sim.truth.ledger import Ledger, Spoken
from sim.world import World

METERS, GATEWAYS, RECEIVERS = 4, 3, 5
TABLES = ("sent", "spoken", "taken", "brought")


def frame_of(meter: int, k: int) -> bytes:
    return bytes([20, 0x44, *([meter] * 8), k, 0x7A])


def world(seed: int) -> World:
    """Three gateways, of which the last thins; receivers from 3 on are somebody else's. By seed, meters belong to one
    gateway each, or the last receiver is a meter's own."""
    rules = (None, None, Thinning(500))
    gateways = [SimpleNamespace(id=f"gw-{number}", thinning=rule) for number, rule in enumerate(rules)]
    system = SimpleNamespace(attached=np.array([0, 1, 2, -1]) if seed % 3 == 1 else None)
    two_way = [SimpleNamespace(receiver=RECEIVERS - 1)] if seed % 3 == 2 else []
    fleet = SimpleNamespace(n=METERS)
    own = set[int]()
    return cast(
        "World",
        SimpleNamespace(gateways=gateways, system=system, two_way=two_way, fleet=fleet, own_receivers=own),
    )


def drawn(seed: int) -> WindowReport:
    """Frames of meters and of an intruder, each at some receivers with some fate; of some the bytes are made."""
    draw = random.Random(seed)
    rows, ends, intruders = list[tuple[int, ...]](), list[int](), dict[tuple[int, int, int], Emission]()
    keys = sorted({(draw.randrange(2_000), draw.randrange(METERS + 1)) for _ in range(30)})
    data = list[bytes | None]()
    for k, (start_ns, source) in enumerate(keys):
        if source == METERS:
            raw = b"forged" + bytes([k])
            intruders[start_ns, source, k] = Emission(source, k, Mode.T1, start_ns, start_ns + 10, 7, 0, frame_of, raw)
        data.append(frame_of(source, k) if source < METERS and draw.random() < 0.5 else None)
        for receiver in sorted(draw.sample(range(RECEIVERS), draw.randint(1, RECEIVERS))):
            fate = Fate.COLLISION if source == METERS and draw.random() < 0.4 else Fate.RECEIVED
            rows.append((start_ns, source, k, receiver, int(fate), -8_000, 12))
            ends.append(start_ns + 10)
    batch = FrameBatch.of(rows)  # type: ignore[arg-type]
    frame = np.cumsum(np.append(True, batch.k[1:] != batch.k[:-1])) - 1
    radios = Radios(*(np.full(METERS, value) for value in (int(Mode.T1), 12, 700, 10)))
    first = np.flatnonzero(np.diff(frame, prepend=-1))
    return WindowReport(batch, frame, first, np.array(ends), radios, intruders, data, frame_of)


def noted(ledger: Ledger) -> dict[str, list[Any]]:
    ledger.flush(10**9)
    with sqlite3.connect(ledger.path) as db:
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}


@pytest.mark.parametrize("seed", range(20))
def test_a_window_at_once_notes_what_each_of_its_frames_does(seed: int, tmp_path: Path) -> None:
    found = []
    for way in ("at once", "one by one"):
        report, ledger = drawn(seed), Ledger(tmp_path / way)
        tap = AirTap(world(seed), ledger)
        assert isinstance(tap, WindowTap)
        for (start_ns, source, k), emission in report.intruders.items():
            ledger.speak(Spoken(source, k, start_ns, emission.telegram), emission.end_ns)
        if way == "at once":
            tap.window(report)
        else:
            rows = report.rows
            for at in range(len(rows)):
                emission = report.emissions[int(report.frame[at])]
                tap(emission, int(rows.receiver[at]), Fate(int(rows.fate[at])), int(rows.rssi_cdbm[at]))
        found.append(noted(ledger))
        ledger.close()
    assert found[0] == found[1]
    assert found[0]["sent"] and found[0]["spoken"]
