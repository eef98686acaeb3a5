"""A bare air for tests: meters on a circle round receivers that all hear them alike, unless a test says otherwise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import simpy

from sim.core.history import FrameBatch, History
from sim.core.seeds import Seeds
from sim.radio.air import ARRAYS, Air
from sim.radio.emissions import Schedule
from sim.radio.fleet_frames import FleetFrames
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.links import Radios
from sim.radio.propagation import Propagation
from sim.radio.receiver_profile import ReceiverProfile

NEVER_CAPTURE_CDB = 20_000
LENGTH_BYTES = 63
AIR_TIME_NS = air_time_ns(Mode.T1, LENGTH_BYTES)


def circle(count: int, radius_m: float = 30.0) -> np.ndarray:
    angle = np.arange(count) * (2 * np.pi / max(1, count))
    return np.stack([radius_m * np.cos(angle), radius_m * np.sin(angle), np.full(count, 1.0)], axis=1)


def radios(count: int, mode: Mode = Mode.T1, length_bytes: int = LENGTH_BYTES, power_cdbm: int = 700) -> Radios:
    return Radios(
        np.full(count, int(mode)), np.full(count, length_bytes), np.full(count, power_cdbm),
        np.full(count, air_time_ns(mode, length_bytes)),
    )  # fmt: skip


def sorted_schedule(start_ns, meter, k) -> Schedule:
    order = np.lexsort((k, meter, start_ns))
    return Schedule(*(np.asarray(column, dtype=np.int64)[order] for column in (start_ns, meter, k)))


class Stage:
    """An air with a fleet and a history; every reception is noted in `heard` as (receiver, telegram, end, level)."""

    def __init__(self, meters: int, *, fleet: Radios | None = None, positions=None, capture_cdb=None, profile=None,
                 fading_cdb=0, shadowing_cdb=0, gateways=None, seed=1, engine=ARRAYS) -> None:  # fmt: skip
        self.env = simpy.Environment()
        self.history = History()
        self.seeds = Seeds(seed)
        propagation = Propagation(2_800, 400, shadowing_cdb, fading_cdb, self.seeds)
        self.air = Air(self.env, propagation, history=self.history, gateways=gateways, engine=engine)
        self.profile = profile if capture_cdb is None else ReceiverProfile.plain(capture_cdb)
        places = circle(meters) if positions is None else positions
        self.air.add_fleet(
            places, fleet or radios(meters), FleetFrames(
                lambda m, k: b"%d/%d" % (m, k),
                lambda ms, ks: [b"%d/%d" % one for one in zip(ms.tolist(), ks.tolist(), strict=True)],
            )
        )  # fmt: skip
        self.heard: list[tuple[int, bytes, int, int]] = []
        self.batches: list[FrameBatch] = []
        self.sent = self.caught = 0

    def listen(self, *, x=0.0, y=0.0, sensitivity_cdbm=-10_000, links=tuple(Mode), demodulators=1, on_header=None,
               deferred=False):  # fmt: skip
        number = len(self.air.receivers)
        return self.air.add_receiver(
            f"r{number}", np.array([x, y, 1.0]), sensitivity_cdbm, links,
            lambda telegram, end_ns, level: self.heard.append((number, telegram, end_ns, level)),
            on_header, demodulators, deferred=deferred, profile=self.profile,
        )  # fmt: skip

    def run(self, schedule: Schedule, until_ns: int, window_ns: int | None = None) -> None:
        """Play a whole schedule window by window, and one window more for what is still on the air."""
        window_ns = window_ns or until_ns
        edges = [*range(int(self.env.now), until_ns, window_ns), until_ns]
        for begin, end in pairwise(edges):
            low, high = np.searchsorted(schedule.start_ns, [begin, end])
            self.air.play(schedule.part(int(low), int(high)))
            self._run(end)
        self._run(until_ns + 10**9)

    def _run(self, until_ns: int) -> None:
        self.env.run(until=until_ns)
        counts = self.air.end_window()
        self.batches.append(counts.batch)
        self.sent += counts.frames_sent
        self.caught += counts.frames_heard

    @property
    def fates(self) -> dict[str, int]:
        return {label: count for label, count in self.history.fates.items() if count}

    def table(self) -> np.ndarray:
        """All pairs as rows of FrameBatch's fields, sorted."""
        rows = np.concatenate([np.stack([getattr(b, n) for n in FrameBatch.__slots__], axis=1) for b in self.batches])
        return rows[np.lexsort(rows.T[::-1])]
