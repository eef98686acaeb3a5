"""The real portal, every meter type in every mode that it sends, and the genuine telegrams that must come through.

Of each type and mode there are three meters. The first one's key is the attacker's; the second is named by telegrams
that were made without its key; nothing is sent in the third one's name. What must hold, after whatever was taken:

* a genuine telegram of every meter is a reading, and says what it says to a portal that was never attacked (the clean
  twin);
* except where a telegram in the meter's name was itself taken for a reading: with its key, or in a mode without a MAC,
  that is what the protocol allows. In mode 7 without the key, and for a meter that nobody named, there is no exception;
* no telegram needed the quarantine: it stands for an error that nobody foresaw;
* what is stored is no more than what arrived, and memory does not grow from portal to portal.
"""

from __future__ import annotations

import functools
import re
import resource
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bench.fuzz.target import Found
from sim.core.bundle import UP, Bundle, Heard
from sim.core.clock import NS_PER_S, Calendar
from sim.core.events import Event
from sim.core.seeds import Seeds
from sim.endpoint.port import Message
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from sim.portal import reasons
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal import Portal
from sim.portal.portal_spec import PortalSpec
from sim.portal.reading_columns import SAID
from sim.portal.store_port import Reading, fingerprint

START: Final = datetime(2026, 1, 12, tzinfo=UTC)
INTERVAL_S: Final = 900.0
INTERVALS: Final = 20  # of one portal's life
GATEWAYS: Final = ("gw1", "gw2")  # the attacker may publish as the first
GROWTH_MB: Final = 400
_EACH: Final = 3
_TAIL: Final = 8  # bytes that the MAC of mode 7 covers
_KEY_KNOWN, _BYSTANDER = 0, 2


def fleet_of_everything(each: int) -> Fleet:
    """So many meters of every type in every mode that it sends, side by side."""
    groups = [
        FleetSpec(f"{name} {security}", name, each, security=security, interval_s=INTERVAL_S)
        for name, kind in kinds().items()
        for security in kind.securities
    ]
    return Fleet(groups, Seeds(5), start=START)


@functools.cache
def _sent_in(_types: tuple[str, ...]) -> Mapping[bytes, int]:
    """The end of each telegram in mode 7 -> the interval it is sent in. Every portal has the same meters, and to make
    all that they send takes half of the time that a portal's life begins with."""
    fleet = fleet_of_everything(_EACH)
    sealed = [m for m in range(fleet.n) if fleet.security(m) == "mode7"]
    return MappingProxyType({fleet.telegram(m, k)[-_TAIL:]: k for m in sealed for k in range(INTERVALS)})


