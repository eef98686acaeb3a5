"""The talk's system: gateways without keys forward what they hear, in bundles, over a broker to a portal that holds all
keys.

    air ─► gateway (outbox) ─ bundle ─► endpoint ─ message ─► portal ─► readings
                 ▲                                              │ after its commit
                 └───────────────── acknowledgement ◄───────────┘

Its tables in a world are [[gateway]], [endpoint] and [portal].
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from sim.billing.set_date_units import units_at
from sim.core import bundle
from sim.core.clock import NS_PER_S
from sim.core.events import Fate
from sim.endpoint.port import Elsewhere, Endpoint, EndpointError, Message, Queues, Session
from sim.endpoint.registry import ENDPOINTS, lacks
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.key_copies import KeyCopies
from sim.gateway.port import GatewayFeature, GatewayPort, Waking, Wiring, receives_many
from sim.gateway.registry import GATEWAYS
from sim.lockstep import Lockstep
from sim.network.paths import Line
from sim.pki.statements import StatementKey
from sim.portal.key_store import KeyStore, load_keks, save_keks, with_keks_for
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal import Portal
from sim.portal.store_port import Reading, Refusal
from sim.radio.emissions import Emission
from sim.site_plan import gateway_groups, gateway_ids, receiver_of
from sim.systems._installation import entry_of, links_of
from sim.systems._keyless_accounts import costs, sights
from sim.systems._killed import kill
from sim.systems.port import Cost, Delivered, Ground, Passed, Sight, System, SystemUnderTest

if TYPE_CHECKING:
    import simpy

    from sim.core.settings import Place
    from sim.radio.reference import OnFrames, Receiver
    from sim.world import World
    from sim.world_spec import WorldSpec
    from wmbus.link import Address

PORTAL = "portal"
KEKS = "keks.csv"
START_DEADLINE_S = 60.0


@dataclass(frozen=True)
class KeylessSystem(System):
    """[system] kind = "keyless" has no keys of its own."""

    kind: str = "keyless"
    title: ClassVar[str] = "Keyless gateways with custody, a broker, a portal that holds the keys"

    def features(self, spec: WorldSpec) -> frozenset[str]:
        own: frozenset[str] = frozenset({"bundles", "portal restart"})
        own |= {"portal backup"} if spec.portal.store == "sqlite" else frozenset()
        own |= ENDPOINTS.find(spec.endpoint.kind).features
        return own.union(*(GATEWAYS.find(group.kind).features for group in spec.gateway))

    def lacks(self, spec: WorldSpec, needed: frozenset[str]) -> str:
        elsewhere = {"bundles", "portal restart", "portal backup", *get_args(GatewayFeature)}
        return lacks(spec.endpoint.kind, needed - elsewhere) or super().lacks(spec, needed)

    def refuse_contradictions(self, spec: WorldSpec, place: Place) -> None:
        for at, group in enumerate(spec.gateway):
            if not group.shadow:
                continue
            path = f"gateway[{at}].shadow"
            if "shadow" not in GATEWAYS.find(group.kind).features:
                raise place.error(path, f'kind "{group.kind}" keeps no shadow; leave out shadow = true')
            if missing := lacks(spec.endpoint.kind, frozenset({"shadows"})):
                raise place.error(path, f"shadow = true {missing}; or leave it out")

    def build(self, ground: Ground) -> Keyless:
        return Keyless(ground)


SYSTEM = KeylessSystem()


def _tell_mode(
    gateway: GatewayPort, index: int, emission: Emission, receiver: int, _fate: Fate, _level_cdbm: int
) -> None:
    """A gateway that is fed gets the frame next, and its feeder must know how it was sent."""
    if receiver == index:
        gateway.mode = emission.mode.name


class PortalTables:
    """See port.Stored: the portal's tables."""

    def __init__(self, portal: Portal, ground: Ground) -> None:
        self._store = portal.store
        self._billing = ground.spec.portal.billing
        self._calendar = ground.calendar

    def count_readings(self) -> int:
        return self._store.count_readings()

    def readings(self, meter: str | None = None) -> list[Reading]:
        return self._store.readings(meter)

    def readings_after(self, place: int, most: int) -> list[tuple[int, Reading]]:
        return self._store.readings_after(place, most)

    def readings_of(self, fingerprint: str) -> list[Reading]:
        return self._store.readings_of(fingerprint)

    def refusals(self, reason: str | None = None) -> list[Refusal]:
        return self._store.refusals(reason)

    def refusal_reasons(self, fingerprint: str) -> list[str]:
        return self._store.refusal_reasons(fingerprint)

    def refused_telegrams(self) -> set[str]:
        return {row.fingerprint for row in self._store.refusals()}

    def bundles_after(self, gateway: str, sequence: int, most: int) -> list[int]:
        return self._store.sequences_after(gateway, sequence, most)

    def count_bundles(self) -> int:
        return self._store.count_messages()

    def billed_units(self, meter: str, set_date: date) -> int | None:
        return units_at(self._store, self._calendar, meter, set_date, method=self._billing)


