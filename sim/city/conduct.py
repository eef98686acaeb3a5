"""A city run: its shards one after the other or side by side in processes, and their results put together.

    result = run(CityPlan(spec, seed=1, duration_ns=..., depth="bytes", workers=2))
    result = run(CityPlan(spec, seed=1, duration_ns=..., depth="readings", out=Path("readings")))

The rule kept here: the result does not know how it was made. Counts are kept by gateway (a gateway that several shards
played was complete in each of them, so it is counted once), digests add up in any order.
"""

from __future__ import annotations

import contextlib
import resource
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.city.digest import total
from sim.city.per_block import Tally, by_block
from sim.city.per_meter import Missed, MissedTally
from sim.city.plan import Blocks, CityLimit, CityPlan
from sim.city.shard import Heard, Shard
from sim.city.workers import pool
from sim.city.worst_meters import why
from sim.core.clock import NS_PER_MS, Calendar, processor_s, wall_s
from sim.core.events import Fate
from sim.meters.fleet import Fleet
from sim.meters.physics.formulas import MS_PER_DAY

if TYPE_CHECKING:
    from sim.city.stored_readings import Readings, Stored

I64 = NDArray[np.int64]
_ROWS_AT_ONCE = 1 << 15
_MIDNIGHT_MS = 600_000  # clocks of a fleet are hardly farther apart; if they are, it is only slower


@dataclass(slots=True)
class ShardResult:
    """What one shard brings home. `fates` row by row for `receivers`; `blocks` are numbers of blocks, frames sent by
    their meters, and how many of these were heard. `missed`: which meters went without a reading."""

    meters: int
    guard: int
    links: int
    sent: int
    heard: int
    telegram_bytes: int
    received_digest: int
    receivers: I64
    fates: I64
    blocks: tuple[I64, I64, I64]
    missed: Missed
    build_s: float = 0.0
    run_s: float = 0.0
    processor_s: float = 0.0
    peak_bytes: int = 0
    stored: Stored | None = None


