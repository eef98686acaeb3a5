"""What the alarm `leak` costs: how often it is raised about households whose pipes are sound.

Its threshold is a tenth of an alarm a meter and year, so thirty meter-years must be looked at before none means
anything. They are looked at without the air: the portal's own alarms are shown what three hundred meters' displays say
when each sends, in the takes of a portal. What losses and bundles do to it is measured in worlds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from reports import rates
from sim.core.clock import NS_PER_HOUR
from sim.core.seeds import Seeds
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.portal.alarm import Accepted
from sim.portal.check import NONE
from sim.portal.episodes import Alarms
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal_spec import PortalSpec
from sim.portal.store_port import open_store

I64 = NDArray[np.int64]
METERS: Final = 300
DAYS: Final = 45
DAYS_A_YEAR: Final = 365.0
_START: Final = datetime(2026, 3, 2)  # noqa: DTZ001  the calendar makes it UTC
_TYPE: Final = "qundis-q-water"


@dataclass(frozen=True)
class Price:
    """Alarms in so many meter-years, learning left out."""

    alarms: int
    meter_years: float

    @property
    def a_meter_year(self) -> float:
        return self.alarms / self.meter_years

    @property
    def lower_a_meter_year(self) -> float:
        """See reports.rates."""
        return rates.lower(self.alarms) / self.meter_years

    @property
    def upper_a_meter_year(self) -> float:
        """See reports.rates."""
        return rates.upper(self.alarms) / self.meter_years


def false_leaks(
    spec: PortalSpec, *, seed: int, meters: int = METERS, days: int = DAYS, interval_s: float = 900.0
) -> Price:
    """The price at these settings of the alarm, among so many households of a world's seed."""
    group = FleetSpec("households", _TYPE, meters, security="none", interval_s=interval_s)
    fleet = Fleet([group], Seeds(seed), start=_START)
    names = [str(fleet.address(meter)) for meter in range(fleet.n)]
    registry = Registry(MeterEntry(fleet.address(meter), "none", interval_s) for meter in range(fleet.n))
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("sqlite", Path(folder))
        try:
            alarms = Alarms(spec, store, registry)
            for hour, (meter, at_ns, volume_m3) in enumerate(_displays(fleet, days * 24), start=1):
                nothing = np.full(len(meter), NONE, dtype=np.int64)
                rows = Accepted([names[one] for one in meter.tolist()], (), str, at_ns, nothing, nothing, volume_m3)
                alarms.took(rows, hour * NS_PER_HOUR)
            raised = sum(alarm.kind == "leak" for alarm in alarms.raised())
        finally:
            store.close()
    return Price(raised, meters * (days - spec.leak_learn_days) / DAYS_A_YEAR)


def _displays(fleet: Fleet, hours: int) -> Iterator[tuple[I64, I64, NDArray[np.float64]]]:
    """For each hour who sends, when, and the volume that a telegram's records say (m3)."""
    kind = fleet.kind(0)
    place = next(place for place in kind.places if place.slot.label == "volume_l")
    assert place.encoding == "bcd8", "the digits below are packed two in a byte, the low ones first"
    behind = int(fleet.population.length_bytes[0]) - kind.records_bytes + place.offset
    weights = 10.0 ** np.arange(0, 2 * place.width, 2)
    a_day = 24
    for day in range(0, hours, a_day):
        window = fleet.window(day * NS_PER_HOUR, min(day + a_day, hours) * NS_PER_HOUR)
        made = fleet.telegrams(window.meter, window.k)
        frames = made.data.reshape(len(window.k), -1)[:, behind : behind + place.width].astype(np.float64)
        litres = ((frames // 16) * 10 + frames % 16) @ weights
        hour = window.start_ns // NS_PER_HOUR
        for one in range(day, min(day + a_day, hours)):
            low, high = np.searchsorted(hour, (one, one + 1))
            yield window.meter[low:high], window.start_ns[low:high], litres[low:high] / 1_000


