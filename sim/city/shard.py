"""One shard of a city: its meters and their guard on an engine, window by window.

    shard = Shard(plan, tile)
    for until_ns in plan.windows():
        heard = shard.window(until_ns)          rows in the order of meters: building telegrams so is much faster

Numbers inside are the shard's own (row of its fleet, row of its receivers); `names` and `receivers` say which they are
in the world. Draws go by the world's numbers, so it is the same in any cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.city.digest import of_telegrams
from sim.city.next_frames import NextFrames
from sim.city.noise import Noise
from sim.city.own_frames import pick
from sim.city.plan import Blocks, CityPlan, Dead, Outages
from sim.core.clock import NS_PER_DAY, NS_PER_S, ns
from sim.core.events import Fate
from sim.core.history import FrameBatch
from sim.core.seeds import Seeds
from sim.meters.fleet import Fleet
from sim.radio.engine import Engine, WindowResult
from sim.radio.link_search import near_links, reach_cm
from sim.radio.links import Links, Receivers
from sim.radio.propagation import Propagation, centimetres
from sim.radio.site import Site
from sim.radio.sweep_arrays import Frames
from sim.site_plan import fleet_radios, gateway_receivers, site_of, transmitters

I64 = NDArray[np.int64]
_AT_ONCE = 1 << 18  # meters whose places are held at once


@dataclass(frozen=True, slots=True)
class Heard:
    """Own telegrams that at least one gateway received in a window: rows of the shard's fleet, and k; frames of own
    meters that began; the digest of the received. Of all meters, the guard's too: where each one's frames that began
    stand (`Frames.first`), and on demand every frame that a gateway received. The first `late` rows began in the window
    before; the others are in the order of meters. `meter`, `k` and `first` are good until the next window."""

    meter: I64
    k: I64
    late: int
    sent: int
    digest: int
    first: I64
    batch: FrameBatch | None


class Flown(NamedTuple):
    """A window on the air: the fleet's frames, (source, k) of those that were on the air when it began, and the
    engine's result."""

    frames: Frames
    open_frames: tuple[I64, I64]
    result: WindowResult


