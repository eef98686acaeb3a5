"""What anyone with a receiver learns by listening: which meters are here, how often, how loud, how protected.

All of it stands in clear in every telegram (address, access number, configuration word); only the contents may be
encrypted. Attacks choose their targets from a survey, never from the simulator's lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.core.bundle import Heard
from sim.truth.ground_truth import Truth, fingerprint
from wmbus.errors import BadTelegram
from wmbus.telegram import parse, read


@dataclass(slots=True)
class Known:
    """One meter as a listener knows it; `recordings` are the last `Survey.keep` telegrams, oldest first."""

    address: str
    security: str
    maker: str
    heard: int = 0
    first_ns: int = 0
    last_ns: int = 0
    rssi_sum_dbm: float = 0.0
    acc: int = 0
    recordings: list[Heard] = field(default_factory=list)

    @property
    def interval_s(self) -> float:
        """Mean time between telegrams heard; infinite before the second."""
        return (self.last_ns - self.first_ns) / 1e9 / (self.heard - 1) if self.heard > 1 else float("inf")

    @property
    def rssi_dbm(self) -> float:
        """Mean level of what was heard."""
        return self.rssi_sum_dbm / max(self.heard, 1)


class Survey:
    """Feed it everything heard: `reach.listen(survey.note)`."""

    def __init__(self, keep: int = 300) -> None:
        self.meters: dict[str, Known] = {}
        self.keep = keep
        self.telegrams = 0
        self.unreadable = 0

    def note(self, heard: Heard) -> Known | None:
        """None when the telegram cannot even be parsed."""
        self.telegrams += 1
        try:
            telegram = parse(heard.telegram)
        except BadTelegram:
            self.unreadable += 1
            return None
        address = str(telegram.address)
        known = self.meters.get(address)
        if known is None:
            known = Known(address, telegram.security, telegram.address.manufacturer, first_ns=heard.received_ns)
            self.meters[address] = known
        known.heard += 1
        known.last_ns = heard.received_ns
        known.rssi_sum_dbm += heard.rssi_dbm
        known.acc = telegram.acc or 0
        known.recordings.append(heard)
        if len(known.recordings) > self.keep:
            del known.recordings[0]
        return known

    def loudest(self, security: str, *, makers: tuple[str, ...] = (), least: int = 1) -> list[Known]:
        """Meters of one security mode heard at least `least` times, loudest first."""
        fitting = [
            m
            for m in self.meters.values()
            if m.security == security and m.heard >= least and (not makers or m.maker in makers)
        ]
        return sorted(fitting, key=lambda m: (-m.rssi_dbm, m.address))

    def fastest(self, security: str) -> list[Known]:
        """Meters of one security mode, shortest interval first."""
        fitting = [m for m in self.meters.values() if m.security == security and m.heard > 1]
        return sorted(fitting, key=lambda m: (m.interval_s, m.address))


def units_read(telegram: bytes, key: bytes | None = None) -> int | None:
    """The present heat units as this key, or none, opens them; None where it does not."""
    try:
        records = read(telegram, key).records
    except BadTelegram:
        return None
    units = (r.value for r in records if r.unit == "HCA" and r.storage == 0 and isinstance(r.value, int))
    return next(units, None)


def reads_units(telegram: bytes, key: bytes, truth: Truth) -> bool:
    """The key opens them, and they are what its meter counted."""
    units = units_read(telegram, key)
    return units is not None and units == truth.units_in(fingerprint(telegram))
