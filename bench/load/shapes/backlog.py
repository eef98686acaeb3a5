"""The way to the broker was down for as long as the trial lasts before it begins: each gateway has a trial's worth of
bundles in its outbox, all due at the begin, while new ones come at the stated load. What counts is how soon the service
has caught up, so the time of an old bundle runs from the way's return."""

from __future__ import annotations

import numpy as np

from bench.load.schedule import Load, Schedule, numbered, steady_times
from bench.load.shapes.port import Shape


def _schedule(load: Load) -> Schedule:
    old, was_due_s = steady_times(load)
    gateway, due_s = steady_times(load)
    old = old[np.lexsort((old, was_due_s))]
    return numbered(np.concatenate([old, gateway]), np.concatenate([np.zeros(len(old)), due_s]))


SHAPE = Shape("backlog", "As much again waits in the outboxes when the way is back", _schedule)