class PortalBed:
    """One portal after the other, in `folder`. `take` as often as you like, then `served()`, which lets an interval
    pass."""

    def __init__(self, folder: Path) -> None:
        self.fleet = fleet_of_everything(_EACH)
        self.meters = range(self.fleet.n)
        self._folder = folder
        self._calendar = Calendar(START)
        self._clean: list[dict[str, Reading]] = []
        self._lives = 0
        self._memory_mb = 0.0
        bystanders = [self.fleet.address(m).wire()[2:6] for m in self.meters if m % _EACH == _BYSTANDER]
        self._bystander = re.compile(b"|".join(map(re.escape, bystanders)), re.DOTALL)
        self._when = _sent_in(tuple(kinds()))
        self._twin = self._opened(folder / "twin", list[Event]())
        self._begin()

    # --- who is who --------------------------------------------------------------------------------------------

    def key_known(self, meter: int) -> bool:
        """The attacker has its key, or it has none."""
        return meter % _EACH == _KEY_KNOWN

    def names_bystander(self, telegram: bytes) -> bool:
        """Does it hold the id of a meter that nobody is to name?"""
        return self._bystander.search(telegram) is not None

    def may_be_sent(self, telegram: bytes) -> bool:
        """Nobody has the MAC of a telegram that its meter is yet to send; and nobody names a bystander."""
        return self._when.get(telegram[-_TAIL:], 0) <= self.interval and not self.names_bystander(telegram)

    # --- a portal's life ---------------------------------------------------------------------------------------

    def _opened(self, folder: Path, events: list[Event]) -> Portal:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        fleet = self.fleet
        entries = [
            MeterEntry(fleet.address(m), fleet.security(m), INTERVAL_S, frozenset(GATEWAYS)) for m in self.meters
        ]
        keys = {fleet.address(m): key for m in self.meters if (key := fleet.key(m)) is not None}
        return Portal(
            PortalSpec(), folder, self._calendar, events.append, keyring=Keyring(keys),
            registry=Registry(entries, gateways=GATEWAYS),
        )  # fmt: skip

    def _begin(self) -> None:
        self._turn_to(0)
        self._arrived = 0
        self._sequence = 1 << 40  # of genuine bundles: above those that an attacker uses
        self._sent = False
        self.events: list[Event] = []
        self.portal = self._opened(self._folder / "portal", self.events)
        self._lives += 1

    def _end(self) -> None:
        kept = self.portal.store.count_readings() + sum(self.portal.store.refused_by_reason().values())
        if kept > self._arrived:
            raise Found(f"{kept} rows were made of {self._arrived} telegrams")
        self.portal.close()
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if self._lives == 2:
            self._memory_mb = memory_mb
        elif self._lives > 2 and memory_mb > self._memory_mb + GROWTH_MB:
            raise Found(f"memory grew from {self._memory_mb:.0f} to {memory_mb:.0f} MB over {self._lives} portals")

    def close(self) -> None:
        """Both portals."""
        self.portal.close()
        self._twin.close()

    # --- taking ------------------------------------------------------------------------------------------------

    def _turn_to(self, interval: int) -> None:
        """`now_ns`: when this interval's bundles arrive."""
        self.interval = interval
        self.now_ns = max(self.fleet.start_ns(m, interval) for m in self.meters) + 5 * NS_PER_S

    def bundle(self, telegrams: Sequence[tuple[bytes, int]], gateway: str) -> Message:
        """`telegrams`: (bytes, received at in world ns)."""
        self._sequence += 1
        rows = tuple(Heard(raw, at_ns, -70.0) for raw, at_ns in telegrams)
        self._arrived += len(rows)
        return Message(UP.format(gateway=gateway), Bundle(gateway, self._sequence, self.now_ns, rows).encode())

    def _genuine(self) -> Message:
        k, fleet = self.interval, self.fleet
        heard = [(fleet.telegram(m, k), fleet.start_ns(m, k)) for m in self.meters]
        return self.bundle(sorted(heard, key=lambda one: one[1]), GATEWAYS[1])

    def take(self, messages: Sequence[Message], *, genuine: bool = False, arrived: int = 0) -> None:
        """What arrived, with or without the genuine telegrams of this interval in the same take. `arrived`: how many
        telegrams came that `bundle` does not know of."""
        self.events.clear()
        self._arrived += arrived
        every = list(messages)
        if genuine and not self._sent:
            every.append(self._genuine())
            self._sent = True
        self.portal.take(every, self.now_ns)

    def served(self) -> None:
        """Genuine service of this interval; then the next one begins. Raises Found."""
        if not self._sent:
            self.take([], genuine=True)
        aside = self.portal.counts[f"refused: {reasons.QUARANTINED}"]
        if aside:
            detail = self.portal.store.refusals(reasons.QUARANTINED)[0].detail
            raise Found(f"a telegram had to be quarantined: {detail}")
        twin = self._of_twin()
        for meter in self.meters:
            self._served(meter, twin)
        self._sent = False
        self.portal.watch(self.now_ns)
        self._turn_to(self.interval + 1)
        if self.interval == INTERVALS:
            self._end()
            self._begin()

    def _of_twin(self) -> dict[str, Reading]:
        """Fingerprint -> what a portal that was never attacked stored of this interval."""
        if self.interval == len(self._clean):
            before = self._twin.store.count_readings()
            self._twin.take([self._genuine_as_sent()], self.now_ns)
            rows = [row for _, row in self._twin.store.readings_after(0, 1 << 40)][before:]
            if len(rows) != self.fleet.n:
                raise Found(f"the clean twin stored {len(rows)} of {self.fleet.n} genuine telegrams")
            self._clean.append({row.fingerprint: row for row in rows})
        return self._clean[self.interval]

    def _genuine_as_sent(self) -> Message:
        sequence, arrived = self._sequence, self._arrived
        message = self._genuine()
        self._sequence, self._arrived = sequence, arrived
        return message

    def _served(self, meter: int, twin: dict[str, Reading]) -> None:
        mark = fingerprint(self.fleet.telegram(meter, self.interval))
        wanted = twin[mark]
        stored = self.portal.store.readings_of(mark)
        if any(_says(row) == _says(wanted) for row in stored):
            return
        if stored:
            raise Found(f"a genuine telegram of {self._words(meter)} is stored with other values")
        own = self.portal.store.readings(wanted.meter)
        if any(_says(row) == _says(wanted) for row in own):
            return  # by bytes that no MAC covers: the ELL, the C field
        genuine = {mark for interval in self._clean for mark in interval}
        forged = [row for row in own if row.fingerprint not in genuine]
        mac = self.fleet.security(meter) == "mode7" and not self.key_known(meter)
        if forged and not mac and meter % _EACH != _BYSTANDER:
            return
        why = ", ".join(self.portal.store.refusal_reasons(mark)) or "no trace of it"
        raise Found(f"a genuine telegram of {self._words(meter)} is no reading: {why}")

    def _words(self, meter: int) -> str:
        role = ("with a known key", "named without its key", "that nobody named")[meter % _EACH]
        return f"{self.fleet.kind(meter).id}, {self.fleet.security(meter)}, {role}"


def _says(row: Reading) -> tuple[object, ...]:
    return tuple(getattr(row, column) for column in SAID)
