"""What a city run is asked to do, what it refuses, and how it is cut into shards.

A shard is a rectangle of blocks and owns the meters in them. Radio cells of a city hang together, so no cut runs
between cells: instead each shard also plays the *guard*, every meter beyond its edge that one of the gateways in reach
of its own meters can hear. What happens at those gateways is then complete, so the fates of the shard's own frames are
exact, whatever the cut; the price is that frames near an edge are played twice. Each meter is owned once.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sim.core.clock import NS_PER_DAY, NS_PER_S
from sim.core.settings import SpecError
from sim.gateway.registry import GATEWAYS
from sim.meters.sending_times import LIMIT_NS
from sim.network.uplink import NONE
from sim.radio.engine import MAX_WINDOW_NS
from sim.radio.site import HOUSES_A_BLOCK, STAIRCASES_A_HOUSE
from sim.radio.site_shares import Shares, dealt
from sim.world_spec import WorldSpec

I64 = NDArray[np.int64]
Depth = Literal["radio", "bytes", "readings"]
MAX_METERS: Final = 1 << 32  # a counter of the random draws has 32 bits, and so has a telegram's name
METERS_A_SHARD: Final = 2_000_000
BYTES_A_METER: Final = 470  # of a shard with its guard, its window's frames and telegrams included
FRAME_BYTES: Final = 200  # of it, those that grow with the frames of a window
READINGS_METERS_A_SHARD: Final = 250_000  # a portal's state and takes are larger than the air's
READINGS_BYTES_A_METER: Final = 1_800
READING_DISK_BYTES: Final = 24  # 18 to 19 as measured, and a third more for fleets that compress less
WAITING_BYTES: Final = 96  # of a telegram that waits in an outbox, and is remembered for as long again
LONGEST_OUTAGE_S: Final = 91 * 86_400.0
BASE_BYTES: Final = 204 << 20  # Python with its libraries
_MEMINFO: Final = Path("/proc/meminfo")
_GROUP: Final = Path("/sys/fs/cgroup")


class CityLimit(SpecError):
    """A city that does not fit; the message names the limit."""


@dataclass(frozen=True, slots=True)
class Outages:
    """Each gateway fails on this share of days, once, for so long; what begins while it is down makes that longer."""

    share_of_days: float = 0.0
    lasting_s: float = 3_600.0


@dataclass(frozen=True, slots=True)
class Dead:
    """One gateway that is down, from an instant of the run on."""

    gateway: int
    from_s: float = 0.0
    lasting_s: float = 604_800.0


@dataclass(frozen=True, slots=True)
class Jammer:
    """Noise without a pause on all channels, `metres` beside a gateway."""

    gateway: int
    power_dbm: float = 10.0
    metres: float = 5.0
    from_s: float = 0.0
    lasting_s: float = 604_800.0


@dataclass(frozen=True, slots=True)
class CityPlan:
    """One run. `shards` None: as many as workers and memory ask for. `out`: a new or empty folder for what the portal
    stores, at depth "readings"; None: it is judged and counted, and not kept. `heard_share`: of telegrams, for which
    disk is reckoned: all, which is the bound, or what a sample heard (disk_sample.py)."""

    spec: WorldSpec
    seed: int
    duration_ns: int
    depth: Depth = "bytes"
    window_ns: int = 900 * NS_PER_S
    workers: int = 1
    shards: int | None = None
    outages: Outages = field(default_factory=Outages)
    out: Path | None = None
    dead: tuple[Dead, ...] = ()
    jammers: tuple[Jammer, ...] = ()
    heard_share: float = 1.0

    @property
    def longest_outage_s(self) -> float:
        """Of one gateway that fails; 0 where none does."""
        drawn = self.outages.lasting_s if self.outages.share_of_days else 0.0
        return max([drawn, *(one.lasting_s for one in self.dead)])

    def refuse(self) -> None:
        """Raises CityLimit for what would give a wrong number or no number."""
        meters = self.spec.meters
        if meters >= MAX_METERS:
            raise CityLimit(f"{meters} meters, at most {MAX_METERS - 1}: a draw's counter has 32 bits")
        if self.duration_ns < 1:
            raise CityLimit(f"a run of {self.duration_ns} ns; it must be longer than 0")
        if self.duration_ns > LIMIT_NS // 2:
            raise CityLimit("a run of more than 73 years; the schedules are kept in 62 bits of nanoseconds")
        if not 0 < self.window_ns < MAX_WINDOW_NS:
            raise CityLimit(f"a window of {self.window_ns / NS_PER_S:g} s; at most {MAX_WINDOW_NS / NS_PER_S:.0f} s")
        if self.workers < 1 or (self.shards is not None and self.shards < 1):
            raise CityLimit("workers and shards are whole numbers from 1")
        if not 0 <= self.outages.share_of_days <= 1 or not 0 < self.outages.lasting_s <= LONGEST_OUTAGE_S:
            raise CityLimit(f"outages: a share of days from 0 to 1, and up to {LONGEST_OUTAGE_S:.0f} s each (13 weeks)")
        struck: tuple[Dead | Jammer, ...] = (*self.dead, *self.jammers)
        for one in struck:
            if not 0 <= one.gateway < self.spec.gateways:
                raise CityLimit(f"there is no gateway {one.gateway + 1}; this world has 1 to {self.spec.gateways}")
            if one.from_s < 0 or not 0 < one.lasting_s <= LONGEST_OUTAGE_S:
                raise CityLimit(f"a gateway is dead or jammed from 0 s on, and for up to {LONGEST_OUTAGE_S:.0f} s")
        if self.out is not None and self.depth != "readings":
            raise CityLimit(f"a folder for readings, but depth '{self.depth}' stores none; ask for depth 'readings'")
        if self.spec.backhaul.kind != NONE:
            kind = self.spec.backhaul.kind
            raise CityLimit(f"backhaul.kind '{kind}': a city has no way to a broker; leave it out, or ./wmbench run it")
        for group in self.spec.gateway:
            if "always awake" not in GATEWAYS.find(group.kind).features:
                raise CityLimit(f"gateways of kind '{group.kind}' sleep or thin, which a city does not model; "
                                "take 'virtual', or ./wmbench run for a world")  # fmt: skip
        for group in self.spec.gateway if self.depth == "readings" else ():
            if "bundling rule" not in GATEWAYS.find(group.kind).features:
                raise CityLimit(f"gateways of kind '{group.kind}' do not close bundles as arrays can; take 'virtual'")
        need, have = self.memory_bytes(), available_bytes()
        if need > have:
            raise CityLimit(
                f"{meters} meters in {self.shard_count()} shards on {self.workers} workers need about "
                f"{need / 2**30:.1f} GiB and {have / 2**30:.1f} GiB are free; use more shards or fewer workers"
            )
        if self.out is not None:
            room, free = self.disk_bytes(), free_disk_bytes(self.out)
            if room > free:
                heard = "" if self.heard_share == 1 else f", of which a sample hears {self.heard_share:.3f},"
                raise CityLimit(
                    f"{self.telegrams():,.0f} telegrams{heard} need up to {room / 2**30:.1f} GiB as stored readings, "
                    f"and {free / 2**30:.1f} GiB are free in {self.out}; take another place, fewer days, or --no-store"
                )

    def telegrams(self) -> float:
        """About how many all meters send."""
        return sum(group.count / group.interval_s for group in self.spec.fleet) * self.duration_ns / NS_PER_S

    def disk_bytes(self) -> int:
        """What stored readings take at most: as if every telegram were heard, or as many as in a sample."""
        return int(self.telegrams() * self.heard_share * READING_DISK_BYTES) if self.depth == "readings" else 0

    def shard_count(self) -> int:
        """The shards asked for, else as many as memory and workers need."""
        if self.shards is not None:
            return self.shards
        most = READINGS_METERS_A_SHARD if self.depth == "readings" else METERS_A_SHARD
        return max(self.workers, -(-self.spec.meters // most))

    def memory_bytes(self) -> int:
        """About how much the run takes, all workers together."""
        own = -(-self.spec.meters // self.shard_count())
        rounds = self.window_ns / NS_PER_S / min(group.interval_s for group in self.spec.fleet)
        more = READINGS_BYTES_A_METER * max(1.0, rounds) if self.depth == "readings" else 0.0
        if self.depth == "readings":  # what waits while a gateway is down, and what is remembered of it
            more += WAITING_BYTES * self.longest_outage_s / min(group.interval_s for group in self.spec.fleet)
        return int(self.workers * (BASE_BYTES + own * (BYTES_A_METER + FRAME_BYTES * max(0.0, rounds - 1.0) + more)))

    def windows(self) -> list[int]:
        """The ends of all windows; one may be short where a day ends, and the last."""
        ends = {end for every in (self.window_ns, NS_PER_DAY) for end in range(every, self.duration_ns, every)}
        return [*sorted(ends), self.duration_ns]


def free_disk_bytes(place: Path) -> int:
    """Where a folder is, or will be made."""
    there = place.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def available_bytes() -> int:
    """Memory that can be had now: of the machine with what its caches would give up, and of the control group."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, IndexError, ValueError):
        free = int(_MEMINFO.read_text().partition("MemAvailable:")[2].split()[0]) << 10
    with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
        free = min(free, int((_GROUP / "memory.max").read_text()) - int((_GROUP / "memory.current").read_text()))
    return free