class Shard:
    """`own[row]`: the meter is this shard's and not of its guard. `counts[receiver, fate]` grow with each window."""

    def __init__(self, plan: CityPlan, tile: tuple[slice, slice]) -> None:
        self._make(plan, Blocks.of(plan.spec).within(*tile))

    @classmethod
    def of_meters(cls, plan: CityPlan, own: I64) -> Shard:
        """Of any meters, ascending, instead of those of a rectangle."""
        shard = cls.__new__(cls)
        shard._make(plan, own)
        return shard

    def _make(self, plan: CityPlan, own: I64) -> None:
        spec = plan.spec
        self.plan, self.seeds = plan, Seeds(plan.seed)
        self.propagation = Propagation.of(spec.site, self.seeds)
        every = gateway_receivers(spec)
        links = self._reach(own, every)
        self.receivers: I64 = np.flatnonzero(np.bincount(links.receiver, minlength=len(every.sensitivity_cdbm)))
        receivers = every.only(self.receivers)
        guard, heard = self._guard(own, receivers)
        order = np.argsort(np.concatenate([own, guard]), kind="stable")
        self.names: I64 = np.concatenate([own, guard])[order]
        self.own: NDArray[np.bool_] = order < len(own)
        own_number = np.zeros(len(every.sensitivity_cdbm), dtype=np.int64)
        own_number[self.receivers] = np.arange(len(self.receivers))
        links = Links(links.offset, own_number[links.receiver], links.level_cdbm, links.readable)
        if len(guard):
            links = Links.joined([links, heard]).of_sources(order)
        self.fleet = Fleet(
            spec.fleet, self.seeds, start=spec.start, outdoor_mean_c=spec.site.outdoor_mean_c, only=self.names
        )
        population = self.fleet.population
        radios = fleet_radios(spec.fleet, population.group, population.length_bytes)
        self.engine = Engine(
            self.propagation, receivers, links, radios, [1] * len(self.receivers),
            meter_names=self.names, receiver_names=self.receivers,
        )  # fmt: skip
        self.links = len(links)
        self._heard_meter: I64 = np.zeros(0, dtype=np.int64)
        self._heard_k: I64 = np.zeros(0, dtype=np.int64)
        self.outages = [
            merged([*outages(plan.outages, self.seeds, r, plan.duration_ns), *dead(plan.dead, r)])
            for r in self.receivers.tolist()
        ]
        self._noise = Noise(plan, self.receivers, self.propagation, self.fleet.n)
        self.counts = np.zeros((0, 0), dtype=np.int64)
        self._upcoming = NextFrames(population.t0_ns, population.period_ns, population.acc0)

    def _reach(self, meters: I64, receivers: Receivers) -> Links:
        spec = self.plan.spec
        place = centimetres(site_of(spec, only=meters, gateways=0).meters)
        group = np.searchsorted(np.cumsum([g.count for g in spec.fleet]), meters, side="right")
        mode, power = (column[group] for column in transmitters(spec.fleet))
        return near_links(self.propagation, place, power, mode, receivers)

    def _guard(self, own: I64, receivers: Receivers) -> tuple[I64, Links]:
        """Meters of others that these receivers can hear, and their links."""
        spec, blocks = self.plan.spec, Blocks.of(self.plan.spec)
        none = np.zeros(0, dtype=np.int64)
        if not len(receivers.position_cm):
            return none, self._reach(none, receivers)
        power = int(transmitters(spec.fleet)[1].max())
        far = reach_cm(self.propagation, power, int(receivers.sensitivity_cdbm.min()))
        pitch_cm = 100 * Site(spec.site, 1, 0).pitch_m
        low, high = receivers.position_cm.min(axis=0) - far, receivers.position_cm.max(axis=0) + far
        around = []
        for begin, end, most in ((low[1], high[1], blocks.rows), (low[0], high[0], blocks.columns)):
            first = max(0, min(most, math.floor(begin / pitch_cm - 0.5)))
            around.append(slice(first, max(first, min(most, math.ceil(end / pitch_cm + 0.5) + 1))))
        if spec.site.file is not None:  # one block, wherever its houses are
            around = [slice(0, blocks.rows), slice(0, blocks.columns)]
        ring = np.setdiff1d(blocks.within(*around), own, assume_unique=True)
        parts = [self._reach(ring[at : at + _AT_ONCE], receivers) for at in range(0, len(ring), _AT_ONCE)]
        links = Links.joined(parts or [self._reach(none, receivers)])
        hear = np.flatnonzero(np.diff(links.offset))
        return ring[hear], links.of_sources(hear)

    # --- a window ---------------------------------------------------------------------------------------------------

    def window(self, until_ns: int, *, detail: bool = False) -> Heard:
        """Plays everything that begins before `until_ns`; what ended in the window is heard or not."""
        return self.pick(self.fly(until_ns, detail=detail))

    def fly(self, until_ns: int, *, detail: bool = False, only: Fate | None = Fate.RECEIVED) -> Flown:
        """The air alone: what begins before `until_ns`, and its fates. `only`: detail of this fate alone."""
        frames = self._frames(until_ns)
        open_frames = self.engine.open_frames
        down = self.outages if self.plan.longest_outage_s else ()
        noise = self._noise.bursts(self.engine.now_ns, until_ns)
        result = self.engine.window(until_ns, frames, noise, outages=down, detail=detail, only=only)
        return Flown(frames, open_frames, result)

    def pick(self, flown: Flown) -> Heard:
        """What own meters sent and a gateway received of it; counts it. Once for each `fly`."""
        frames, (source, number), result = flown
        self.counts = result.counts if not self.counts.size else self.counts + result.counts
        fleet = len(frames.start_ns)
        is_own = self.own[np.minimum(source, len(self.own) - 1)] & (source < len(self.own))  # noise is nobody's
        late = np.flatnonzero((result.heard[fleet : fleet + len(source)] != 0) & is_own)
        begun, most = len(late), len(late) + fleet
        if len(self._heard_meter) < most:
            self._heard_meter, self._heard_k = np.empty((2, most + most // 8), dtype=np.int64)
        meter, k = self._heard_meter, self._heard_k
        meter[:begun], k[:begun] = source[late], number[late]
        count, sent, digest = pick(frames, result.heard[:fleet], self.own, self.names, meter[begun:], k[begun:])
        total = begun + int(count)
        whole = int(digest) + of_telegrams(self.names[meter[:begun]], k[:begun])
        return Heard(meter[:total], k[:total], begun, int(sent), whole % (1 << 64), frames.first, result.batch)

    def _frames(self, until_ns: int) -> Frames:
        """The frames that begin from now on and before `until_ns`, by meter and k."""
        if not self.fleet.population.any_masked:
            return self._upcoming.until(until_ns)
        return Frames.of(self.fleet.window(self.engine.now_ns, until_ns), self.fleet.n)


def dead(plans: Sequence[Dead], receiver: int) -> list[tuple[int, int]]:
    """When one gateway is down since it is dead."""
    spans = [(ns(one.from_s), ns(one.from_s + one.lasting_s)) for one in plans if one.gateway == receiver]
    return merged(spans)


def merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order and apart."""
    out: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((begin, end))
    return out


def outages(what: Outages, seeds: Seeds, receiver: int, duration_ns: int) -> list[tuple[int, int]]:
    """When one gateway is down, in order and apart."""
    lasting_ns = int(what.lasting_s * NS_PER_S)
    out: list[tuple[int, int]] = []
    for day in range(-(-duration_ns // NS_PER_DAY) if what.share_of_days else 0):
        strikes, at, _, _ = seeds.one_block("city outage", receiver, day)
        if strikes < what.share_of_days * (1 << 32):
            down_ns = day * NS_PER_DAY + (at * NS_PER_DAY >> 32)
            if out and down_ns <= out[-1][1]:
                out[-1] = (out[-1][0], down_ns + lasting_ns)
            else:
                out.append((down_ns, down_ns + lasting_ns))
    return out
