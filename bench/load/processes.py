"""What processes took of the machine in a span of time: processor, waiting for a processor, memory, from /proc
(Linux)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from sim.core.clock import wall_s

_TICK: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Used(NamedTuple):
    """`core`: processor time over time, 1 is a whole core; `waited`: ready to run and without a core, over time;
    `memory_bytes`: resident, at the end. `never_slept`: of the process that slept least, running and waiting together:
    1 is one that had no time left, however busy the machine was. Of a process that ended: until it was last seen."""

    core: float
    waited: float
    memory_bytes: int
    never_slept: float = 0.0


class _Seen(NamedTuple):
    at_s: float
    processor_s: float
    waited_s: float
    memory_bytes: int


def _look(pid: int) -> _Seen | None:
    with contextlib.suppress(OSError, IndexError, ValueError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        waited_ns = 0
        for task in Path(f"/proc/{pid}/task").iterdir():  # of all threads
            with contextlib.suppress(OSError, IndexError):
                waited_ns += int((task / "schedstat").read_text(encoding="ascii").split()[1])
        if stat[0] == "Z":
            return None
        return _Seen(wall_s(), (int(stat[11]) + int(stat[12])) / _TICK, waited_ns / 1e9, int(stat[21]) * _PAGE)
    return None


def machine_busy_s() -> float:
    """Seconds that the cores of this machine did something, together."""
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, soft, steal = (int(one) for one in first[:8])
    return (user + nice + system + irq + soft + steal) / _TICK


@dataclass
class Watch:
    """From its making on. `groups`: a name of processes -> their numbers."""

    groups: Mapping[str, list[int]]

    def __post_init__(self) -> None:
        self._first = {pid: seen for pids in self.groups.values() for pid in pids if (seen := _look(pid)) is not None}
        self._last = dict(self._first)
        self._begin_s, self._busy_s = wall_s(), machine_busy_s()

    def look(self) -> None:
        """Remember how far they are: a process that dies is known until here."""
        for pid in self._first:
            seen = _look(pid)
            if seen is not None:
                self._last[pid] = seen

    def spent_s(self) -> dict[str, float]:
        """Processor time of each group until now; of a process that ended, until it was last seen."""
        self.look()
        return {
            group: sum(self._last[pid].processor_s - self._first[pid].processor_s for pid in pids if pid in self._first)
            for group, pids in self.groups.items()
        }

    def used(self) -> dict[str, Used]:
        """Of each group until now, its processes together; of the whole machine as "machine", and of what is on it
        beside these groups as "other programs"."""
        self.look()
        span_s = max(wall_s() - self._begin_s, 1e-9)
        out = {}
        for group, pids in self.groups.items():
            pairs = [(self._first[pid], self._last[pid]) for pid in pids if pid in self._first]
            out[group] = Used(
                sum(last.processor_s - first.processor_s for first, last in pairs) / span_s,
                sum(last.waited_s - first.waited_s for first, last in pairs) / span_s,
                sum(last.memory_bytes for _, last in pairs),
                max((_awake_s(first, last) for first, last in pairs), default=0.0) / span_s,
            )
        ours = sum(one.core for one in out.values())
        out["machine"] = Used((machine_busy_s() - self._busy_s) / span_s, 0.0, 0)
        out["other programs"] = Used(max(0.0, out["machine"].core - ours), 0.0, 0)
        return out


def _awake_s(first: _Seen, last: _Seen) -> float:
    return last.processor_s - first.processor_s + last.waited_s - first.waited_s


def children(pid: int) -> list[int]:
    """Of a process, as they are now."""
    out: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                out += [int(one) for one in (task / "children").read_text(encoding="ascii").split()]
    return out
