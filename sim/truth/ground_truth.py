"""What really happened, held against what the portal stored. Verdicts come from here.

Truth is taken where it is made: at the air (every reception, with the bytes) and at the fleet (the values a telegram
carries). It never asks the portal what it thinks; it reads the portal's tables. A stored reading is

    genuine   a meter of that address sent these bytes, not longer ago than a bundle may take, and stored once;
    stale     genuine bytes, stored long after they were sent;
    doubled   genuine bytes stored more often than they were sent and received;
    forged    bytes that no gateway had received from a meter by then;
    wrong     genuine bytes, but another value or meter than was sent, in one column or more (see differs).

All but the first are altered records: the yardstick of every replay and forgery. A row is judged once, when somebody
asks; what is known of telegrams and verdicts lies in the ledger and not in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sim.core.events import AlarmRaised, MeterTampered
from sim.core.quoting import hidden
from sim.meters.sending_times import first_at
from sim.portal.reasons import LATE, QUARANTINED
from sim.portal.store import Reading, Refusal, fingerprint
from sim.site_plan import under_way_most_ns
from sim.truth.air_tap import AirTap
from sim.truth.differs import Yardstick, numbers
from sim.truth.ledger import EVER_NS, Ledger, Sent, Spoken, gateway_bit
from sim.truth.stored_rows import KEPT_LATE, columns_of, reading_of

if TYPE_CHECKING:
    from sim.world import World

_ROWS_AT_ONCE: Final = 4_096  # some five megabytes of them


@dataclass(frozen=True, slots=True)
class Altered:
    """A stored reading that is not what a meter said when it said it. `columns`: where it is "wrong"."""

    how: str  # "stale", "doubled", "forged", "wrong"
    row: Reading
    columns: tuple[str, ...] = ()


class Truth:
    """Of one world. Raises StoreError."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.foreign: set[str] = set()  # fingerprints of played field telegrams: genuine, but no meter of ours
        self.brought: set[bytes] = set()  # telegrams, in hex, that attackers brought by the network
        self._ledger = Ledger(world.directory / "truth")
        self.tap = AirTap(world, self._ledger)
        self._yardstick = Yardstick(world.fleet)
        self._numbers = {str(world.fleet.address(meter)): number for meter, number in
                         enumerate(numbers(world.fleet).tolist())}  # fmt: skip
        self._judged = 0  # the last row of the portal's table that was
        self._blamed: tuple[int, dict[str, list[Reading]]] = -1, {}

    # --- taken at the air ---------------------------------------------------------------------------------------

    def note_spoken(self, spoken: Spoken, end_ns: int) -> None:
        """An attacker sends this frame, which ends at `end_ns`."""
        self._ledger.speak(spoken, end_ns)

    def note_published(self, telegrams: Iterable[bytes]) -> None:
        """An attacker brings these to the portal by the network, not by the air."""
        telegrams = list(telegrams)
        self.brought.update(telegram.hex().encode() for telegram in telegrams)
        self._ledger.bring(telegrams)

    def end_window(self) -> None:
        """Write the window's receptions, which `tap` collected, to the ledger."""
        self._ledger.flush(self.world.now_ns)

    def close(self) -> None:
        """Close the ledger's file."""
        self._ledger.close()

    # --- what was sent ------------------------------------------------------------------------------------------

    def known(self, mark: str) -> Sent | None:
        """The first telegram of our meters under this fingerprint that anybody received."""
        return self._noted.firsts([mark]).get(mark)

    def every_known(self, marks: Iterable[str]) -> dict[str, Sent]:
        """Fingerprint -> the same, of those that are."""
        return self._noted.firsts(marks)

    def was_received(self, mark: str, before_ns: int) -> bool:
        """Whether a gateway received a meter's telegram of this fingerprint that was begun before then."""
        return any(one.start_ns < before_ns for one in self._noted.sendings([mark]).get(mark, ()))

    def sent(self, start_ns: int = 0, end_ns: int = EVER_NS, *, meter: int | None = None) -> Iterator[Sent]:
        """Telegrams of our meters (or of one) that a gateway received, sent in [start, end), by time; each with the
        reading that was stored from it."""
        return self._looked.sent(start_ns, end_ns, meter=meter)

    def begun(self) -> dict[int, list[tuple[int, int]]]:
        """Meter -> (start_ns, k) of these telegrams, by time: one reading of the ledger for all meters."""
        return self._noted.begun()

    def by_reading(self) -> Iterator[Sent]:
        """The telegrams that readings were stored from, in the order of the portal's rows."""
        return self._looked.by_reading()

    @property
    def received(self) -> int:
        """How many those are, of all meters."""
        return self._noted.received()

    def spoken(self) -> list[Spoken]:
        """Every frame that attackers sent, by time."""
        return self._noted.spoken()

    def unheard_of(self, marks: Iterable[str]) -> list[str]:
        """Fingerprints of bytes that were never on the air and that no attacker brought."""
        return self._noted.unheard_of(mark for mark in marks if mark not in self.foreign)

    def not_overheard(self, marks: Iterable[str]) -> set[str]:
        """Fingerprints of genuine telegrams that reached gateways, and no receiver of an attacker."""
        return self._noted.not_overheard(marks)

    def behind(self, sent: Sent, at_ns: int) -> int:
        """How many telegrams that meter has begun since, until an instant."""
        who, one = self.world.fleet.population, slice(sent.meter, sent.meter + 1)
        return int(first_at(who.t0_ns[one], who.period_ns[one], who.acc0[one], at_ns)[0]) - 1 - sent.k

    def security(self, sent: Sent) -> str:
        """The security mode of the meter that sent it."""
        return str(self.world.fleet.security(sent.meter))

    def address(self, sent: Sent) -> str:
        """The meter that sent it."""
        return str(self.world.fleet.address(sent.meter))

    def units(self, sent: Sent) -> int | None:
        """Heat units in the telegram; None for a meter that counts something else."""
        return self.world.fleet.truth(sent.meter, sent.k).units

    def units_at(self, meter: int, time_ns: int) -> int | None:
        """Heat units that it shows at a world time, whatever was received; None for a meter that counts something else.
        What a telegram before and one after it say differs the more the longer lies between, and all hear that."""
        fleet = self.world.fleet
        if not any(slot.label == "units" for slot in fleet.kind(meter).slots):
            return None
        return fleet.units(meter, time_ns)

    def units_in(self, mark: str) -> int | None:
        """The same, for the bytes of this fingerprint. Raises LookupError where no meter sent them."""
        sent = self.known(mark)
        if sent is None:
            raise LookupError(f"no meter sent telegram {mark}")
        return self.units(sent)

    @property
    def securities(self) -> set[str]:
        """The security modes of this world's meters."""
        return {group.security for group in self.world.spec.fleet}

    def tampered(self) -> dict[str, int]:
        """Meter -> when it was first tampered with (world ns)."""
        first: dict[str, int] = {}
        for event in self.world.history.of(MeterTampered):
            first.setdefault(event.meter, event.time_ns)
        return first

    def delivery(self, start_ns: int, end_ns: int, security: str, *, but: Iterable[str] = ()) -> tuple[int, int]:
        """(telegrams sent in [start, end) by the meters of one security mode, those that any gateway received);
        `but`: leave these meters out."""
        fleet = self.world.fleet
        left_out = {fleet.find(address) for address in but}
        wanted = {m for m in range(fleet.n) if fleet.security(m) == security} - left_out
        sent = sum(meter in wanted for meter in fleet.window(start_ns, end_ns).meter.tolist())
        return sent, sum(one.meter in wanted for one in self.sent(start_ns, end_ns))

    @property
    def _noted(self) -> Ledger:
        """The ledger, with everything in it that is known now."""
        self._ledger.flush(self.world.now_ns)
        return self._ledger

    # --- held against the store ---------------------------------------------------------------------------------

    @property
    def stored(self) -> int:
        """How many readings the portal has."""
        return self.world.stored.count_readings()

    @property
    def readings(self) -> list[Reading]:
        """The portal's rows, oldest first; read anew each time."""
        return self.world.stored.readings()

    @property
    def tolerance_ns(self) -> int:
        """How long a genuine telegram may be under way; longer by what it was cut off (_outage_ns)."""
        return under_way_most_ns(self.world.spec)

    def altered(self) -> list[Altered]:
        """Every stored reading that is not genuine, with what is wrong with it."""
        rows = self._looked.altered()
        return [Altered(how, Reading(*json.loads(row)), tuple(columns.split())) for how, columns, row in rows]

    @property
    def altered_readings(self) -> int:
        """How many those are."""
        return self._looked.altered_count()

    def doubled(self) -> int:
        """Readings beyond the number of times that their bytes were sent and received."""
        return self._looked.altered_count("doubled")

    def missing(self) -> list[Sent]:
        """Genuine telegrams that a gateway received and the portal neither stored as a reading, nor may still get
        (gateways' outboxes and open bundles are empty after a run's last window)."""
        return list(self._looked.sent(missing=True))

    def rows_of(self, telegram: bytes) -> list[Reading]:
        """Rows that exist because somebody else than the meter brought these bytes: those that no sending explains, or
        only one too long ago. Whatever a row says of gateway and time is the product's word, and chooses nothing."""
        count = self.altered_readings
        if self._blamed[0] != count:
            rows: dict[str, list[Reading]] = {}
            for one in self.altered():
                if one.how != "wrong":
                    rows.setdefault(one.row.fingerprint, []).append(one.row)
            self._blamed = count, rows
        return list(self._blamed[1].get(fingerprint(telegram), ()))

    def differing(self, row: Reading, telegram: bytes) -> frozenset[str] | None:
        """Columns in which a row says something else than its meter did in this telegram; None where no meter of the
        fleet sent it."""
        sent = self.known(fingerprint(telegram)) if telegram else None
        if sent is None:
            return None
        columns = columns_of([row], self._numbers)
        differs = self._yardstick.differs(columns, np.array([sent.meter]), np.array([sent.k]))
        return frozenset(name for name, where in differs.items() if where[0])

    def wrong_late(self) -> list[tuple[Refusal, tuple[str, ...]]]:
        """Telegrams of our meters that were refused as late alone and are kept with other values than they say, since
        bills are made of these too; with the columns that differ."""
        late = self.world.stored.refusals(LATE)
        sendings = self._noted.sendings({row.fingerprint for row in late} - self.foreign)
        known = [(row, sendings[row.fingerprint][0]) for row in late if row.fingerprint in sendings]
        columns = columns_of([reading_of(row) for row, _ in known], self._numbers)
        meter, k = (np.array([getattr(sent, name) for _, sent in known], dtype=np.int64) for name in ("meter", "k"))
        differs = self._yardstick.differs(columns, meter, k)
        named = [(row, tuple(name for name in KEPT_LATE if differs[name][at])) for at, (row, _) in enumerate(known)]
        return [one for one in named if one[1]]

    def unexplained(self) -> list[Altered]:
        """Altered records whose bytes no attacker brought."""
        altered = self.altered()
        brought = self._noted.brought({one.row.fingerprint for one in altered})
        return [one for one in altered if one.how == "wrong" or one.row.fingerprint not in brought]

    def look_again(self) -> None:
        """Judge every row anew, as the store has it now: a row that was judged may have been changed since."""
        if self._judged:
            self._ledger.forget_judgements()
            self._judged, self._blamed = 0, (-1, {})

    def readings_by_meter(self) -> dict[int, int]:
        """Meter -> how many of its own telegrams are readings."""
        return self._looked.matched()

    def last_read(self) -> dict[int, int]:
        """Meter -> the number of its latest telegram that is a reading."""
        return self._looked.last_matched()

    def refused(self, telegram: bytes) -> list[str]:
        """The portal's reasons for not taking these bytes."""
        return self.refused_as(fingerprint(telegram))

    def refused_as(self, mark: str) -> list[str]:
        """The same, by fingerprint."""
        return self.world.stored.refusal_reasons(mark)

    def raised(self) -> str:
        """What handling the first telegram that the portal put into quarantine raised; "" where it put none there."""
        quarantined = self.world.stored.refusals(QUARANTINED)
        return hidden(quarantined[0].detail) if quarantined else ""

    def alarms(self, kinds: Iterable[str], *, subject: str | None = None, since_ns: int = 0) -> list[AlarmRaised]:
        """Alarms of these kinds that the portal raised from an instant on, about one subject or any."""
        wanted = set(kinds)
        return [
            alarm
            for alarm in self.world.history.of(AlarmRaised)
            if alarm.kind in wanted and alarm.time_ns >= since_ns and (subject is None or alarm.subject == subject)
        ]

    # --- judging ------------------------------------------------------------------------------------------------

    @property
    def _looked(self) -> Ledger:
        """The ledger, with every row in it that the portal has stored by now."""
        ledger, stored = self._noted, self.world.stored
        while found := stored.readings_after(self._judged, _ROWS_AT_ONCE):
            self._judge(ledger, [place for place, _ in found], [row for _, row in found])
            self._judged = found[-1][0]
        return ledger

    def _judge(self, ledger: Ledger, places: Sequence[int], rows: Sequence[Reading]) -> None:
        """Match rows with sendings, and hold each that has one against what was sent."""
        sendings = ledger.sendings({row.fingerprint for row in rows} - self.foreign)
        tolerance_ns = self.tolerance_ns
        altered: list[tuple[int, Altered]] = []
        matched: dict[Sent, int] = {}
        genuine: list[tuple[int, Reading, Sent]] = []
        for place, row in zip(places, rows, strict=True):
            if row.fingerprint in self.foreign:
                continue
            begun = [one for one in sendings.get(row.fingerprint, ()) if one.start_ns <= row.stored_ns]
            free = [one for one in begun if one.reading is None and one not in matched]
            if not free:
                altered.append((place, Altered("doubled" if begun else "forged", row)))
                continue
            sent = free[-1]
            matched[sent] = place
            genuine.append((place, row, sent))
        wrong = dict(self._wrong(genuine))
        altered += wrong.items()
        late = [(place, row, sent) for place, row, sent in genuine
                if place not in wrong and row.stored_ns - sent.start_ns > tolerance_ns]  # fmt: skip
        altered += [(place, Altered("stale", row)) for place, row, sent in late
                    if row.stored_ns - sent.start_ns - self._outage_ns(sent, row.stored_ns) > tolerance_ns]
        ledger.judged(
            [(place, sent) for sent, place in matched.items()],
            [(place, one.how, " ".join(one.columns), json.dumps(one.row)) for place, one in altered],
        )

    def _outage_ns(self, sent: Sent, end_ns: int) -> int:
        """How long after its sending every way of a telegram to the portal was interrupted, by faults whose effect was
        seen, or took its time (a backhaul): of the gateways that received it the one that was interrupted least."""
        outages = [(one.fault.cuts_off, found) for one in self.world.injections
                   if (found := one.interrupted_ns(end_ns))]  # fmt: skip
        outages += [(index, found) for index, gateway in enumerate(self.world.gateways)
                    for found in self.world.paths.spans(gateway.id)]  # fmt: skip
        if not outages:
            return 0
        bits = {gateway_bit(gateway) for gateway in range(len(self.world.gateways))}
        return min(
            _covered_ns([found for whom, found in outages if whom is None or gateway_bit(whom) == bit],
                        sent.start_ns, end_ns)
            for bit in bits if sent.gateways & bit
        )  # fmt: skip

    def _wrong(self, genuine: Sequence[tuple[int, Reading, Sent]]) -> Iterator[tuple[int, Altered]]:
        columns = columns_of([row for _, row, _ in genuine], self._numbers)
        meter = np.array([sent.meter for _, _, sent in genuine], dtype=np.int64)
        k = np.array([sent.k for _, _, sent in genuine], dtype=np.int64)
        differs = self._yardstick.differs(columns, meter, k)
        for at in np.flatnonzero(np.logical_or.reduce(list(differs.values()))).tolist():
            place, row, _ = genuine[at]
            yield place, Altered("wrong", row, tuple(name for name, where in differs.items() if where[at]))


def _covered_ns(spans: Iterable[tuple[int, int]], start_ns: int, end_ns: int) -> int:
    """How much of [start, end) lies in one or more of these."""
    total_ns, until_ns = 0, start_ns
    for begun_ns, over_ns in sorted(spans):
        begun_ns, over_ns = max(begun_ns, until_ns), min(over_ns, end_ns)
        total_ns += max(0, over_ns - begun_ns)
        until_ns = max(until_ns, over_ns)
    return total_ns


__all__ = ["Altered", "Sent", "Spoken", "Truth", "fingerprint"]
