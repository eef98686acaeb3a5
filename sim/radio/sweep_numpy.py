"""The engine's sweep in numpy alone, for machines without numba: the same fates from whole-array steps.

All pairs of a window stand in one order (receiver, start, source, k), what was carried over first. Two facts make
arrays of it. Who overlaps whom is found by comparing each frame with the next, the second next, ... until nobody's end
reaches that far. And power sums can only rise where somebody begins, so with S(c) = all power on the channel at the
start of c,

    peak of i = max over c = i and every c that begins during i of S(c) - power of i

Demodulators are asked in order, but only within a run of frames that hold each other up: all runs at once, frame by
frame.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.core.events import Fate
from sim.radio.propagation import power_units

if TYPE_CHECKING:
    from sim.radio.engine import Engine, Frames

I64 = NDArray[np.int64]
BOOL = NDArray[np.bool_]

READABLE, IN_RANGE, JAMMER, SECOND_CHANNEL, BUSY = 1, 2, 4, 8, 16
RECEIVER, START, END, LEVEL, UNITS, LIMIT, FLAGS, FRAME, PEAK, JAM, DOWN = range(11)
COLUMNS = 11
Outages = tuple[I64, I64, I64]


def sweep(
    engine: Engine, begin_ns: int, until_ns: int, frames: Frames, extra: I64, carried_in: I64, outages: Outages,
    heard: NDArray[np.uint8], counts: I64, detail: bool,
) -> tuple[I64, I64]:  # fmt: skip
    """One window. Returns (what is carried on, detail rows: frame, receiver, fate, level)."""
    if ((frames.start_ns < begin_ns) | (frames.start_ns >= until_ns)).any():
        raise ValueError(f"frames begin outside the window from {begin_ns} to {until_ns} ns")
    plan = _gather(engine, frames)
    if not (detail or len(extra) or len(outages[1])):
        plan = _take_solitary(engine, frames, until_ns, carried_in, heard, counts, plan)
    pairs = _table(engine, frames, plan, extra)
    fresh = np.concatenate([np.zeros(len(carried_in), dtype=bool), np.ones(len(pairs), dtype=bool)])
    pairs = np.concatenate([carried_in, pairs])
    if not len(pairs):
        return pairs, np.zeros((0, 4), dtype=np.int64)
    begun = pairs[:, START] - int(pairs[:, START].min())
    order = np.argsort(pairs[:, RECEIVER] * (int(begun.max()) + 1) + begun, kind="stable")
    pairs, fresh = pairs[order], fresh[order]
    up, lock_end = _power(pairs, outages)
    _lock(engine, pairs, fresh & up, lock_end, begin_ns, outages)
    _interfere(pairs)
    ended = pairs[:, END] < until_ns
    judged = pairs[ended & (pairs[:, FLAGS] & (READABLE | JAMMER) == READABLE)]
    fate = np.select(
        [judged[:, DOWN] != 0, judged[:, FLAGS] & IN_RANGE == 0, judged[:, FLAGS] & BUSY != 0,
         judged[:, JAM] > judged[:, LIMIT], judged[:, PEAK] > judged[:, LIMIT]],
        [Fate.GATEWAY_DOWN, Fate.OUT_OF_RANGE, Fate.RECEIVER_BUSY, Fate.JAMMED, Fate.COLLISION], Fate.RECEIVED,
    ).astype(np.int64)  # fmt: skip
    ours = judged[:, RECEIVER] < engine.gateways
    np.add.at(counts, (judged[ours, RECEIVER], fate[ours]), 1)
    heard[judged[ours & (fate == Fate.RECEIVED), FRAME]] = 1
    rows = np.stack([judged[:, FRAME], judged[:, RECEIVER], fate, judged[:, LEVEL]], axis=1)
    return pairs[~ended], rows


def _gather(engine: Engine, frames: Frames) -> tuple[I64, I64, I64, I64]:
    """The fleet's pairs of this window, by receiver, meter and k: (link, frame, receiver, start)."""
    own = np.diff(frames.first)[engine.link_meter]
    link = np.repeat(np.arange(len(own), dtype=np.int64), own)
    frame = np.arange(len(link)) + np.repeat(frames.first[engine.link_meter] - np.cumsum(own) + own, own)
    links = np.diff(np.concatenate([[0], np.cumsum(own)])[engine.link_offset])
    receiver = np.repeat(np.arange(engine.receivers, dtype=np.int64), links)
    start_ns = frames.start_ns[frame]
    if int(engine.since.max(initial=0)) > engine.now_ns:
        deaf = start_ns < engine.since[receiver]
        link, frame, receiver, start_ns = (column[~deaf] for column in (link, frame, receiver, start_ns))
    return link, frame, receiver, start_ns


