"""A fleet's frames window by window are those of the closed form, however the time is cut."""

from __future__ import annotations

import numpy as np
import pytest

from sim.city.next_frames import NextFrames
from sim.core.seeds import Seeds
from sim.meters.sending_times import LIMIT_NS, ScheduleOverflow, first_at, starts


@pytest.mark.parametrize("cuts_ns", [[10**9], [1, 2, 10**7, 10**8, 10**9], list(range(3 * 10**6, 10**9, 3 * 10**6))])
def test_the_frames_of_the_closed_form(cuts_ns: list[int]) -> None:
    seeds, meter = Seeds(2), np.arange(300)
    period_ns = 10**6 + seeds.below("test period", 10**8, meter)
    t0_ns, acc0 = seeds.below("test phase", 10**8, meter), seeds.below("test acc", 256, meter)
    upcoming, begin_ns, sent = NextFrames(t0_ns, period_ns, acc0), 0, 0
    for until_ns in cuts_ns:
        frames = upcoming.until(until_ns)
        low, high = (first_at(t0_ns, period_ns, acc0, at) for at in (begin_ns, until_ns))
        assert (np.diff(frames.first) == high - low).all()
        who = frames.meter()
        k = np.arange(len(who)) - frames.first[who] + low[who]
        assert (frames.k == k).all()
        assert (frames.start_ns == starts(t0_ns[who], period_ns[who], acc0[who], k)).all()
        assert frames.first[-1] == len(frames.k)
        begin_ns, sent = until_ns, sent + len(frames.k)
    assert sent > 5_000


def test_time_that_64_bits_do_not_hold_is_refused() -> None:
    upcoming = NextFrames(np.zeros(1, np.int64), np.full(1, 10**15), np.zeros(1, np.int64))
    with pytest.raises(ScheduleOverflow, match="at most 146"):
        upcoming.until(LIMIT_NS)
