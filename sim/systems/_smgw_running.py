"""The system `smgw` as it runs in a world: its gateways, administrator, receivers, and what passes between them.

Its settings are in smgw; this file and all that it needs are loaded when such a world is built.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sim.core.clock import NS_PER_DAY, ns
from sim.core.events import GatewayDisturbed, SnapshotAsked
from sim.core.settings import SpecError
from sim.gateway.gateway_spec import GatewaySpec
from sim.pki.party_certificates import ADMINISTRATOR, MAKER, Certificate, PartyRoot, private_value
from sim.pki.sealed_content import Receiver
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.store_port import StoreError
from sim.site_plan import gateway_groups, gateway_ids, receiver_of
from sim.smart_metering.administrator import Administrator
from sim.smart_metering.administrators_calls import Calls
from sim.smart_metering.gateway_setup import Contract, GatewaySetup
from sim.smart_metering.gateway_tables import GatewayTables
from sim.smart_metering.grid_values import GridValues
from sim.smart_metering.housing import Disturbance, Housing
from sim.smart_metering.lmn.radio_plan import RadioSpec
from sim.smart_metering.other_values import OtherValues
from sim.smart_metering.participant import Participant
from sim.smart_metering.periods import period_ends
from sim.smart_metering.smart_gateway import SmartGateway
from sim.smart_metering.snapshots import Snapshots
from sim.smgw.module.in_world import InWorldModule, draws
from sim.smgw.wake_up import WakeUps
from sim.systems._installation import entry_of, links_of, strongest
from sim.systems._killed import kill
from sim.systems._smgw_accounts import costs, sights
from sim.systems._smgw_firmware import Firmwares
from sim.systems._smgw_grid import GRID_OPERATOR, GridOperator, rows_of
from sim.systems._smgw_homes import Homes
from sim.systems._smgw_lines import Lines, Order
from sim.systems._smgw_radio import RadioMeters
from sim.systems._smgw_renewal import Renewals
from sim.systems._smgw_wired import rounds, wired_side
from sim.systems.port import Cost, Delivered, Ground, Passed, Sight, SystemUnderTest
from sim.systems.smgw import SUPPLIER, SmgwSystem

if TYPE_CHECKING:
    from sim.endpoint.port import Message, Session
    from sim.world import World

LISTS_EVERY_NS: Final = NS_PER_DAY
"""How often authorities issue revocation lists, beside each time that something is taken back."""


class Smgw:
    """See port.SystemUnderTest. `portal` is the final receiver."""

    endpoint = None
    sessions: Sequence[Session] = ()
    portal: Participant
    stored: GatewayTables
    attached: NDArray[np.int64]

    def __init__(self, ground: Ground, settings: SmgwSystem) -> None:
        spec = ground.spec
        self._ground, self.settings = ground, settings
        self.gateways: list[SmartGateway] = []
        self.modules: list[InWorldModule] = []
        self.housings: list[Housing] = []
        self._unlogged: list[tuple[SmartGateway, Disturbance]] = []
        self._lists_ns = 0
        self.registry = Registry(gateways=gateway_ids(spec))
        self._closing = contextlib.ExitStack()
        self.disk = ground.directory / "participants" / SUPPLIER
        self._smart = ground.directory / "smart-gateways"
        self.homes = Homes(self, ground)
        self.grid = GridOperator(self, ground)
        self.renewals = Renewals(self, ground)
        self.wan = Lines(self, ground)
        self.firmware = Firmwares(self, ground)
        self._looked_ns = 0
        self.message_taps: list[Callable[[Sequence[Message], int], None]] = []
        radio = RadioSpec(settings.wireless, settings.wireless_tls, settings.wireless_pinned)
        self.radio_meters = RadioMeters(radio, ground, flag_clock=settings.flag_clock)

    @property
    def key_places(self) -> tuple[Path, ...]:
        """Gateways have their meters' keys, and what these say: the disk of each."""
        return (self._smart,)

    @property
    def private_values(self) -> dict[str, bytes]:
        return {f"the key ENC of {SUPPLIER}": private_value(self._receiver.key),
                f"the key SIG of {ADMINISTRATOR}": private_value(self._administrator_key),
                **self.grid.private_values}  # fmt: skip

    # --- building -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        ground, seeds = self._ground, self._ground.seeds
        root = PartyRoot("SM-Test-Root.CA", draws(seeds, "root", "root's draws"), ground.calendar.start)
        self.root = root
        root.party(MAKER, draws(seeds, "maker", "keys"))
        self._administrator_key = root.key_of(root.party(ADMINISTRATOR, draws(seeds, "administrator", "keys")), "SIG")
        supplier = root.party(f"{SUPPLIER}.EMT", draws(seeds, SUPPLIER, "keys"))
        self._receiver = root.receiver_of(supplier)
        self._signers: dict[str, Certificate] = {}
        self.grid.start()
        self.administrator = Administrator(
            {SUPPLIER: self._hand}, self.renewals.admit, ground.record, ns(self.settings.session_most_s)
        )
        draw = draws(seeds, "administrator", "calls")
        self.calls = Calls(self.gateways, self._administrator_key, draw, ground.clock, ground.calendar)
        for id_, group in zip(gateway_ids(ground.spec), gateway_groups(ground.spec), strict=True):
            self._add_gateway(id_, group)
        self._attach()
        self.radio_meters.put_on_air(self.gateways)
        for gateway in self.gateways:
            gateway.open(ground.clock.now_ns)
            self._closing.callback(gateway.close)
            name, since = f"{gateway.id}.SMGW", ground.calendar.start
            root.seal(name, gateway.module, since)
            gateway.certify(root.operational(name, gateway.module, since))
            self._signers[gateway.id] = gateway.certificate
            if gateway.wired is not None:
                ground.clock.process(rounds(ground, gateway, gateway.wired))
        self._open_participant()
        self._closing.callback(lambda: self.portal.close())
        self.grid.open()
        self._closing.callback(self.grid.close)
        self.firmware.start()
        self.wan.start()
        if self.settings.call_every_s:
            ground.clock.process(self.calls.every(ns(self.settings.call_every_s)))
        self.stored = GatewayTables(self.gateways, lambda meter, day: self.portal.billed(meter, day))

    def _add_gateway(self, id_: str, group: GatewaySpec) -> None:
        ground, settings = self._ground, self.settings
        module = InWorldModule(ground.seeds, id_)
        self.modules.append(module)
        contract = Contract(
            SUPPLIER, settings.taf,
            lambda start_s, until_s: period_ends(settings.taf, round(settings.delivery_s), start_s, until_s),
            self._receiver.certificate,
        )  # fmt: skip
        setup = GatewaySetup(
            self._smart / id_, ground.calendar, ground.record, ground.spec.portal, module,
            (contract, *self.grid.contracts(len(self.gateways), id_)),
            settings.counter_saved_s, settings.flag_clock, settings.seal_content,
            WakeUps(id_, self.calls.verify, settings.remember_calls, settings.check_calls),
            self._other_values(id_), settings.error_register,
        )  # fmt: skip
        gateway = SmartGateway(id_, group, setup)
        sensitivity_cdbm, links, profile = receiver_of(group)
        ground.air.add_receiver(
            id_,
            ground.site.gateways[len(self.gateways)],
            sensitivity_cdbm=sensitivity_cdbm,
            links=links,
            on_frame=lambda telegram, end_ns, rssi_cdbm: gateway.receive(telegram, end_ns, rssi_cdbm / 100),
            profile=profile,
            deferred=True,
        )
        self.gateways.append(gateway)

        def noticed(one: Disturbance) -> None:
            ground.record(GatewayDisturbed(one.time_ns, id_, one.what))
            self._unlogged.append((gateway, one))
            self._log_disturbances()

        self.housings.append(Housing(self._smart / id_ / "housing.json", noticed))

    def _other_values(self, id_: str) -> OtherValues:
        def tell(now_ns: int, receiver: str, due_s: int, taken: bool) -> None:
            self._ground.record(SnapshotAsked(now_ns, id_, receiver, due_s, taken))

        snapshots = Snapshots(tell, limited=self.settings.limit_snapshots)
        number, disk, ground = len(self.gateways), self._smart / id_, self._ground
        radio = self.radio_meters.side(number, id_, disk)
        wired = wired_side(ground, self.settings, number, id_, disk)
        epoch_s = int(ground.calendar.start.timestamp())
        grid = GridValues(wired, epoch_s, flag=self.settings.flag_clock) if wired and self.grid.tafs else None
        return OtherValues(snapshots, wired, radio, grid)

    def _attach(self) -> None:
        """Pair each meter that can be authenticated with the gateway that hears it best."""
        ground = self._ground
        links = links_of(ground, len(self.gateways))
        able = np.array([ground.fleet.security(m) in self.settings.attach for m in range(ground.fleet.n)], dtype=bool)
        self.attached = np.where(able, strongest(links), -1)
        for meter, own in enumerate(self.attached.tolist()):
            key = ground.fleet.key(meter)
            if own >= 0:
                entry = entry_of(ground, meter, frozenset({self.gateways[own].id}), self.gateways)
                self.registry.add(entry)
                self.gateways[own].pair(entry, key)

    def _open_participant(self) -> None:
        self.portal = Participant(
            SUPPLIER, self.disk, self._receiver, self._signers, self._ground.record,
            verify=self.settings.verify_content, attributes=self.settings.check_attributes,
            trust=self.root.trust if self.settings.check_lists else None, at=self._ground.calendar.at,
            former=self.renewals.former,
        )  # fmt: skip

    def _hand(self, gateway: str, container: bytes, now_ns: int) -> bool:
        return self.portal.take(gateway, container, now_ns)

    def take_back(self, gateway: int) -> None:
        """The authority takes a gateway's certificates back, and says so at once."""
        now_ns = self._ground.clock.now_ns
        self.root.registration.take_back(self.gateways[gateway].triple, self._ground.calendar.at(now_ns))
        self.publish(now_ns)

    def publish(self, now_ns: int) -> None:
        """Revocation lists, as they are now."""
        self.root.publish(self._ground.calendar.at(now_ns))
        self._lists_ns = now_ns

    def send_rules(self, gateway: int, order: Order) -> None:
        """A rule set of the administrator's for a gateway, which fetches it over its line."""
        self.wan.send(gateway, order)

    def send_firmware(self, gateway: int, image: bytes) -> None:
        """An image of the administrator's, in the same way."""
        self.wan.send(gateway, image)

    def hand(self, receiver: str, gateway: str, container: bytes, now_ns: int) -> bool:
        """Give a container to a receiver, in whoever's name. False: there is no such receiver."""
        return receiver == SUPPLIER and self._hand(gateway, container, now_ns)

    @property
    def receiver_certificate(self) -> Certificate:
        """For whom gateways seal."""
        return self._receiver.certificate

    @property
    def stolen_receiver(self) -> Receiver:
        """The supplier's certificate and key, for who has stolen them."""
        return self._receiver

    @property
    def receivers(self) -> dict[str, Receiver]:
        """Each final receiver's certificate and key, for who opens all that passed."""
        return {SUPPLIER: self._receiver} | ({GRID_OPERATOR: self.grid.receiver} if self.grid.tafs else {})

    @property
    def signers(self) -> dict[str, Certificate]:
        """Gateway -> the certificate that its containers are signed under."""
        return self._signers

    def enrol(self, meters: Iterable[tuple[MeterEntry, bytes | None]]) -> None:
        raise SpecError("system 'smgw' pairs meters before it starts; a recording is played to system 'keyless'")

    # --- running ------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Only what a period's end has come for leaves."""

    def deliver(self) -> None:
        now_ns = self._ground.clock.now_ns
        if now_ns - self._lists_ns >= LISTS_EVERY_NS:
            self.publish(now_ns)
        self._log_disturbances()
        for place, gateway in enumerate(self.gateways):
            if not gateway.up:
                continue
            gateway.tell_time(now_ns, trusted=self.settings.time_over_tls and self.administrator.reached)
            self.firmware.look(place)
            gateway.deliver(now_ns)
            self.wan.look(place)
        look_s = self.settings.consumers_look_s
        if look_s and now_ns - self._looked_ns >= ns(look_s):
            self._looked_ns = now_ns
            self.homes.look()

    def _log_disturbances(self) -> None:
        """Into the system log; of a gateway without power when it is on again."""
        for gateway, one in self._unlogged:
            if gateway.up:
                gateway.note_disturbance(one.time_ns, one.what)
        self._unlogged = [(gateway, one) for gateway, one in self._unlogged if not gateway.up]

    def at_phase(self, phase: str, action: Callable[[], None]) -> None:
        raise ValueError(f"system 'smgw' delivers in one step, so there is no phase {phase!r}; leave it out")

    def watch(self) -> None:
        for gateway in self.gateways:
            if gateway.up:
                gateway.intake.watch(self._ground.clock.now_ns)

    def settle(self, done: Callable[[], bool], deadline_s: float) -> bool:
        return done()

    def back_up_portal(self) -> None:
        raise StoreError("system 'smgw' makes no backup of its supplier; take system 'keyless'")

    def restore_portal(self) -> None:
        raise StoreError("system 'smgw' has no backup of its supplier; take system 'keyless'")

    def restart_portal(self) -> None:
        self.portal.close()
        self._open_participant()

    def kill_portal(self) -> None:
        kill(self.disk, self.portal.close)
        self._open_participant()

    def close(self) -> None:
        self._closing.close()

    # --- what came of it ----------------------------------------------------------------------------------------

    def tap_passed(self, take: Callable[[Passed], None]) -> None:
        self.administrator.taps.append(lambda one: take(Passed(one.time_ns, one.gateway, one.payload)))

    def billable(self) -> Sequence[Delivered]:
        return rows_of(SUPPLIER, self.portal)

    def delivered(self) -> Sequence[Delivered]:
        return [*rows_of(SUPPLIER, self.portal), *self.grid.delivered()]

    def invariants(self, world: World) -> Iterable[tuple[str, Sequence[str]]]:
        from sim.systems._smgw_invariants import INVARIANTS  # the truth stands above the systems

        return [(title, wrong(world)) for title, wrong in INVARIANTS.items()]

    def sights(self) -> Sequence[Sight]:
        return sights(self, self._ground)

    def costs(self) -> Sequence[Cost]:
        return costs(self, self._ground)


def smgw(system: SystemUnderTest) -> Smgw:
    """The same system, for tests and attacks that use its parts. Raises TypeError for another kind."""
    if not isinstance(system, Smgw):
        raise TypeError(f"{system!r} is not the system 'smgw'")
    return system
