"""Inventory entries and frames for tests of boxes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sim.core.clock import wall_ns
from sim.desk import inventory
from sim.desk.inventory import GatewayEntry, PowerSpec, RunSpec
from sim.feeders.port import Sent

HEADER = bytes.fromhex("4493157856341233037a")


def frame(mark: int) -> bytes:
    """40 bytes behind L, after a genuine link header; `mark` tells them apart."""
    return bytes((40,)) + HEADER + mark.to_bytes(4, "big") + bytes(26)


def sent(mark: int) -> Sent:
    return Sent(frame(mark), "T1", -70.5, wall_ns())


def reference(**changes: object) -> GatewayEntry:
    """The ready entry, with bundles of a tenth of a second."""
    entry = inventory.find("reference", None)
    command = (*entry.run.command[:-1], "0.1")
    run = dataclasses.replace(entry.run, command=command)
    return dataclasses.replace(entry, **{"run": run, **changes})


def running(
    command: tuple[str, ...], *, settle_s: float = 0.0, ready_line: str = "", ready_s: float = 5.0
) -> GatewayEntry:
    """A gateway that is this command."""
    return reference(run=RunSpec(command=command, ready_s=ready_s, settle_s=settle_s, ready_line=ready_line))


def relay(folder: Path) -> PowerSpec:
    """A relay that notes what it was told."""
    log = folder / "relay.log"
    return PowerSpec(cut=("sh", "-c", f"echo cut >>{log}"), on=("sh", "-c", f"echo on >>{log}"))
