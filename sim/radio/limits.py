"""What the engine's packed keys and narrow columns hold. The rule kept here: more is refused at once, with the limit
named, and never gives a wrong number.

    a window          40 bits of a key are nanoseconds
    a receiver        24 bits of a key are its links with the intruders, then its frames of one window
    receivers         a receiver and a time share 62 bits where numpy sorts
    meters, frames    their numbers are kept in 32 bits with a sign
    a frame           so is the duration of a fleet's
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.core.settings import SpecError

I64 = NDArray[np.int64]

MAX_WINDOW_NS: Final = 1 << 40
MAX_FRAME_NS: Final = 1 << 31
MAX_ENTRIES: Final = 1 << 24
MAX_RECEIVERS: Final = 1 << 20
MAX_NUMBER: Final = 1 << 31


class EngineLimit(SpecError):
    """More than the packed keys hold; the message names the limit."""


def check_size(meters: int, links: I64, longest_ns: int) -> None:
    """Of an engine: its meters, the links of each receiver, the longest frame of the fleet."""
    if meters >= MAX_NUMBER:
        raise EngineLimit(f"{meters} meters on one engine, at most {MAX_NUMBER - 1}; use more shards")
    if len(links) > MAX_RECEIVERS:
        raise EngineLimit(f"{len(links)} receivers on one engine, at most {MAX_RECEIVERS}; use more shards")
    if int(links.max(initial=0)) >= MAX_ENTRIES:
        raise EngineLimit(f"{int(links.max())} links at one receiver, at most {MAX_ENTRIES - 1}")
    if links.any() and longest_ns >= MAX_FRAME_NS:
        raise EngineLimit(f"a frame of {longest_ns} ns is longer than {MAX_FRAME_NS - 1} ns")


def check_window(length_ns: int, frames: int) -> None:
    """Of a window: how long it is, and how many of the fleet's frames begin in it."""
    if not 0 < length_ns < MAX_WINDOW_NS:
        raise EngineLimit(f"a window is more than 0 and less than {MAX_WINDOW_NS} ns, not {length_ns}")
    if frames >= MAX_NUMBER:
        raise EngineLimit(f"{frames} frames in one window, at most {MAX_NUMBER - 1}; use shorter windows")


def check_entries(first: I64, link_meter: NDArray[np.int32], link_offset: I64, intruders: I64) -> None:
    """Of a window: where each meter's frames begin, and intruders' at each receiver. Counted receiver by receiver only
    where all together would be too many."""
    if int(first[-1]) + int(intruders.sum()) < MAX_ENTRIES:
        return
    arriving = np.concatenate([[0], np.cumsum(np.diff(first)[link_meter])])
    most = int((np.diff(arriving[link_offset]) + intruders).max())
    if most >= MAX_ENTRIES:
        raise EngineLimit(
            f"{most} frames at one receiver in one window, at most {MAX_ENTRIES - 1}; use shorter windows"
        )
