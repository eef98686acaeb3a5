"""The meter says so: error flags in its records, an error date, or its status byte."""

from __future__ import annotations

from sim.portal.alarm import Accepted, Alarm, Watcher


class Tamper(Watcher):
    """Ends with a telegram that complains of nothing."""

    def took(self, accepted: Accepted, now_ns: int) -> None:
        standing, tampered = self.episodes.standing("tamper"), set(accepted.tampered)
        if not standing and not tampered:
            return
        for place, meter in enumerate(accepted.meters):
            if place not in tampered:
                self.episodes.end("tamper", meter, now_ns)
            elif meter in standing:
                self.episodes.occur("tamper", meter, now_ns, standing[meter].detail)
            else:
                self.episodes.occur("tamper", meter, now_ns, accepted.complaint(place))


ALARM = Alarm("tamper", 10, Tamper)