class Keyless:
    """See port.SystemUnderTest. `portal` and `keyring` are there after `start`."""

    portal: Portal
    stored: PortalTables
    keyring: Keyring

    def __init__(self, ground: Ground) -> None:
        spec = ground.spec
        self._ground = ground
        self.gateways: list[GatewayPort] = []
        self._closing = contextlib.ExitStack()
        kind = ENDPOINTS.find(spec.endpoint.kind)
        self.endpoint: Endpoint = kind.open(spec.endpoint, ground.directory / "endpoint")
        self.registry = Registry(gateways=gateway_ids(spec))
        self.sessions: list[Session] = []
        self.disk = ground.directory / "portal"
        self.vault = ground.directory / "vault"
        self.key_copies = KeyCopies(ground.directory / "devices")
        self._backup = ground.directory / "backup"
        self._rings = KeyStore(self.disk / "keys")
        self._clear_keys = self.disk / "keys" / "keys.csv"
        self.keks: dict[str, bytes] = {}
        self.wan_bytes = self.acknowledgements = 0
        """Of messages that reached the portal and its answers."""
        self.message_taps: list[Callable[[Sequence[Message], int], None]] = []
        # What the broker's operator makes of what it delivers, before the taps.
        self.delivers: Callable[[Sequence[Message]], Sequence[Message]] = lambda messages: messages

    attached = None

    def tap_passed(self, take: Callable[[Passed], None]) -> None:
        def tap(messages: Sequence[Message], now_ns: int) -> None:
            for one in messages:
                with contextlib.suppress(bundle.BadBundle):
                    take(Passed(now_ns, bundle.Bundle.decode(one.payload).gateway, one.payload))

        self.message_taps.append(tap)

    def delivered(self) -> Sequence[Delivered]:
        return ()

    def billable(self) -> Sequence[Delivered]:
        epoch_s = int(self._ground.calendar.start.timestamp())
        rows = ((row, epoch_s + row.received_ns // NS_PER_S) for row in self.stored.readings() if row.units is not None)
        return [Delivered(PORTAL, "", row.meter, 0, "", 0, None, at_s, Decimal(row.units or 0)) for row, at_s in rows]

    def invariants(self, world: World) -> Iterable[tuple[str, Sequence[str]]]:
        return ()

    def sights(self) -> Sequence[Sight]:
        return sights(self, self._ground)

    def costs(self) -> Sequence[Cost]:
        return costs(self, self._ground)

    @property
    def key_places(self) -> tuple[Path, ...]:
        clear = (self._clear_keys,) if self._ground.spec.portal.key_store == "clear" else ()
        real = (place for gateway in self.gateways for place in gateway.key_places)
        return (self.vault, *clear, *self.key_copies.with_keys, *real)

    @property
    def private_values(self) -> dict[str, bytes]:
        keks = {f"the key-encryption key of {place}": kek for place, kek in self.keks.items()}
        return {"the key that signs acknowledgements": self._statements.private} | keks

    # --- building -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._closing.callback(self.endpoint.stop)
        self.endpoint.start()
        self._statements = StatementKey.kept(self.vault / "acknowledgements.key")
        self._add_gateways()
        self._register()
        fleet = self._ground.fleet
        self._keep(Keyring({fleet.address(m): key for m in range(fleet.n) if (key := fleet.key(m)) is not None}))
        self._open_portal()
        self._closing.callback(lambda: self.portal.close())
        queues = self._queues
        session = self.endpoint.connect(
            self.endpoint.identity(PORTAL),
            subscribe=() if queues else (bundle.UP.format(gateway="+"), bundle.BIRTH.format(gateway="+")),
            clean=False,
        )
        self._closing.callback(session.close)
        self.sessions.append(session)
        paths, line = self._ground.paths, Line(PORTAL, session)
        self._lockstep = Lockstep(
            self.endpoint, self.gateways, session, paths.cut_off, lambda: paths.cut_off(line),
            queues.queued if queues else tuple,
        )  # fmt: skip
        everyone = [session, *(g.session for g in self.gateways)]
        if not self.endpoint.settle(lambda: all(s.connected for s in everyone), START_DEADLINE_S):
            silent = next(s for s in everyone if not s.connected)
            what = f"{silent.client_id} did not get a session within {START_DEADLINE_S:.0f} s"
            if isinstance(self.endpoint, Elsewhere) and (found := self.endpoint.let_down(silent, what)) is not None:
                raise found
            raise EndpointError(f"{what}: {silent.log[-1][1]}" if silent.log else what)

    def _add_gateways(self) -> None:
        folder = self._ground.directory / "gateways"
        folder.mkdir(exist_ok=True)
        spec = self._ground.spec
        for id_, group in zip(gateway_ids(spec), gateway_groups(spec), strict=True):
            self._add_gateway(group, id_, folder)
            self.key_copies.lay(self.endpoint.identity(id_), group)

    def _add_gateway(self, group: GatewaySpec, id_: str, folder: Path) -> None:
        ground = self._ground
        dial = partial(self._dial, id_, group.verify_server)
        way = ground.paths.uplink(ground.spec.backhaul, len(self.gateways), id_, ground.seeds)
        wiring = Wiring(folder, dial, ground.record, self._statements.public, ground.clock, self._meter_keys, way)
        kind = GATEWAYS.find(group.kind)
        gateway = kind.open(id_, group, wiring)
        self._closing.callback(lambda: gateway.close())
        index = len(self.gateways)
        sensitivity_cdbm, links, profile = receiver_of(group)
        receiver = ground.air.add_receiver(
            id_,
            ground.site.gateways[index],
            sensitivity_cdbm=sensitivity_cdbm,
            links=links,
            on_frame=lambda telegram, end_ns, rssi_cdbm: gateway.receive(telegram, end_ns, rssi_cdbm / 100),
            profile=profile,
            on_frames=_many(gateway),
            deferred=not gateway.real,  # the bundles of a simulated one close by its own clock, whenever it is told
        )
        assert receiver == index, "gateways are the first receivers, in order"
        if gateway.real:
            ground.air.taps.append(partial(_tell_mode, gateway, index))
        if gateway.waking is not None:
            ground.air.env.process(_sleeps(ground.air.receivers[receiver], gateway.waking, ground.air.env))
        self.gateways.append(gateway)

    def _meter_keys(self) -> dict[str, str]:
        """As an installer types them into a gateway that decodes."""
        fleet = self._ground.fleet
        keys = {fleet.address(meter).id: fleet.key(meter) for meter in range(fleet.n)}
        return {meter: "" if key is None else key.hex() for meter, key in keys.items()}

    def _dial(self, id_: str, verify: bool) -> Session:
        """A gateway's session, over whatever path the network gives it at the moment."""
        return self.endpoint.connect(
            self.endpoint.identity(id_),
            subscribe=(bundle.ACK.format(gateway=id_),),
            address=self._ground.paths.of(id_),
            verify=verify,
        )

    def _register(self) -> None:
        """What the installer wrote down."""
        names = [gateway.id for gateway in self.gateways]
        for meter, links in enumerate(links_of(self._ground, len(names))):
            heard_by = frozenset(names[gateway] for gateway, _ in links)
            self.registry.add(entry_of(self._ground, meter, heard_by, self.gateways))

    def _keep(self, keyring: Keyring) -> None:
        """Have these keys on the portal's disk, and KEKs for their partitions in the vault. Raises KeyringError."""
        if self._ground.spec.portal.key_store == "clear":
            keyring.save(self._clear_keys)
            return
        self.keks = with_keks_for(self.keks, {self._partition(address) for address, _, _ in keyring.every()})
        save_keks(self.vault / KEKS, self.keks)
        self._rings.write(keyring, self._partition, self.keks)

    def _kept(self) -> Keyring:
        """The keys as they lie on the disk."""
        if self._ground.spec.portal.key_store == "clear":
            return Keyring.load(self._clear_keys)
        return self._rings.read(load_keks(self.vault / KEKS))

    def _partition(self, address: Address) -> str:
        entry = self.registry.find(address)
        place = None if entry is None else getattr(entry, self._ground.spec.portal.key_partitions)
        return place or "elsewhere"

    def _open_portal(self) -> None:
        ground = self._ground
        self.keyring = self._kept()
        self.portal = Portal(
            ground.spec.portal,
            self.disk,
            ground.calendar,
            ground.record,
            keyring=self.keyring,
            registry=self.registry,
            sign=self._statements.sign,
        )
        self.stored = self.tables_of(self.portal)

    def tables_of(self, portal: Portal) -> PortalTables:
        """A portal's tables as this world's truth looks at them."""
        return PortalTables(portal, self._ground)

    def enrol(self, meters: Iterable[tuple[MeterEntry, bytes | None]]) -> None:
        for entry, key in meters:
            self.registry.add(entry)
            if key is not None:
                self.keyring.add(entry.address, key)
        self._keep(self.keyring)
        self.portal.write_registry()

    @property
    def _queues(self) -> Queues | None:
        return self.endpoint if isinstance(self.endpoint, Queues) and self.endpoint.by_queue else None

    # --- running ------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        for gateway in self.gateways:
            if gateway.up:
                gateway.flush(self._ground.clock.now_ns)

    def deliver(self) -> None:
        now_ns = self._ground.clock.now_ns
        for gateway in self.gateways:
            if gateway.up:
                gateway.close_due(now_ns)
        self._lockstep.run(now_ns, lambda messages: self._take(messages, now_ns))

    def _take(self, messages: Sequence[Message], now_ns: int) -> list[Message]:
        messages = self.delivers(messages)
        for tap in self.message_taps:
            tap(messages, now_ns)
        portal = self.portal
        answers = portal.take(messages, now_ns)
        self.acknowledgements += len(answers)
        self.wan_bytes += sum(len(one.payload) for one in (*messages, *answers))
        if answers:
            self._lockstep.committed()
        if self.portal is not portal:
            return []  # what a portal had to say dies with it
        if (queues := self._queues) is not None:
            queues.taken()
        return answers

    def at_phase(self, phase: str, action: Callable[[], None]) -> None:
        self._lockstep.strike(phase, action)

    def watch(self) -> None:
        self.portal.watch(self._ground.clock.now_ns)

    def settle(self, done: Callable[[], bool], deadline_s: float) -> bool:
        def pumped() -> bool:
            for gateway in self.gateways:
                gateway.pump(self._ground.clock.now_ns)
            return done()

        return self.endpoint.settle(pumped, deadline_s)

    def back_up_portal(self) -> None:
        keep_freshness = self._ground.spec.portal.backup == "whole"
        self.portal.store.back_up(self._backup, keep_freshness=keep_freshness)

    def restore_portal(self) -> None:
        self.portal.store.restore(self._backup)
        self._open_portal()

    def restart_portal(self) -> None:
        self.portal.close()
        self._open_portal()

    def kill_portal(self) -> None:
        kill(self.disk, self.portal.close)
        self._open_portal()

    def close(self) -> None:
        self._closing.close()


def _many(gateway: GatewayPort) -> OnFrames | None:
    """What a gateway that takes many telegrams at once does with the frames of a window."""
    if (taking := receives_many(gateway)) is None:
        return None

    def on_frames(telegrams: list[bytes], ended_ns: list[int], levels_cdbm: list[int]) -> Iterator[int]:
        return taking.receive_all(telegrams, ended_ns, [level_cdbm / 100 for level_cdbm in levels_cdbm])

    return on_frames


def _sleeps(receiver: Receiver, waking: Waking, env: simpy.Environment) -> Generator[Any, Any, None]:
    """A receiver that listens at its hours."""
    while True:
        receiver.awake, left_ns = waking.at(int(env.now))
        yield env.timeout(left_ns)


def keyless(system: SystemUnderTest) -> Keyless:
    """The same system, for tests and measurements of its parts. Raises TypeError for another kind."""
    if not isinstance(system, Keyless):
        raise TypeError(f"{system!r} is not the keyless system")
    return system
