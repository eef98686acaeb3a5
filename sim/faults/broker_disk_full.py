"""The broker's disk is full: no write to a file of its process succeeds, what it keeps for sessions and in its log
neither. It goes on: what it saves is an empty file from then on, and a kill takes all of it.

The limit is the kernel's (RLIMIT_FSIZE of the broker's process, whose writes then fail as on a full disk), so that no
other file of the machine is touched. It ends with the process: a broker that is started again has room. Without
`duration_s` it lasts until `Injection.heal`, or to the end of the run. Witness: told to save (SIGUSR1), the broker
leaves a file without a byte in it; then one with its state.
"""

from __future__ import annotations

import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.endpoint.port import EndpointError, Fronted
from sim.faults._broker import broker_of
from sim.faults.port import Lasting

if TYPE_CHECKING:
    from sim.world import World

SAVED_S = 5.0
"""Wall seconds within which a broker that is told to save has done it; it needs some thousandths of one."""


class Seen(NamedTuple):
    pid: int | None
    saved_bytes: int  # its state on the disk, just saved


@dataclass(frozen=True, kw_only=True)
class BrokerDiskFull(Lasting[Seen]):
    id: ClassVar[str] = "broker_disk_full"
    title: ClassVar[str] = "The broker's disk is full: it goes on, and has nothing when it is killed"
    needs: ClassVar[frozenset[str]] = frozenset({"kill", "persistence"})
    struck_as: ClassVar[str] = "broker's disk full"
    healed_as: ClassVar[str] = "broker's disk has room"

    def subject(self, world: World) -> str:
        return "broker's disk"

    def look(self, world: World) -> Seen:
        pid, state = _keeper_of(world), _state_of(world)
        if pid is None:
            return Seen(None, -1)
        stamp = (state.stat().st_ino, state.stat().st_mtime_ns) if state.exists() else None
        os.kill(pid, signal.SIGUSR1)
        world.settle(lambda: state.exists() and (state.stat().st_ino, state.stat().st_mtime_ns) != stamp, SAVED_S)
        return Seen(pid, state.stat().st_size if state.exists() else -1)

    def strike(self, world: World) -> None:
        for pid in {_keeper_of(world), broker_of(world).pid}:
            _limit(pid, full=True)

    def witness_strike(self, before: Seen, after: Seen) -> str:
        if before.saved_bytes > 0 == after.saved_bytes and after.pid == before.pid:
            return f"process {after.pid} runs and saves 0 bytes, where it had saved {before.saved_bytes}"
        return ""

    def heal(self, world: World) -> None:
        for pid in {_keeper_of(world), broker_of(world).pid}:
            _limit(pid, full=False)

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        return f"process {healed.pid} saves {healed.saved_bytes} bytes again" if healed.saved_bytes > 0 else ""


def _keeper_of(world: World) -> int | None:
    """The process that keeps sessions and messages. What stands before it has the same disk."""
    broker = broker_of(world)
    return broker.broker_pid if isinstance(broker, Fronted) else broker.pid


def _limit(pid: int | None, *, full: bool) -> None:
    if pid is None:
        return
    try:
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0 if full else hard, hard))
    except OSError as error:
        raise EndpointError(
            f"the broker's process {pid} takes no limit of file sizes ({error.strerror}); this fault needs a broker "
            "that runs as the same user"
        ) from None


def _state_of(world: World) -> Path:
    return world.directory / "endpoint" / "mosquitto.db"


FAULT = BrokerDiskFull()
