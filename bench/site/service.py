"""What is asked of a site, as a sentence about readings, and as the chances that placement works with.

    99.5 % of meters have a reading younger than 24 h, and all have the value of the set date by day 5, also when any
    one gateway is dead for 7 days

A meter sends `frames` telegrams within the time that counts; what a gateway holds back in bundles, or leaves out since
it passes on one telegram a period, is not younger for it, so the time that counts is shorter by both. "All" means that
on average less than half a meter of the site lacks its value: nothing that is drawn is ever certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from bench.site.budget import Paths
from bench.site.placement import Clause
from bench.site.served import Capture, served

S_PER_H: Final = 3_600.0
S_PER_DAY: Final = 86_400.0
ALL_BUT: Final = 0.5  # meters
_QUANTILES: Final = (np.arange(256) + 0.5) / 256


class Asked(NamedTuple):
    """`served` None: all. `within_s`: the age of a reading, or the days after the set date."""

    words: str
    served: float | None
    within_s: float

    def share(self, meters: int) -> float:
        """Of meters, that is wanted."""
        return 1 - ALL_BUT / meters if self.served is None else self.served


class Traffic(NamedTuple):
    """What meters send and gateways pass on. `thin_s`: a gateway passes on one telegram of a meter in each; 0: all."""

    interval_s: float
    bundle_s: float
    thin_s: float = 0.0

    def frames(self, within_s: float) -> float:
        """Telegrams of a meter of which one is enough, in so long."""
        return max(0.0, (within_s - self.bundle_s - self.thin_s) // self.interval_s)


class Service(NamedTuple):
    """What is asked, and what the draws share. `dead_s`: how long any one gateway may be dead; 0: none is. `hang`:
    candidates that are there already."""

    asked: tuple[Asked, ...]
    dead_s: float
    traffic: Traffic
    fading_db: float
    shadowing_db: float
    power_dbm: float
    air_s: float
    """Of one frame."""
    hang: Sequence[int]
    capture_db: float | None = None
    """None: a frame that meets another is lost, whatever their levels."""

    def met(self, margin_db: Any) -> tuple[float, Capture | None]:
        """(load of the busiest candidate in erlang, who is heard there). `margin_db`: (meters, candidates)."""
        heard = margin_db > -self.shadowing_db
        counts = heard.sum(axis=0)
        busiest = int(counts.argmax())
        load = float(counts[busiest]) * self.air_s / self.traffic.interval_s
        if self.capture_db is None or not counts[busiest]:
            return load, None
        levels = np.quantile(margin_db[heard[:, busiest], busiest], _QUANTILES)
        return load, Capture(self.capture_db, tuple(levels.tolist()))

    def arrive(self, paths: Paths, model: Any, sensitivity_dbm: float, load_erlang: float) -> Any:
        """(meters, candidates): the chance of one frame."""
        margin = self.power_dbm - paths.losses_db(model) - sensitivity_dbm
        return served(margin, 1.0, self.fading_db, self.shadowing_db, load_erlang, self.met(margin)[1])

    @property
    def sentence(self) -> str:
        dead = f", also when any one gateway is dead for {days(self.dead_s)}" if self.dead_s else ""
        return ", and ".join(one.words for one in self.asked) + dead


def asked(served_: float, age_h: float, set_date_days: float | None) -> tuple[Asked, ...]:
    """The clauses of a sentence."""
    young = Asked(f"{100 * served_:g} % of meters have a reading younger than {age_h:g} h", served_, age_h * S_PER_H)
    if set_date_days is None:
        return (young,)
    words = f"all have the value of the set date by day {set_date_days:g}"
    return young, Asked(words, None, set_date_days * S_PER_DAY)


def days(seconds: float) -> str:
    """In days, or in hours where that is shorter."""
    whole, left = divmod(seconds, S_PER_DAY)
    if left:
        return f"{seconds / S_PER_H:g} h"
    return "a day" if whole == 1 else f"{whole:g} days"


def chances(paths: Paths, model: Any, sensitivity_dbm: float, service: Service) -> tuple[list[Clause], float]:
    """(a clause for each sentence, load of the busiest candidate in erlang)."""
    margin = service.power_dbm - paths.losses_db(model) - sensitivity_dbm
    load, capture = service.met(margin)

    def chance(within_s: float) -> Any:
        frames = service.traffic.frames(within_s)
        return served(margin, frames, service.fading_db, service.shadowing_db, load, capture)

    clauses = []
    for one in service.asked:
        late = chance(max(0.0, one.within_s - service.dead_s)) if service.dead_s else None
        clauses.append(Clause(chance(one.within_s), one.share(len(margin)), late))
    return clauses, load