# --- the cut ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Blocks:
    """The grid of blocks of a site: which meters stand in which. `counts`: meters that share rooms."""

    counts: tuple[int, ...]
    a_block: int
    columns: int
    rows: int

    @classmethod
    def of(cls, spec: WorldSpec) -> Blocks:
        """The grid of a world's site, as square as it can be."""
        site = spec.site
        if site.file is not None:  # houses as they are come in no grid: one block
            return cls((spec.meters,), spec.meters, 1, 1)
        a_block = site.rooms_a_flat * site.flats_a_floor * site.floors * STAIRCASES_A_HOUSE * HOUSES_A_BLOCK
        blocks = -(-spec.meters // a_block)
        columns = math.isqrt(blocks - 1) + 1
        return cls(dealt(site, [group.count for group in spec.fleet]), a_block, columns, -(-blocks // columns))

    def within(self, row: slice, column: slice) -> I64:
        """The meters of a rectangle of blocks, ascending."""
        line = np.arange(row.start, row.stop, dtype=np.int64) * self.columns
        low, high = ((line + at) * self.a_block for at in (column.start, column.stop))
        shares = Shares(self.counts)
        return shares.meters(np.minimum(low, shares.total), np.minimum(high, shares.total))

    def block(self, meter: I64) -> I64:
        """The block in which each meter stands."""
        return Shares(self.counts).room(meter) // self.a_block

    def tiles(self, shards: int) -> list[tuple[slice, slice]]:
        """About so many rectangles that cover the grid, none of them empty."""
        across = max(1, min(math.isqrt(shards), self.columns))
        down = max(1, min(-(-shards // across), self.rows))
        tiles = [
            (slice(self.rows * i // down, self.rows * (i + 1) // down),
             slice(self.columns * j // across, self.columns * (j + 1) // across))
            for i in range(down) for j in range(across)
        ]  # fmt: skip
        return [(row, column) for row, column in tiles if len(self.within(row, column))]
