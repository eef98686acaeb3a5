"""What a meter counted up to a set date changes afterwards. A meter latches it at the set date and never again, so
another value for the same date was not read off that meter: it was forged, now or the first time."""

from __future__ import annotations

from typing import Final

from sim.portal.alarm import Accepted, Alarm, Around, Watcher
from sim.portal.check import NONE

DATES_KEPT: Final = 2
"""Of each meter: the last set date, and the one before it, which late telegrams still name."""


class SetDate(Watcher):
    """Ends with a telegram that says of that date what the portal was told first, or of a later date anything. A meter
    that is exchanged has another address, and so a memory of its own."""

    def __init__(self, around: Around) -> None:
        super().__init__(around)
        self.forget()

    def forget(self) -> None:
        self._told: dict[str, dict[int, int]] | None = None

    def took(self, accepted: Accepted, now_ns: int) -> None:
        """Dates are days since 1970."""
        if self._told is None:
            self._told = {}
            for meter, day, units in self.around.store.first_set_date_units():
                self._remember(meter, day, units)
        days, counts = accepted.set_day.tolist(), accepted.set_date_units.tolist()
        for meter, day, units in zip(accepted.meters, days, counts, strict=True):
            if day == NONE or units == NONE:
                continue
            first = self._told.get(meter, {}).get(day)
            if first is None:
                self._remember(meter, day, units)
            if first is None or first == units:
                if meter in self.episodes.standing("set date"):
                    self.episodes.end("set date", meter, now_ns)
            else:
                self.episodes.occur("set date", meter, now_ns, f"{units} units at a set date that had {first} before")

    def _remember(self, meter: str, day: int, units: int) -> None:
        assert self._told is not None, "made by took"
        told = self._told.setdefault(meter, {})
        told[day] = units
        if len(told) > DATES_KEPT:
            del told[min(told)]


ALARM = Alarm("set date", 37, SetDate, portal_only=True)
