"""Is each of very many telegrams new? The checks of `freshness`, with their state as arrays, a row a meter.

    mcr, acc, ts   the windows of `window`: the highest value, and a ring of bits in which value v stands at v modulo
                   the ring's size. A ring is a byte longer than its window, so what lies ahead can be cleared by bytes.
                   All meters show one minute and count on alike from their first counter, so bytes of time and counter
                   lie by place, not by meter
    age            the anchor's counter and when the portal took it
    kept           which bytes were stored, from where and when: copies are known by it, and repetitions of late ones.
                   A chain a meter, forgotten when a bundle cannot be under way any more

The rule kept here: telegram for telegram the verdict of `freshness.Freshness` and `intake.Portal`, which a test holds.
Meters do not know of each other, so each meter's telegrams are judged in their order and meters in any order. What
time differences do to 64 bits is said once: receive times lie within 73 years, and a counter's jump is cut off where
it is older than any limit.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.core.clock import ns
from sim.portal import reasons
from sim.portal.freshness import (
    ACC_WINDOW,
    DRIFT_PPM,
    MCR_WINDOW,
    NS_PER_MIN,
    TS_LEAST_INTERVAL_S,
    TS_WINDOW_MIN,
    WANDER_2048THS,
)
from sim.portal.meter_table import UNKNOWN, Roll
from sim.portal.portal_spec import PortalSpec
from sim.portal.record_templates import NONE
from sim.portal.window import BEHIND, NEW, SEEN

I64 = NDArray[np.int64]
STORED, COPY = 0, 1
"""Verdicts; others are places in REASONS."""
REASONS: Final = ("", "", *sorted(reasons.ALL))
LIMIT_NS: Final = 1 << 61
_AT = {reason: place for place, reason in enumerate(REASONS)}
_FOREIGN, _COUNTER, _ACC, _TIME = (
    _AT[reasons.FOREIGN_GATEWAY], _AT[reasons.REPLAYED_COUNTER], _AT[reasons.REPLAYED_ACC], _AT[reasons.REPLAYED_TIME]
)  # fmt: skip

_OFF, _NO_TIME, _AHEAD = _AT[reasons.TIME_OFF], _AT[reasons.NO_TIME], _AT[reasons.TIME_AHEAD]
LATE, REPLAYED_LATE = _AT[reasons.LATE], _AT[reasons.REPLAYED_LATE]
_BIND, _MCR, _ACC_ON, _TS, _AGE = 1, 2, 4, 8, 16
_ON = {"bind": _BIND, "mcr": _MCR, "acc": _ACC_ON, "ts": _TS, "age": _AGE}
_LEAST_INTERVAL_NS = ns(TS_LEAST_INTERVAL_S)
COPY_TOLERANCE_NS: Final = 2_000_000_000
KEPT_COLUMNS = 5
_HASH, _GATEWAY, _RECEIVED, _STORED_AT, _NEXT = range(KEPT_COLUMNS)
STATE_COLUMNS = 8
_MCR_HIGH, _ACC_HIGH, _ACC_AT, _TS_HIGH, _AGE_HIGH, _AGE_AT, _HEAD, _MCR_FIRST = range(STATE_COLUMNS)


def reason_place(reason: str) -> int:
    """A reason as a verdict."""
    return _AT[reason]


class FreshnessMany:
    """State of all meters of a roll. `kept_ns`: how long what was stored is remembered; None: for ever."""

    def __init__(self, spec: PortalSpec, roll: Roll, kept_ns: int | None) -> None:
        n = len(roll)
        self.checks = sum(_ON[check] for check in spec.checks)
        kept_or_ever_ns = LIMIT_NS if kept_ns is None else kept_ns
        self.limits = np.array([ns(spec.ts_tolerance_s), ns(spec.age_max_s), kept_or_ever_ns], dtype=np.int64)
        self._kept_ns = kept_ns
        self.state = np.full((n, STATE_COLUMNS), NONE, dtype=np.int64)  # a meter's fill one line of the cache
        self.state[:, [_ACC_AT, _AGE_AT, _MCR_FIRST]], self.state[:, _HEAD] = 0, -1
        # Pages that no telegram touches (counters of meters without one) stay unused.
        self.acc_ring = np.zeros((n, ACC_WINDOW // 8 + 1), dtype=np.uint8)
        self.mcr_ring, self.ts_ring = (
            np.zeros((size // 8 + 1, n), dtype=np.uint8).T for size in (MCR_WINDOW, TS_WINDOW_MIN)
        )
        self._kept = np.zeros((0, KEPT_COLUMNS), dtype=np.int64)
        self._count = self.dropped = 0

    def remembered(self, now_ns: int, more: int) -> tuple[I64, int]:
        """What is kept, with room for so many more, and how many rows of it are in use. A link in a chain counts every
        row there ever was; one that points before `dropped` ends the chain."""
        if self._count + more > len(self._kept):
            old = 0
            if self._kept_ns is not None:
                stored = self._kept[: self._count, _STORED_AT]
                old = int(np.searchsorted(stored, now_ns - self._kept_ns))  # in the order of takes
            count = self._count - old
            enough = 4 * (count + more) <= 3 * len(self._kept)
            table = self._kept if enough else np.empty((2 * (count + more), KEPT_COLUMNS), dtype=np.int64)
            table[:count] = self._kept[old : self._count]
            self._kept, self._count = table, count
            self.dropped += old
        return self._kept, self._count

    def keep(self, count: int) -> None:
        """So many rows are in use after `judge`."""
        self._count = count


# --- windows ------------------------------------------------------------------------------------------------------


@njit(cache=True, error_model="numpy", inline="always")
def look(highest: Any, ring: Any, row: Any, size: Any, value: Any) -> Any:
    """NEW, SEEN or BEHIND."""
    if highest == NONE or value > highest:
        return NEW
    if highest - value >= size:
        return BEHIND
    return SEEN if ring[row, (value >> 3) % ring.shape[1]] >> (value & 7) & 1 else NEW


@njit(cache=True, error_model="numpy", inline="always")
def mark(highest: Any, ring: Any, row: Any, size: Any, value: Any) -> Any:
    """The new highest. A ring without one holds no bits."""
    length = ring.shape[1]
    last = value >> 3
    place = last % length
    if highest != NONE:
        if value > highest:
            ahead = place
            for _ in range(min(last - (highest >> 3), length)):
                ring[row, ahead] = 0
                ahead = ahead - 1 if ahead else length - 1
        elif highest - value >= size:
            return highest
    ring[row, place] |= np.uint8(1 << (value & 7))
    return value if highest == NONE else max(value, highest)


@njit(cache=True, error_model="numpy")
def emptied(ring: Any, row: Any) -> None:
    """As before the first value; a loop of its own, for it is rare and would slow down what it stands in."""
    for byte in range(ring.shape[1]):
        ring[row, byte] = 0


# --- judgement ----------------------------------------------------------------------------------------------------


@njit(cache=True, error_model="numpy", inline="always")
def _counted(now_ns: Any, at_ns: Any, counter: Any, anchor: Any, interval_ns: Any) -> Any:
    """Age by the counter, cut off at the limits."""
    ahead = counter - anchor
    if abs(ahead) > LIMIT_NS // interval_ns:
        return -LIMIT_NS if ahead > 0 else LIMIT_NS
    return (now_ns - at_ns) - ahead * interval_ns


@njit(cache=True, error_model="numpy")
def judge(
    order: Any, rows: Any, hashes: Any, gateway: Any, received: Any, unique: Any, content: Any, acc: Any, counter: Any,
    shown_ns: Any, interval_ns: Any, bound_first: Any, bound: Any, sends_time: Any, silent_ns: Any, checks: Any,
    limits: Any, state: Any, mcr_ring: Any, acc_ring: Any, ts_ring: Any, kept: Any, count: Any, dropped: Any,
    now_ns: Any, verdict: Any,
) -> Any:  # fmt: skip
    """Verdicts of receptions, in `order`: by meter, and within it as the gateways heard them. `content`, `acc`,
    `counter`, `shown_ns` are those of the telegrams (`unique` says which), NONE where there is none; a content that is
    not 0 is a refusal already. Returns how many rows of `kept` are in use."""
    tolerance_ns, age_max_ns, forgotten_ns = limits[0], limits[1], now_ns - limits[2]
    by_bind, by_mcr, with_acc = checks & _BIND != 0, checks & _MCR != 0, checks & _ACC_ON != 0
    by_ts, with_age = checks & _TS != 0, checks & _AGE != 0
    for at in order:
        row, telegram = rows[at], unique[at]
        before, copy = False, False
        link = state[row, _HEAD] - dropped
        while link >= 0 and kept[link, _STORED_AT] >= forgotten_ns:
            if kept[link, _HASH] == hashes[at]:
                before = True
                apart_ns = abs(received[at] - kept[link, _RECEIVED])
                if kept[link, _GATEWAY] != gateway[at] and apart_ns <= COPY_TOLERANCE_NS:
                    copy = True
                    break
            link = kept[link, _NEXT] - dropped
        if copy:
            verdict[at] = COPY
            continue
        if content[telegram] != 0:
            verdict[at] = content[telegram]
            continue
        its_counter, its_acc, its_time = counter[telegram], acc[telegram], shown_ns[telegram]
        interval, planned = interval_ns[row], silent_ns[row] > 0
        by_acc = with_acc and not (its_counter != NONE and by_mcr) and its_acc != NONE
        lapsed = received[at] - state[row, _ACC_AT] > ACC_WINDOW * interval
        ahead = (its_acc - state[row, _ACC_HIGH]) & 0xFF
        unwrapped = state[row, _ACC_HIGH] + (ahead if ahead < ACC_WINDOW else ahead - 256)
        by_age = with_age and its_counter != NONE and its_time == NONE and not planned
        counted = np.int64(0)
        if by_age and state[row, _AGE_HIGH] != NONE:
            counted = _counted(now_ns, state[row, _AGE_AT], its_counter, state[row, _AGE_HIGH], interval)
        why = 0
        if by_bind:
            known = False
            for place in range(bound_first[row], bound_first[row + 1]):
                known |= bound[place] == gateway[at]
            if not known:
                why = _FOREIGN
        if why == 0 and by_mcr and its_counter != NONE:
            seen = look(state[row, _MCR_HIGH], mcr_ring, row, MCR_WINDOW, its_counter - state[row, _MCR_FIRST])
            if seen != NEW:
                why = _COUNTER if seen == SEEN else LATE
        asks_acc = why == 0 and by_acc and state[row, _ACC_HIGH] != NONE and not lapsed
        if asks_acc and look(state[row, _ACC_HIGH], acc_ring, row, ACC_WINDOW, unwrapped) != NEW:
            why = _ACC
        if why == 0 and by_ts:
            if its_time == NONE:
                if sends_time[row] == 1 or (sends_time[row] == UNKNOWN and state[row, _TS_HIGH] != NONE):
                    why = _NO_TIME
            else:
                off = received[at] - its_time
                if not (-tolerance_ns <= off and off < tolerance_ns + NS_PER_MIN):
                    why = _OFF
                elif interval >= _LEAST_INTERVAL_NS:
                    seen = look(state[row, _TS_HIGH], ts_ring, row, TS_WINDOW_MIN, its_time // NS_PER_MIN)
                    if seen != NEW:
                        why = _TIME if seen == SEEN else LATE
        if why == 0 and with_age:
            if its_time != NONE:
                age = now_ns - its_time
                if age < -tolerance_ns:
                    why = _AHEAD
                elif age > age_max_ns + tolerance_ns:
                    why = LATE
            elif by_age and state[row, _AGE_HIGH] != NONE:
                passed = now_ns - state[row, _AGE_AT]
                drift = passed // 1_000_000 * DRIFT_PPM + passed % 1_000_000 * DRIFT_PPM // 1_000_000
                if counted > age_max_ns + interval * WANDER_2048THS // 2_048 + drift:
                    why = LATE
        if why == LATE and before:
            why = REPLAYED_LATE
        verdict[at] = why
        if why != 0 and why != LATE:
            continue
        if by_mcr and its_counter != NONE:
            if state[row, _MCR_HIGH] == NONE:
                state[row, _MCR_FIRST] = its_counter
            since = its_counter - state[row, _MCR_FIRST]
            state[row, _MCR_HIGH] = mark(state[row, _MCR_HIGH], mcr_ring, row, MCR_WINDOW, since)
        if by_acc:
            if state[row, _ACC_HIGH] == NONE or lapsed:
                emptied(acc_ring, row)
                # 256 keeps what lies behind the first number positive.
                state[row, _ACC_HIGH] = mark(NONE, acc_ring, row, ACC_WINDOW, 256 + its_acc)
                state[row, _ACC_AT] = received[at]
            else:
                state[row, _ACC_HIGH] = mark(state[row, _ACC_HIGH], acc_ring, row, ACC_WINDOW, unwrapped)
                state[row, _ACC_AT] = max(state[row, _ACC_AT], received[at])
        if by_ts and its_time != NONE:
            state[row, _TS_HIGH] = mark(state[row, _TS_HIGH], ts_ring, row, TS_WINDOW_MIN, its_time // NS_PER_MIN)
        if why == 0 and by_age and (state[row, _AGE_HIGH] == NONE or counted < 0):
            state[row, _AGE_HIGH], state[row, _AGE_AT] = its_counter, now_ns
        kept[count, _HASH], kept[count, _GATEWAY], kept[count, _RECEIVED] = hashes[at], gateway[at], received[at]
        kept[count, _STORED_AT], kept[count, _NEXT] = now_ns, state[row, _HEAD]
        state[row, _HEAD] = dropped + count
        count += 1
    return count
