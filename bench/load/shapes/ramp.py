"""The load grows from nothing to twice the stated one in a straight line, so that its mean is the stated one: what
breaks near the end breaks above the mean."""

from __future__ import annotations

import numpy as np

from bench.load.schedule import Load, Schedule, numbered, steady_times
from bench.load.shapes.port import Shape


def _schedule(load: Load) -> Schedule:
    """Steady times t of a load become T sqrt(t / T): their density grows with time."""
    gateway, due_s = steady_times(load)
    return numbered(gateway, load.seconds_s * np.sqrt(due_s / load.seconds_s))


SHAPE = Shape("ramp", "From nothing to twice the load, in a straight line", _schedule)