def _take_solitary(
    engine: Engine, frames: Frames, until_ns: int, carried_in: I64, heard: NDArray[np.uint8], counts: I64,
    pairs: tuple[I64, I64, I64, I64],
) -> tuple[I64, I64, I64, I64]:  # fmt: skip
    """Settle the frames that have the air to themselves (see solitary.py); returns the pairs that are left."""
    link, frame, receiver, start_ns = pairs
    if not len(link):
        return pairs
    # Values are sorted several times faster than their places, so time is cut into 64ths of the longest frame, whose
    # neighbours count as touched, and the place rides along in the lowest bits.
    grain = max(int(engine.longest_ns).bit_length() - 6, 0)
    apart = (engine.longest_ns >> grain) + 2
    stride = (until_ns - engine.now_ns >> grain) + apart + 1
    bits = len(link).bit_length()
    if (engine.receivers * stride).bit_length() + bits > 62:
        return pairs
    at = (receiver * stride + (start_ns - engine.now_ns >> grain) << bits) | np.arange(len(link))
    if len(at) > 16 * engine.receivers:  # many short sorts are faster than a long one
        bounds = np.searchsorted(receiver, np.arange(engine.receivers + 1)).tolist()
        for low, high in itertools.pairwise(bounds):
            at[low:high].sort()
    else:
        at.sort()
    gap = np.diff(at >> bits) >= apart
    alone = np.append(True, gap) & np.append(gap, True)
    settled = np.zeros(len(at), dtype=bool)
    settled[at[alone] & (1 << bits) - 1] = True
    settled &= start_ns < until_ns - engine.longest_ns
    if len(carried_in):
        taken_until = np.zeros(engine.receivers, dtype=np.int64)
        np.maximum.at(taken_until, carried_in[:, RECEIVER], carried_in[:, END])
        settled &= start_ns >= taken_until[receiver]
    pick = np.flatnonzero(settled)
    link_, frame_, receiver_ = link[pick], frame[pick], receiver[pick]
    if engine.propagation.fading_cdb:
        meter = engine.link_meter[link_].astype(np.int64)
        fading, _ = engine.propagation.luck(
            engine.meter_names[meter], frames.k[frame_], engine.receiver_names[receiver_], engine.capture[:1]
        )
        good = engine.link_level[link_] + fading >= engine.ears.sensitivity_cdbm[receiver_]
    else:
        good = engine.link_flags[link_] & IN_RANGE != 0
    ours = (engine.link_flags[link_] & READABLE != 0) & (receiver_ < engine.gateways)
    good &= ours
    weak = ours & ~good
    if weak.any():
        counts[:, Fate.OUT_OF_RANGE] += np.bincount(receiver_[weak], minlength=engine.receivers)
    counts[:, Fate.RECEIVED] += np.bincount(receiver_[good], minlength=engine.receivers)
    heard[frame_[good]] = 1
    rest = np.flatnonzero(~settled)
    return link[rest], frame[rest], receiver[rest], start_ns[rest]


def _table(engine: Engine, frames: Frames, pairs: tuple[I64, I64, I64, I64], extra: I64) -> I64:
    """Pairs with all that is needed of them: the fleet's, then the visitors'."""
    link, frame, receiver, start_ns = pairs
    meter = engine.link_meter[link].astype(np.int64)
    table = np.zeros((len(link) + len(extra), COLUMNS), dtype=np.int64)
    fleet, visitors = table[: len(link)], table[len(link) :]
    visitors[:, : extra.shape[1]] = extra
    air = engine.propagation
    fading, threshold = air.luck(
        engine.meter_names[meter], frames.k[frame], engine.receiver_names[receiver], engine.capture
    )
    level = engine.link_level[link] + fading
    flags = engine.link_flags[link].astype(np.int64)
    if air.fading_cdb:
        flags |= (level >= engine.ears.sensitivity_cdbm[receiver]) * IN_RANGE
    fleet[:, RECEIVER], fleet[:, START] = receiver, start_ns
    fleet[:, END] = start_ns + engine.link_duration[link]
    fleet[:, LEVEL], fleet[:, UNITS] = level, power_units(level)
    fleet[:, LIMIT], fleet[:, FLAGS], fleet[:, FRAME] = power_units(level - threshold), flags, frame
    return table


