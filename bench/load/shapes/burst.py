"""All that a trial brings is due at its begin, as after an outage without new readings: broker and portal have work
from the first to the last of it, whatever else the machine does. For what a bundle takes of a processor."""

import numpy as np

from bench.load.schedule import Load, Schedule, numbered, steady_times
from bench.load.shapes.port import Shape


def _schedule(load: Load) -> Schedule:
    gateway, due_s = steady_times(load)
    order = np.lexsort((gateway, due_s))
    return numbered(gateway[order], np.zeros(len(due_s)))


SHAPE = Shape("burst", "All at once", _schedule)
