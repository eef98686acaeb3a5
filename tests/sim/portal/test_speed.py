"""How fast the portal takes telegrams, all defences on. As a program it prints the figures of the model page."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import pytest
from bed import INTERVAL_S, METER, Bed, telegram

from sim.core.clock import ns
from sim.portal.meter_registry import MeterEntry
from wmbus.link import Address

# A day of a thousand meters in 12 s, and as much again for a machine that is busy or half as fast.
LIMIT_CPU_S_A_READING = 2 * 12 / 96_000


def measure(directory: Path, security: Any, meters: int, telegrams: int) -> tuple[float, float, Bed]:
    """(wall seconds, processor seconds) to take `telegrams` of each meter, each heard by two gateways."""
    addresses = [Address(METER.manufacturer, f"{10_000_000 + i}", METER.version, 8) for i in range(meters)]
    entries = [MeterEntry(address, security, INTERVAL_S, frozenset({"gw1", "gw2"})) for address in addresses]
    b = Bed(directory, entries=entries)
    wall_s = cpu_s = 0.0
    for k in range(1, telegrams + 1):
        heard = [
            (telegram(k, security=security, meter=address), k * INTERVAL_S + i * 60 / meters)
            for i, address in enumerate(addresses)
        ]
        messages = [
            b.message(gateway, heard[start : start + 400])
            for gateway in ("gw1", "gw2")
            for start in range(0, meters, 400)
        ]
        before = time.perf_counter(), time.process_time()
        b.portal.take(messages, ns((k + 1) * INTERVAL_S))
        b.portal.watch(ns((k + 1) * INTERVAL_S))
        wall_s += time.perf_counter() - before[0]
        cpu_s += time.process_time() - before[1]
    return wall_s, cpu_s, b


@pytest.mark.parametrize("security", ["mode5", "mode7"])
def test_a_thousand_meters(tmp_path: Path, security: str) -> None:
    _, cpu_s, b = measure(tmp_path, security, 1_000, 3)
    assert (b.portal.counts["stored"], b.portal.counts["copies"]) == (3_000, 3_000)
    assert b.events == []
    assert cpu_s < 3_000 * LIMIT_CPU_S_A_READING


if __name__ == "__main__":
    for mode in ("none", "mode5", "mode7"):
        with tempfile.TemporaryDirectory() as folder:
            wall, cpu, _ = measure(Path(folder), mode, 1_000, 96)
        print(f"{mode}: 96 000 readings and 96 000 copies in {wall:.1f} s wall, {cpu:.1f} s processor")
