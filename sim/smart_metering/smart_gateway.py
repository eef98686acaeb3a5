"""A smart meter gateway in a world: it opens telegrams of the meters that were paired with it, keeps what they say,
applies its rule sets, and gives away containers that only their final receiver can read.

Rules kept here. A meter is paired with one gateway, which has its key; others do not look at its telegrams. What is no
telegram of a paired meter is counted and forgotten. Telegrams are judged by the intake that portals have, without the
checks and alarms that say `portal_only`: of ours the one check that the gateway's guideline names for meters without a
way back is left, the message counter, and the alarms that its system log tells the administrator of its meters. A
telegram is kept before the next one is looked at, so a power cut takes none. The counters last seen go to a memory that
outlasts power cuts every `counter_saved_s`; after a cut the gateway knows no newer ones, and what was sent in between
may be played to it again (BSI TR-03116-3: at most 12 hours). A container is deleted when its receiver has it. What
leaves, and whatever bears on it, stands in its logs first (gateway_diary).

Private keys are in the security module and nowhere else. The store, the meters' keys and the containers that wait are
on the gateway's disk.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar, Final

from sim.billing.set_date_units import units_at
from sim.core.bundle import UP, Bundle, Heard
from sim.core.clock import NS_PER_S, ns
from sim.core.events import AlarmRaised, ContainerSealed, Event, GatewayWoken, ModuleFailed
from sim.endpoint.port import Message
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.port import GatewayFeature, InWorld, Waking
from sim.gateway.thinning import Thinning
from sim.pki.party_certificates import Certificate
from sim.pki.sealed_content import seal
from sim.pki.signed_content import sign_by
from sim.pki.sm_triples import Triple, slot_of
from sim.portal.alarm import ALARMS
from sim.portal.check import CHECKS
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal import Portal
from sim.portal.portal_spec import PortalSpec
from sim.portal.store_port import Reading
from sim.smart_metering import kept_counters
from sim.smart_metering.due_values import DueValues
from sim.smart_metering.gateway_diary import Diary
from sim.smart_metering.gateway_setup import Contract, GatewaySetup
from sim.smart_metering.line import Line
from sim.smart_metering.lmn.rows_side import RowsSide
from sim.smart_metering.said_registers import said
from sim.smart_metering.tariffing import Register, values_of, without_error_register
from sim.smgw.delivered_content import Delivery, Value
from sim.smgw.metrology import CLOCK_TOLERANCE
from sim.smgw.module.port import ModuleError
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S

_ROWS_AT_ONCE: Final = 4_096
_COUNTERS: Final = "counters.json"


class SmartGateway(InWorld):
    """See gateway.port.GatewayPort; it has no session with a broker, and its `session` is its line to the
    administrator. `open` switches it on, when its meters are paired."""

    features: ClassVar[frozenset[GatewayFeature]] = frozenset({"always awake", "power_cut"})
    waking: Waking | None = None
    thinning: Thinning | None = None

    def __init__(self, id_: str, spec: GatewaySpec, setup: GatewaySetup) -> None:
        self.id, self._spec, self._setup = id_, spec, setup
        self.module = setup.module
        self._others = setup.others
        self.snapshots, self.wired, self.radio, _ = setup.others
        self.session = Line(id_)
        self.disk = setup.directory
        self.registry = Registry(gateways=[id_])
        self.keyring = Keyring()
        self.counts: Counter[str] = Counter()
        """"foreign": telegrams of meters that are not paired; "no value": rule sets under which nothing could leave;
        "sealed", "sealed for <receiver>": containers made; "log full": times that nothing left, since it could not be
        logged; "datagram: <what became of it>"."""
        self.outbox: dict[int, tuple[str, bytes]] = {}
        """Number -> receiver and container, not yet with the receiver."""
        self._whose: dict[int, list[str]] = {}
        self.runs: tuple[str, str] | None = None
        """Version and SHA-256 of its firmware, where it has one of its own (GatewayFirmware)."""
        self._owners: dict[str, str] = {}
        self.clock_steps: list[tuple[int, float]] = []
        """(row of the store, how far off the clock was known to be from that row on), since it was switched on."""
        self._offset_ns = ns(spec.clock_offset_s)
        self._paired: dict[bytes, str] = {}
        self._pending: list[Heard] = []
        self._boots = 0
        self._on = False

    # --- pairing and power ------------------------------------------------------------------------------------------

    def pair(self, entry: MeterEntry, key: bytes | None) -> None:
        """A meter's address and key, as its maker gave them to the administrator; None: it encrypts nothing."""
        self.registry.add(entry)
        if key is not None:
            self.keyring.add(entry.address, key)
        self._paired[entry.address.wire()] = entry.name
        self._owners[entry.name] = entry.flat or entry.name

    def open(self, now_ns: int) -> None:
        self.disk.mkdir(parents=True, exist_ok=True)
        self._sequence = self._number = 0
        self._module_failed = ""
        self._signed_at_ns = 0
        self._due_from_s: dict[int, int] = {}
        self._give_out([name for side in self.sides for name in side.meters])
        self.power_on(now_ns)

    def _give_out(self, meters: list[str]) -> None:
        """Electricity meters with sessions: one each to the households that have other meters here, in their order.
        Further ones are households of their own."""
        homes = self.owners()
        self._owners |= {name: homes[at] if at < len(homes) else name for at, name in enumerate(meters)}
        for terms in (one.grid for one in self._setup.contracts if one.grid):
            self._owners |= {terms.named(name): self._owners[name] for name in meters}

    def obey(self, receiver: str, taf: int, now_ns: int) -> None:
        """Rule sets of another tariff use case for what a receiver bills. Raises RuleError (receiver, log-full), and
        obeys nothing."""
        setup = self._setup.obeying(receiver, taf)
        self.diary.rules(self._unix_s(now_ns), receiver, taf)
        self._setup = setup

    def certify(self, triple: Triple) -> None:
        """The certificates of keys in its module, which it uses from now on."""
        self.triple = triple

    @property
    def certificate(self) -> Certificate:
        """Under which its containers are signed."""
        return self.triple.certificates["SIG"]

    @property
    def setup(self) -> GatewaySetup:
        """What it is made of, with the contracts that it has now."""
        return self._setup

    def owner_of(self, meter: str) -> str:
        """Whose a meter is: the flat's that it hangs in; its own where nobody wrote one down."""
        return self._owners.get(meter, meter)

    @property
    def sides(self) -> Sequence[RowsSide]:
        """Its meters with sessions: on the wired bus, and by radio."""
        return self._others.sides

    def owners(self) -> list[str]:
        """Everybody who has a meter here."""
        return sorted(set(self._owners.values()))

    @property
    def up(self) -> bool:
        return self._on

    @property
    def boot(self) -> str:
        return f"{self.id}.{self._boots}"

    def power_on(self, now_ns: int) -> None:
        if self._on:
            return
        setup = self._setup
        self.keyring.save(self.disk / "keys.csv")
        checks = tuple(one for one in setup.portal.checks if not CHECKS.find(one).portal_only)
        alarms = tuple(one for one in setup.portal.alarms if not ALARMS.find(one).portal_only)
        spec = replace(setup.portal, checks=checks, alarms=alarms, gateway_clocks=False, store="sqlite")
        self._forget_newer_counters(spec)
        now_s = self._unix_s(now_ns)
        self.diary = Diary.on_disk(self.id, self.disk, self.sign, now_s, self.owner_of, self.owners)
        self.diary.power_on(now_s, self._boots + 1)
        self.intake = Portal(
            spec, self.disk, setup.calendar, self._record, keyring=Keyring.load(self.disk / "keys.csv"),
            registry=self.registry,
        )  # fmt: skip
        self._boots += 1
        self._on = True
        self.session.up = True
        self._registers: dict[str, Register] = {}
        self._dues = DueValues()
        self._seen = 0
        self._known_off_s = 0.0
        self.clock_steps = [(0, 0.0)]
        self._read_back()
        self._others.open()

    def _record(self, event: Event) -> None:
        if isinstance(event, AlarmRaised):
            self.diary.alarm(self._unix_s(event.time_ns), event)
        self._setup.record(event)

    def power_cut(self, now_ns: int) -> None:
        if not self._on:
            return
        self._take(now_ns)
        self.close()

    def close(self) -> None:
        """Idempotent."""
        if self._on:
            self._on = self.session.up = False
            self.intake.close()
            self._pending.clear()
            self._others.close()

    # --- the radio side ---------------------------------------------------------------------------------------------

    def receive(self, telegram: bytes, received_ns: int, rssi_dbm: float) -> None:
        if not self._on:
            return
        if telegram[2:10] not in self._paired:
            self.counts["foreign"] += 1
            return
        self._pending.append(Heard(telegram, received_ns + self._offset_ns, rssi_dbm))

    def close_due(self, now_ns: int) -> None:
        """It bundles nothing."""

    def flush(self, now_ns: int) -> None:
        """Nothing is held back but what a period's end has not come for."""

    @property
    def open_bundle(self) -> tuple[bytes, ...]:
        return ()

    def set_clock(self, offset_s: float) -> None:
        """Its clock runs so many seconds ahead from now on. It does not know that until somebody tells it."""
        self._offset_ns = ns(offset_s)

    def tell_time(self, now_ns: int, *, trusted: bool) -> None:
        """The time service answers. `trusted`: over the administrator's TLS, so that the gateway believes it more than
        its own clock: it remembers by how much it was off, and goes right from now on."""
        off_s = self._offset_ns / NS_PER_S
        if trusted and off_s != self._known_off_s:
            self._known_off_s = off_s
            self._others.note_clock(off_s)
            self.clock_steps.append((self._seen, off_s))
            part, whole = CLOCK_TOLERANCE
            self.diary.clock(self._unix_s(now_ns), off_s, CAPTURE_S * part / whole)

    def clock_ns(self, now_ns: int) -> int:
        """What its clock shows, as world time."""
        return now_ns + self._offset_ns

    def meet_wired(self, now_ns: int) -> None:
        """Go round its wired bus, where it has one and this is due."""
        if self._on:
            self._others.meet(self.clock_ns(now_ns))

    def hear_by_radio(self, frame: bytes, end_ns: int) -> bytes:
        """What its radio for meters of security profile C hears, and what it answers."""
        if not self._on or self.radio is None:
            return b""
        return self.radio.hear(frame, self.clock_ns(end_ns))

    def note_disturbance(self, noticed_ns: int, what: str) -> None:
        """A sensor of its housing noticed this (housing.KINDS): into the system log."""
        self.diary.disturbed(self._unix_s(noticed_ns), what)

    def wake(self, datagram: bytes, now_ns: int) -> bool:
        """A datagram is at its one port. True: it was its administrator's, and the gateway calls him. Nobody outside
        learns which."""
        if not self._on:
            return False
        became = self._setup.wake_ups.heed(datagram, self._unix_s(now_ns + self._offset_ns))
        self.counts[f"datagram: {became}"] += 1
        if became == "woken":
            mark = hashlib.blake2b(datagram, digest_size=8).hexdigest()
            self._setup.record(GatewayWoken(now_ns, self.id, mark))
        return became == "woken"

    # --- taking values ----------------------------------------------------------------------------------------------

    def _take(self, now_ns: int) -> None:
        if self._pending:
            self._sequence += 1
            bundle = Bundle(self.id, self._sequence, now_ns, tuple(self._pending))
            self._pending.clear()
            self.intake.take([Message(UP.format(gateway=self.id), bundle.encode())], now_ns)
            self._read_back()
            self._save_counters(now_ns)

    def _read_back(self) -> None:
        """Rows of the store that were not looked at since it was switched on."""
        while found := self.intake.store.readings_after(self._seen, _ROWS_AT_ONCE):
            self._seen = found[-1][0]
            for _, row in found:
                self._keep(row)

    def _keep(self, row: Reading) -> None:
        told = said(row)
        if told is None:
            return
        register = self._registers.get(row.meter)
        if register is None:
            entry = next(one for one in self.registry if one.name == row.meter)
            register = self._registers[row.meter] = Register(row.meter, told.obis, entry.interval_s)
        register.take(row.received_ns, told, self._known_off_s)
        self._dues.note(row)

    # --- counters over a power cut ----------------------------------------------------------------------------------

    def _save_counters(self, now_ns: int) -> None:
        path = self.disk / _COUNTERS
        if kept_counters.is_due(path, now_ns):
            kept_counters.save(path, now_ns + ns(self._setup.counter_saved_s), self.intake.store.freshness())

    def _forget_newer_counters(self, spec: PortalSpec) -> None:
        path = self.disk / _COUNTERS
        if path.exists():
            calendar, registry = self._setup.calendar, self.registry
            quiet = Portal(spec, self.disk, calendar, lambda _: None, keyring=Keyring(), registry=registry)
            kept_counters.forget_newer(path, quiet)

    # --- what leaves ------------------------------------------------------------------------------------------------

    def deliver(self, now_ns: int) -> None:
        """Judge what was received, and put containers for periods that ended, and for set dates, into the outbox."""
        if not self._on:
            return
        self._take(now_ns)
        self.meet_wired(now_ns)
        now_s = self._unix_s(now_ns)
        if not self.diary.room(now_s):
            self.counts["log full"] += 1
            return
        for number, contract in enumerate(self._setup.contracts):
            start_s = self._due_from_s.setdefault(number, self._unix_s(0))
            values: list[Value] = []
            for end_s in contract.ends_s(start_s, now_s):
                values += self._of_period(contract, start_s, end_s)
                start_s = end_s
            dues = [] if contract.grid else self._at_set_dates()
            more = self._others.values(number, contract, self._setup, self._registers.values(), now_s)
            if not self._sealed_all(contract, [*values, *dues, *more], now_ns):
                continue
            if not contract.grid:
                self._dues.left(dues)
            self._others.left(number, contract.receiver)
            self._due_from_s[number] = start_s
        horizon_s = min(self._due_from_s.values(), default=now_s)
        for register in self._registers.values():
            register.forget_before(ns(horizon_s - self._unix_s(0)))
        with contextlib.suppress(ModuleError):  # what was written stays unsigned until the module answers
            self.diary.logs.seal(now_s)

    def _of_period(self, contract: Contract, start_s: int, end_s: int) -> list[Value]:
        """A period that the gateway did not see the beginning of is none."""
        values: list[Value] = []
        for name in () if contract.grid else sorted(self._registers):
            try:
                found = values_of(
                    self._registers[name], self._setup.calendar, contract.taf, start_s, end_s, CAPTURE_S,
                    flag=self._setup.flag_clock,
                )  # fmt: skip
                values += found if self._setup.error_register else without_error_register(list(found))
            except RuleError:
                self.counts["no value"] += 1
        return values

    def _at_set_dates(self) -> list[Value]:
        store, calendar, method = self.intake.store, self._setup.calendar, self._setup.portal.billing
        return self._dues.values(lambda meter, day: units_at(store, calendar, meter, day, method=method))

    def _sealed_all(self, contract: Contract, values: list[Value], now_ns: int) -> bool:
        """False: the module does not do it, and what was to leave waits for the next time."""
        reason = ""
        try:
            if values:
                self._seal(contract, values, now_ns)
        except ModuleError as error:
            reason = error.reason
        if reason != self._module_failed and (reason or values):
            self._module_failed = reason
            self._setup.record(ModuleFailed(now_ns, self.id, reason))
        return not reason

    def _seal(self, contract: Contract, values: list[Value], now_ns: int) -> None:
        number = self._number + 1
        signed = tuple(self._signed_alone(one) if one.to_sign and self._setup.seals else one for one in values)
        sent = self.counts[f"sealed for {contract.receiver}"] + 1
        content = Delivery(contract.sender or self.id, contract.receiver, sent, signed).encode()
        container = self.sealed(content, contract.certificate, now_ns) if self._setup.seals else content
        self._whose[number] = self.diary.sealed(self._unix_s(now_ns), contract.receiver, number, signed)
        self._number = number
        self.counts.update(("sealed", f"sealed for {contract.receiver}"))
        mark = hashlib.blake2b(container, digest_size=8).hexdigest()
        self._setup.record(
            ContainerSealed(now_ns, self.id, contract.receiver, self._number, len(values), len(container), mark)
        )
        self.outbox[self._number] = contract.receiver, container
        path = self.disk / "outbox"
        path.mkdir(exist_ok=True)
        (path / f"{self._number:08d}.cms").write_bytes(container)

    def _signed_alone(self, value: Value) -> Value:
        """With the module's signature over this value."""
        return value._replace(signature=self.sign(value.statement(self.id)))

    def sealed(self, content: bytes, receiver: Certificate, now_ns: int) -> bytes:
        """A container: sealed for the receiver, then signed by the module."""
        # Two containers of one second would be one too many for a receiver that takes newer ones only.
        self._signed_at_ns = max(now_ns, self._signed_at_ns + NS_PER_S)
        at = self._setup.calendar.at(self._signed_at_ns).replace(microsecond=0)
        sealed = seal(content, receiver, draw=self.module.random)
        return sign_by(sealed, self.certificate, self.sign, at)

    def sign(self, message: bytes) -> bytes:
        """By the module, under the gateway's certificate. Raises ModuleError."""
        return self.module.sign(slot_of("SIG", self.triple.number), message)

    def delivered(self, number: int, now_ns: int) -> None:
        """The receiver has it."""
        receiver, _ = self.outbox.pop(number, ("", b""))
        self.diary.handed(self._unix_s(now_ns), receiver, number, self._whose.pop(number, ()))
        (self.disk / "outbox" / f"{number:08d}.cms").unlink(missing_ok=True)

    def _unix_s(self, time_ns: int) -> int:
        return int((self._setup.calendar.start + timedelta(seconds=time_ns // NS_PER_S)).timestamp())

    # --- what keyless gateways have ---------------------------------------------------------------------------------

    def pump(self, now_ns: int) -> None:
        """Its containers go when the administrator is reached (Smgw.deliver)."""

    @property
    def waiting(self) -> tuple[int, ...]:
        return tuple(self.outbox)

    @property
    def quarantined(self) -> tuple[int, ...]:
        return ()

    def custody(self) -> frozenset[int]:
        return frozenset()

    def on_disk(self) -> frozenset[bytes]:
        return frozenset()
