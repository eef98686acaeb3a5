"""What really happened, held against what the portal stored. Verdicts come from here.

Truth is taken where it is made: at the air (every reception, with the bytes) and at the fleet (the values a telegram
carries). It never asks the portal what it thinks; it reads the portal's tables. A stored reading is

    genuine   a meter of that address sent these bytes, not longer ago than a bundle may take, and stored once;
    stale     genuine bytes, stored long after they were sent;
    doubled   the same genuine bytes stored a second time;
    forged    bytes no meter ever sent;
    wrong     genuine bytes, but another value or meter than was sent.

All but the first are altered records: the yardstick of every replay and forgery.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sim.billing.set_date_units import units_at
from sim.core.clock import NS_PER_S
from sim.core.events import AlarmRaised, BundleClosed, Fate, MeterTampered, SessionChanged
from sim.meters.sending_times import first_at
from sim.portal.store import fingerprint
from sim.site_plan import under_way_most_ns

if TYPE_CHECKING:
    from sim.radio.emissions import Emission
    from sim.world import World


@dataclass(frozen=True, slots=True)
class Sent:
    """A genuine telegram that at least one gateway received."""

    meter: int
    k: int
    start_ns: int


@dataclass(frozen=True, slots=True)
class Altered:
    """A stored reading that is not what a meter said when it said it."""

    how: str  # "stale", "doubled", "forged", "wrong"
    row: Any


@dataclass(slots=True)
class Spoken:
    """A frame an attacker sent, and which gateways took it. `taken` holds (gateway id, end of reception ns)."""

    source: int
    k: int
    start_ns: int
    telegram: bytes
    taken: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True)
class Silence:
    """Telegrams of one meter in a span of time: sent, and not stored."""

    sent: int
    lost: int


class Truth:
    def __init__(self, world: World) -> None:
        self._world = world
        self.known: dict[str, Sent] = {}  # telegrams of our meters that anyone received, by fingerprint
        self.sent: dict[str, Sent] = {}  # those of them that a gateway received
        self.spoken: dict[tuple[int, int], Spoken] = {}
        self.published: set[str] = set()  # fingerprints that attackers brought in by the network
        self.foreign: set[str] = set()  # fingerprints of played field telegrams: genuine, but no meter of ours
        self._readings_at = -1
        self._readings: list[Any] = []

    # --- taken at the air ---------------------------------------------------------------------------------------

    def tap(self, emission: Emission, receiver: int, fate: Fate, _rssi_cdbm: int) -> None:
        """A frame met its fate at a receiver (see radio.air)."""
        if fate is not Fate.RECEIVED:
            return
        world = self._world
        is_gateway = receiver < len(world.gateways)
        if emission.source < world.fleet.n:
            mark = fingerprint(emission.telegram)
            if mark not in self.known:
                self.known[mark] = Sent(emission.source, emission.k, emission.start_ns)
            if is_gateway and mark not in self.sent:
                self.sent[mark] = self.known[mark]
        elif is_gateway:
            spoken = self.spoken.get((emission.source, emission.k))
            if spoken is not None:
                spoken.taken.append((world.gateways[receiver].id, emission.end_ns))
                self.published.add(fingerprint(spoken.telegram))

    def note_published(self, telegrams: Iterable[bytes]) -> None:
        """An attacker brings these to the portal by the network, not by the air."""
        self.published.update(fingerprint(telegram) for telegram in telegrams)

    def security(self, sent: Sent) -> str:
        return str(self._world.fleet.security(sent.meter))

    def address(self, sent: Sent) -> str:
        return str(self._world.fleet.address(sent.meter))

    def units(self, sent: Sent) -> int | None:
        """Heat units in the telegram; None for a meter that counts something else."""
        return self._world.fleet.truth(sent.meter, sent.k).units

    @property
    def securities(self) -> set[str]:
        """The security modes of this world's meters."""
        return {group.security for group in self._world.spec.fleet}

    # --- held against the store ---------------------------------------------------------------------------------

    @property
    def readings(self) -> list[Any]:
        """The portal's rows, oldest first."""
        store = self._world.portal.store
        count = store.count_readings()
        if count != self._readings_at:
            self._readings, self._readings_at = store.readings(), count
        return self._readings

    @property
    def tolerance_ns(self) -> int:
        """How long a genuine telegram may be under way."""
        return under_way_most_ns(self._world.spec)

    def altered(self) -> list[Altered]:
        """Every stored reading that is not genuine, with what is wrong with it."""
        seen: set[str] = set()
        found: list[Altered] = []
        fleet = self._world.fleet
        for row in self.readings:
            if row.fingerprint in self.foreign:
                continue
            sent = self.sent.get(row.fingerprint)
            if sent is None:
                found.append(Altered("forged", row))
            elif row.fingerprint in seen:
                found.append(Altered("doubled", row))
            elif row.stored_ns - sent.start_ns > self.tolerance_ns:
                found.append(Altered("stale", row))
            elif row.meter != str(fleet.address(sent.meter)) or row.units != self.units(sent):
                found.append(Altered("wrong", row))
            seen.add(row.fingerprint)
        return found

    @property
    def altered_readings(self) -> int:
        return len(self.altered())

    def stored_from(self, telegram: bytes, since_ns: int, until_ns: int | None = None) -> list[Any]:
        """Rows whose bytes are these, received (by the gateway's word) or stored since a time: what a replay or a
        forgery left behind. For radio the window is the moment of sending; for the network give no end."""
        mark = fingerprint(telegram)
        rows = [row for row in self.readings if row.fingerprint == mark]
        if until_ns is None:
            return [row for row in rows if row.stored_ns >= since_ns]
        return [row for row in rows if since_ns <= row.received_ns <= until_ns]

    def rows_of(self, spoken: Spoken) -> list[Any]:
        """Portal records that exist because of one spoken frame."""
        through = {gateway for gateway, _ in spoken.taken}
        ends = [end_ns for _, end_ns in spoken.taken]
        if not ends:
            return []
        rows = self.stored_from(spoken.telegram, min(ends) - NS_PER_S, max(ends) + NS_PER_S)
        return [row for row in rows if row.gateway in through]  # else the meter's own, heard elsewhere just before

    def changed_by(self, spoken: Spoken) -> int:
        """How many those are."""
        return len(self.rows_of(spoken))

    def refused(self, telegram: bytes) -> list[str]:
        """The portal's reasons for not taking these bytes."""
        return list(self._world.portal.store.refusal_reasons(fingerprint(telegram)))

    def missing(self) -> list[Sent]:
        """Genuine telegrams that a gateway received and the portal neither stored as a reading, nor may still get
        (gateways' outboxes and open bundles are empty after a run's last window)."""
        stored = {row.fingerprint for row in self.readings}
        return [sent for mark, sent in self.sent.items() if mark not in stored]

    def doubled(self) -> int:
        """Genuine bytes stored more than once, counting the surplus."""
        counts: dict[str, int] = defaultdict(int)
        for row in self.readings:
            counts[row.fingerprint] += 1
        return sum(count - 1 for count in counts.values())

    def alarms(self, kinds: Iterable[str], *, subject: str | None = None, since_ns: int = 0) -> list[AlarmRaised]:
        wanted = set(kinds)
        return [
            alarm
            for alarm in self._world.history.of(AlarmRaised)
            if alarm.kind in wanted and alarm.time_ns >= since_ns and (subject is None or alarm.subject == subject)
        ]

    def tampered(self) -> dict[str, int]:
        """Meter -> when it was first tampered with (world ns)."""
        first: dict[str, int] = {}
        for event in self._world.history.of(MeterTampered):
            first.setdefault(event.meter, event.time_ns)
        return first

    def refused_sent(self, sent: Sent) -> list[str]:
        """The portal's reasons for not taking a genuine telegram."""
        return self.refused(self._world.fleet.telegram(sent.meter, sent.k))

    def displacements(self, gateway: str, since_ns: int) -> int:
        """How often a gateway that had a session lost it since a time."""
        changes = self._world.history.of(SessionChanged)
        return sum(c.client == gateway and c.state == "dropped" and c.time_ns >= since_ns for c in changes)

    def judged(self, address: str, start_ns: int, end_ns: int) -> tuple[int, int]:
        """(genuine telegrams of a meter sent in [start, end) that a gateway received, those of them that are no
        reading and that the portal refused)."""
        meter = self._world.fleet.find(address)
        marks = [m for m, sent in self.sent.items() if sent.meter == meter and start_ns <= sent.start_ns < end_ns]
        stored = {row.fingerprint for row in self.readings if row.meter == address}
        reasons = self._world.portal.store.refusal_reasons
        return len(marks), sum(mark not in stored and bool(reasons(mark)) for mark in marks)

    def delivery(self, start_ns: int, end_ns: int, security: str, *, but: Iterable[str] = ()) -> tuple[int, int]:
        """(telegrams sent in [start, end) by the meters of one security mode, those that any gateway received);
        `but`: leave these meters out."""
        fleet = self._world.fleet
        left_out = {fleet.find(address) for address in but}
        wanted = {m for m in range(fleet.n) if fleet.security(m) == security} - left_out
        sent = sum(meter in wanted for meter in fleet.window(start_ns, end_ns).meter.tolist())
        heard = sum(s.meter in wanted and start_ns <= s.start_ns < end_ns for s in self.sent.values())
        return sent, heard

    def bundled_bytes(self, start_ns: int, end_ns: int) -> int:
        """Bytes of the bundles that gateways closed in [start, end)."""
        closed = self._world.history.of(BundleClosed)
        return sum(bundle.size_bytes for bundle in closed if start_ns <= bundle.time_ns < end_ns)

    def served(self, gateway: str, security: str, since_ns: int) -> tuple[int, int, int]:
        """Of the meters of one security mode: (those that no other gateway hears, readings of all of them that came
        through this one before a time, and since)."""
        ours = [entry for entry in self._world.registry if entry.security == security]
        names = {entry.name for entry in ours}
        times = [r.stored_ns for r in self.readings if r.gateway == gateway and r.meter in names]
        since = sum(time_ns >= since_ns for time_ns in times)
        return sum(entry.gateways == {gateway} for entry in ours), len(times) - since, since

    # --- silence ------------------------------------------------------------------------------------------------

    def silence(self, start_ns: int, end_ns: int, *, only: str) -> Silence:
        """What one meter sent in [start, end), and how much of it is no reading."""
        fleet = self._world.fleet
        meter = fleet.find(only)
        schedule = fleet.window(start_ns, end_ns)
        ks = [int(k) for m, k in zip(schedule.meter, schedule.k, strict=True) if m == meter]
        stored = {row.fingerprint for row in self.readings if row.meter == only}
        lost = sum(fingerprint(fleet.telegram(meter, k)) not in stored for k in ks)
        return Silence(len(ks), lost)

    def silenced(self, start_ns: int, end_ns: int, security: str) -> tuple[int, dict[str, Silence]]:
        """How many meters of one security mode sent in [start, end), and those of them that no gateway heard then but
        one had heard before: who was never heard was not silenced."""
        fleet = self._world.fleet
        sent: dict[int, int] = defaultdict(int)
        for meter in fleet.window(start_ns, end_ns).meter.tolist():
            sent[meter] += 1
        heard = {s.meter for s in self.sent.values() if start_ns <= s.start_ns < end_ns}
        before = {s.meter for s in self.sent.values() if s.start_ns < start_ns}
        ours = [(meter, count) for meter, count in sorted(sent.items()) if fleet.security(meter) == security]
        return len(ours), {
            str(fleet.address(meter)): Silence(count, count) for meter, count in ours if meter in before - heard
        }

    def _next_k(self, meter: int, time_ns: int) -> int:
        """Number of the first telegram that a meter has not begun before an instant."""
        who = self._world.fleet.population
        one = slice(meter, meter + 1)
        return int(first_at(who.t0_ns[one], who.period_ns[one], who.acc0[one], time_ns)[0])

    def moved_before_set_date(self, address: str, since_ns: int) -> bool:
        """Whether the units at the last set date differ from those in the last telegram that began before a time."""
        world = self._world
        meter = world.fleet.find(address)
        before = world.fleet.truth(meter, self._next_k(meter, since_ns) - 1)
        last = world.fleet.truth(meter, self._next_k(meter, world.now_ns) - 1)
        return before.units != last.set_date_units

    def billing_error(self, address: str) -> float:
        """Units that a bill at the last set date is off by; infinite when nothing can be billed."""
        world = self._world
        meter = world.fleet.find(address)
        # The set date is the meter's own; the last telegram that is due by now knows it.
        last = world.fleet.truth(meter, self._next_k(meter, world.now_ns) - 1)
        set_date, true_units = last.set_date, last.set_date_units
        method = world.spec.portal.billing
        billed = units_at(world.portal.store, world.calendar, address, set_date, method=method)
        return float("inf") if billed is None or true_units is None else billed - true_units


__all__ = ["Altered", "Sent", "Silence", "Spoken", "Truth", "fingerprint"]