def _power(pairs: I64, outages: Outages) -> tuple[BOOL, I64]:
    """Note who meets an outage; returns (receiver up at the start, until when a demodulator would hold the frame)."""
    offset, down_ns, up_ns = outages
    up, lock_end = np.ones(len(pairs), dtype=bool), pairs[:, END].copy()
    first = np.searchsorted(pairs[:, RECEIVER], np.arange(len(offset)))
    for r in np.flatnonzero(np.diff(offset)).tolist():
        own, down, back = pairs[first[r] : first[r + 1]], *(x[offset[r] : offset[r + 1]] for x in (down_ns, up_ns))
        index = np.searchsorted(back, own[:, START], side="right")
        next_down = np.append(down, 1 << 62)[index]
        meets = next_down < own[:, END]
        own[:, DOWN] |= meets
        up[first[r] : first[r + 1]] = ~(meets & (next_down <= own[:, START]))
        lock_end[first[r] : first[r + 1]] = np.where(meets, next_down, own[:, END])
    return up, lock_end


def _lock(engine: Engine, pairs: I64, fresh: BOOL, lock_end: I64, begin_ns: int, outages: Outages) -> None:
    """Mark the frames that found every demodulator taken; leave the engine's locks as they are at the end."""
    offset, down_ns, _ = outages
    for r in np.flatnonzero(np.diff(offset)).tolist():  # a power cut that came since frees what was locked before
        later = down_ns[offset[r] : offset[r + 1]]
        later = later[later >= begin_ns]
        if len(later):
            np.minimum(engine.locks[r], later[0], out=engine.locks[r])
    able = fresh & (pairs[:, FLAGS] & (READABLE | IN_RANGE | JAMMER) == READABLE | IN_RANGE)
    able &= engine.demodulators[pairs[:, RECEIVER]] > 0
    asks = np.flatnonzero(able)
    if not len(asks):
        return
    receiver, start_ns, until_ns = pairs[asks, RECEIVER], pairs[asks, START], lock_end[asks]
    head = np.concatenate([[True], receiver[1:] != receiver[:-1]])
    # runs: a frame begins one if all earlier locks of its receiver have ended; receivers are kept apart by a stride
    stride = int(max(until_ns.max(), engine.locks.max()) - begin_ns + 1)
    held = np.maximum(until_ns, np.where(head, engine.locks[receiver].max(axis=1), 0)) - begin_ns + receiver * stride
    before = np.concatenate([[0], np.maximum.accumulate(held)[:-1]]) - receiver * stride + begin_ns
    begins = np.flatnonzero(head | (start_ns >= before))
    size = np.diff(np.append(begins, len(asks)))
    state = np.where(head[begins][:, None], engine.locks[receiver[begins]], 0)
    width = np.arange(state.shape[1]) < engine.demodulators[receiver[begins]][:, None]
    going = np.arange(len(begins))
    for step in range(int(size.max())):
        going = going[size[going] > step]
        at = begins[going] + step
        free = (state[going] <= start_ns[at][:, None]) & width[going]
        place, found = free.argmax(axis=1), free.any(axis=1)
        state[going[found], place[found]] = until_ns[at[found]]
        pairs[asks[at[~found]], FLAGS] |= BUSY
    engine.locks[receiver[begins]] = state  # the last run of a receiver stands


def _interfere(pairs: I64) -> None:
    """Bring every frame's peaks up to date."""
    start_ns, end_ns, receiver, units = pairs[:, START], pairs[:, END], pairs[:, RECEIVER], pairs[:, UNITS]
    jammer = pairs[:, FLAGS] & JAMMER != 0
    channel = pairs[:, FLAGS] & SECOND_CHANNEL
    firsts, seconds = [], []
    going = np.arange(len(pairs) - 1)
    distance = 1
    while len(going):
        going = going[going + distance < len(pairs)]
        other = going + distance
        meets = (receiver[other] == receiver[going]) & (start_ns[other] < end_ns[going])
        going, other = going[meets], other[meets]
        same = channel[going] == channel[other]
        firsts.append(going[same])
        seconds.append(other[same])
        distance += 1
    if not firsts:
        return
    i, c = np.concatenate(firsts), np.concatenate(seconds)  # c begins during i; of a tie, the last sums all
    jam_units = np.where(jammer, units, 0)
    total, jam = units.copy(), jam_units.copy()
    np.add.at(total, c, units[i])
    np.add.at(jam, c, jam_units[i])
    touched = np.unique(np.concatenate([i, c]))
    peak, worst = pairs[:, PEAK].copy(), pairs[:, JAM].copy()
    peak[touched] = np.maximum(peak[touched], total[touched] - units[touched])
    worst[touched] = np.maximum(worst[touched], jam[touched])
    np.maximum.at(peak, i, total[c] - units[i])
    np.maximum.at(worst, i, jam[c])
    pairs[:, PEAK], pairs[:, JAM] = np.where(jammer, 0, peak), np.where(jammer, 0, worst)