@dataclass(slots=True)
class CityResult:
    """`frames_sent`: begun in the run. `fates`: over pairs of a frame and a gateway in reach. `delivery_ratio`: frames
    that a gateway received, of those sent; frames still on the air at the end count as not received. `blocks`: the grid
    of the site with `columns` and `rows`, and row by row the frames `sent` and `heard` of each block's meters.
    `missed`: meters without a reading, by day and at each month's end, and never; `worst`: the meters that were missed
    most, with what became of their telegrams. `readings`, of a run to stored readings: how many `stored`, `copies`,
    `refused` by reason, `missing` (received and no reading), `altered` (not what the meter said), how many the portal
    judged `one_at_a_time`, `bytes` and `files` on disk in `out`, a `digest` of the stored rows, and `upstream`: bundles
    and their bytes, and how many telegrams waited in gateways at most; else None."""

    world: str
    seed: int
    depth: str
    meters: int
    gateways: int
    shards: int
    workers: int
    links: int
    frames_sent: int
    frames_heard: int
    telegram_bytes: int
    delivery_ratio: float
    fates: dict[str, int]
    received_digest: str
    wall_s: float
    transmissions_a_s: float
    shard_s: list[dict[str, float]]
    peak_bytes_a_worker: int
    blocks: dict[str, Any]
    missed: dict[str, Any]
    worst: list[dict[str, Any]]
    readings: dict[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def play(plan: CityPlan, tile: tuple[slice, slice]) -> ShardResult:
    """One shard from beginning to end. A pure function of its arguments: done again, it gives the same."""
    begun_s, worked_s = wall_s(), processor_s()
    shard = Shard(plan, tile)
    own = int(shard.own.sum())
    tally = Tally(Blocks.of(plan.spec), shard)
    result = ShardResult(
        own, shard.fleet.n - own, shard.links, 0, 0, 0, 0, shard.receivers, shard.counts,
        (tally.block, tally.sent, tally.heard), Missed(),
    )  # fmt: skip
    missed = MissedTally(plan, shard)
    readings = _readings(plan, shard, tile)
    built_s = wall_s()
    try:
        for until_ns in plan.windows():
            heard = shard.window(until_ns, detail=readings is not None)
            tally.add(heard)
            missed.add(heard, until_ns)
            result.sent += heard.sent
            result.heard += len(heard.meter)
            result.received_digest += heard.digest
            if plan.depth == "bytes":
                result.telegram_bytes += built(shard, heard, until_ns)
            elif readings is not None and heard.batch is not None:
                readings.window(heard.batch, len(heard.meter), until_ns)
        result.stored = None if readings is None else readings.finish()
    except BaseException:
        if readings is not None:
            readings.abandon()
        raise
    result.fates, result.missed = shard.counts, missed.finish()
    result.build_s, result.run_s, result.processor_s = built_s - begun_s, wall_s() - built_s, processor_s() - worked_s
    result.peak_bytes = _peak_bytes()
    return result


def _readings(plan: CityPlan, shard: Shard, tile: tuple[slice, slice]) -> Readings | None:
    """The rest of the path, where the plan asks for it; imported only then."""
    if plan.depth != "readings":
        return None
    from sim.city.stored_readings import Readings

    return Readings(plan, shard, Blocks.of(plan.spec).tiles(plan.shard_count()).index(tile), plan.out)


def built(shard: Shard, heard: Heard, until_ns: int) -> int:
    """Every telegram heard, as on the air; how many bytes. Round midnight one day after the other: compiled code takes
    only meters whose clocks show one day."""
    fleet = shard.fleet
    since_midnight_ms = (fleet.epoch_ms + until_ns // NS_PER_MS) % MS_PER_DAY
    begun_ms = since_midnight_ms - shard.plan.window_ns // NS_PER_MS
    if begun_ms > _MIDNIGHT_MS and since_midnight_ms < MS_PER_DAY - _MIDNIGHT_MS:
        return _bytes(fleet, heard.meter, heard.k)
    day = fleet.clocks_ms(heard.meter, fleet.starts(heard.meter, heard.k)) // MS_PER_DAY
    size = 0
    for one in np.unique(day).tolist():
        rows = np.flatnonzero(day == one)
        size += _bytes(fleet, heard.meter[rows], heard.k[rows])
    return size


def _bytes(fleet: Fleet, meter: I64, k: I64) -> int:
    """So many at once that they stay in the processor's cache, which two workers share better than the memory."""
    parts = (slice(low, low + _ROWS_AT_ONCE) for low in range(0, len(meter), _ROWS_AT_ONCE))
    return sum(len(fleet.telegrams(meter[rows], k[rows], crcs=True).data) for rows in parts)


def run(plan: CityPlan) -> CityResult:
    """Raises CityLimit, SpecError, StoreError, OSError."""
    plan.refuse()
    if plan.out is not None:
        from sim.portal.store.parquet import prepare

        prepare(plan.out)
    begun_s = wall_s()
    tiles = Blocks.of(plan.spec).tiles(plan.shard_count())
    workers = min(plan.workers, len(tiles))
    if workers == 1:
        done = [play(plan, tile) for tile in tiles]
    else:
        done = _side_by_side(plan, tiles, workers)
    return combined(plan, done, workers, wall_s() - begun_s)


def _side_by_side(plan: CityPlan, tiles: list[tuple[slice, slice]], workers: int) -> list[ShardResult]:
    """Raises CityLimit when a worker was killed, and what a shard raises."""
    try:
        with pool(workers) as begin:
            jobs = [begin(play, plan, tile) for tile in tiles]
            return [job.result() for job in as_completed(jobs)]
    except BrokenProcessPool:
        if plan.out is not None:
            from sim.portal.store.parquet import drop_parts

            drop_parts(plan.out)
        raise CityLimit(
            f"a worker was killed; the system does that when memory runs out: take fewer workers than {workers}, or "
            f"more shards than {len(tiles)}, which need less at a time, and run the city again"
        ) from None


def _peak_bytes() -> int:
    """Of this process alone; getrusage counts what its parent held when it was started too."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def combined(plan: CityPlan, done: list[ShardResult], workers: int, took_s: float) -> CityResult:
    """The results of all shards as one."""
    fates = np.zeros((plan.spec.gateways, len(Fate)), dtype=np.int64)
    for one in done:
        if len(one.receivers):
            fates[one.receivers] = one.fates
    sent, heard = sum(one.sent for one in done), sum(one.heard for one in done)
    counted = fates.sum(axis=0).tolist()
    stored = None
    if plan.depth == "readings":
        from sim.city.stored_readings import combined as together

        stored = together([one.stored for one in done if one.stored is not None], plan.out)
        stored["upstream"] = upstream(plan, done)
    missed = sum((one.missed for one in done[1:]), done[0].missed)
    return CityResult(
        plan.spec.name, plan.seed, plan.depth, plan.spec.meters, plan.spec.gateways, len(done), workers,
        sum(one.links for one in done), sent, heard, sum(one.telegram_bytes for one in done),
        heard / sent if sent else 0.0, {fate.label: counted[fate] for fate in Fate},
        f"{total([one.received_digest for one in done]):016x}", took_s,
        sent / took_s if took_s else 0.0,
        [{name: round(getattr(one, name), 3) for name in ("build_s", "run_s", "processor_s")} for one in done],
        max(one.peak_bytes for one in done), by_block(Blocks.of(plan.spec), [one.blocks for one in done]),
        missed.as_json(Calendar(plan.spec.start)), why(plan, missed.worst), stored,
    )  # fmt: skip


def upstream(plan: CityPlan, done: list[ShardResult]) -> dict[str, Any]:
    """What all gateways sent. One that several shards played was whole in each of them."""
    bundles, size = np.zeros((2, plan.spec.gateways), dtype=np.int64)
    for one in done:
        if one.stored is not None and len(one.receivers):
            bundles[one.receivers], size[one.receivers] = one.stored.bundles, one.stored.bundle_bytes
    waiting = np.sum([one.stored.waiting for one in done if one.stored is not None], axis=0)
    return {
        "connections": plan.spec.gateways, "messages": int(bundles.sum()), "payload_bytes": int(size.sum()),
        "busiest_messages": int(bundles.max(initial=0)), "waiting_most": int(waiting.max(initial=0)),
        "waiting_at_end": int(waiting[-1]) if len(waiting) else 0,
    }  # fmt: skip
