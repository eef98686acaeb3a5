"""The world: a fleet on an air, gateways, an endpoint, a portal; run window by window.

Inside a window SimPy moves only what is simulated. At the end of each window the world stands still in its own time
while real sockets move (see lockstep), so what the portal sees at each instant of world time does not depend on how
fast the machine was.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import simpy

from sim.core import bundle
from sim.core.clock import NS_PER_S, Calendar, ns
from sim.core.events import (
    Event,
    FaultInjected,
    MeterTampered,
    RunEnded,
    RunStarted,
    SessionChanged,
    TelegramRefused,
    WindowEnded,
)
from sim.core.history import History
from sim.core.seeds import Seeds
from sim.endpoint.port import Address, Endpoint, EndpointError, Identity, Session
from sim.endpoint.registry import ENDPOINTS
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.port import GatewayPort, Wiring
from sim.gateway.registry import GATEWAYS
from sim.lockstep import Lockstep
from sim.meters.fleet import Fleet
from sim.network.mitm_path import Alter, MitmPath
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal import Portal
from sim.radio.air import ARRAYS, Air
from sim.radio.propagation import Propagation
from sim.radio.site import Site
from sim.recording.log import Played
from sim.recording.replayed_meters import Antenna, Playing, enrol
from sim.site_plan import (
    can_ever_hear,
    fleet_radios,
    gateway_groups,
    gateway_ids,
    planned_silence_ns,
    receiver_of,
)
from sim.truth.ground_truth import Truth
from sim.world_spec import WorldSpec

PORTAL = "portal"
START_DEADLINE_S = 60.0


class World:
    """One world, from its spec and one seed, in one directory. Close it, whatever happened (`with` does). `engine`: one
    of air.ENGINES; they make the same world, and "reference" is there to show it.

    Raises SpecError, EndpointError, StoreError, OSError (a full disk), each with the way out.
    """

    def __init__(
        self, spec: WorldSpec, seed: int, directory: Path, *, frames: bool = False, engine: str = ARRAYS
    ) -> None:
        spec.refuse_contradictions()
        directory.mkdir(parents=True, exist_ok=True)
        self.spec = spec
        self.seed = seed
        self.engine = engine
        self.directory = directory
        self.env = simpy.Environment(initial_time=0)
        self.seeds = Seeds(seed)
        self.calendar = Calendar(spec.start)
        self.frames_sent = 0
        self.gateways: list[GatewayPort] = []
        self._routes: dict[str, Address] = {}
        self._mitm_paths: list[MitmPath] = []
        self._refused: Counter[str] = Counter()
        self._stored = 0
        self._closed = False
        self.fleet = Fleet(spec.fleet, self.seeds, start=spec.start, outdoor_mean_c=spec.site.outdoor_mean_c)
        self.site = Site(spec.site, self.fleet.n, spec.gateways)
        self.endpoint: Endpoint = ENDPOINTS.find(spec.endpoint.kind).open(spec.endpoint, directory / "endpoint")
        self.history = History(directory / "events.jsonl", frames=frames)
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<World {self.spec.name}, seed {self.seed}, {self.now_ns / 1e9:.0f} s>"

    # --- building -----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        propagation = Propagation.of(self.spec.site, self.seeds)
        gateways, engine = self.spec.gateways, self.engine
        who = self.fleet.population
        radios = fleet_radios(self.spec.fleet, who.group, who.length_bytes)
        self.air = Air(self.env, propagation, history=self.history, gateways=gateways, engine=engine)
        self.air.add_fleet(self.site.meters, radios, self.fleet.telegram, self.fleet.telegrams)
        self.history.record(RunStarted(0, self.spec.name, self.seed, self.spec.digest, self.endpoint.name))
        self.endpoint.start()
        self._add_gateways()
        self.registry = self._register()
        self.keyring = Keyring(
            {self.fleet.address(m): key for m in range(self.fleet.n) if (key := self.fleet.key(m)) is not None}
        )
        self.truth = Truth(self)
        self.air.taps.append(self.truth.tap)
        self.portal = self._open_portal()
        self.portal_session: Session = self.endpoint.connect(
            self.endpoint.identity(PORTAL),
            subscribe=(bundle.UP.format(gateway="+"), bundle.BIRTH.format(gateway="+")),
            clean=False,
        )
        self.lockstep = Lockstep(self.endpoint, self.gateways, self.portal_session, self._cut_off)
        everyone = [self.portal_session, *(g.session for g in self.gateways)]
        if not self.endpoint.settle(lambda: all(s.connected for s in everyone), START_DEADLINE_S):
            silent = next(s for s in everyone if not s.connected)
            said = f": {silent.log[-1][1]}" if silent.log else ""
            raise EndpointError(f"{silent.client_id} did not get a session within {START_DEADLINE_S:.0f} s{said}")

    def _add_gateways(self) -> None:
        folder = self.directory / "gateways"
        folder.mkdir(exist_ok=True)
        for id_, group in zip(gateway_ids(self.spec), gateway_groups(self.spec), strict=True):
            self._add_gateway(group, id_, folder)

    def _add_gateway(self, group: GatewaySpec, id_: str, folder: Path) -> None:
        wiring = Wiring(folder, partial(self._dial, id_, group.verify_server), self._record)
        gateway = GATEWAYS.find(group.kind).open(id_, group, wiring)
        index = len(self.gateways)
        sensitivity_cdbm, links = receiver_of(group)
        receiver = self.air.add_receiver(
            id_,
            self.site.gateways[index],
            sensitivity_cdbm=sensitivity_cdbm,
            links=links,
            on_frame=lambda telegram, end_ns, rssi_cdbm: gateway.receive(telegram, end_ns, rssi_cdbm / 100),
            deferred=True,  # its bundles close by its own clock
        )
        assert receiver == index, "gateways are the first receivers, in order"
        self.gateways.append(gateway)

    def _dial(self, id_: str, verify: bool) -> Session:
        """A gateway's session, over whatever path the network gives it at the moment."""
        return self.endpoint.connect(
            self.endpoint.identity(id_),
            subscribe=(bundle.ACK.format(gateway=id_),),
            address=self._routes.get(id_),
            verify=verify,
        )

    def _register(self) -> Registry:
        """What the installer wrote down: each meter, its profile, its flat, and which gateways hear it."""
        registry = Registry()
        heard_by = self._heard_by()
        for meter in range(self.fleet.n):
            spec = self.spec.fleet[int(self.fleet.population.group[meter])]
            registry.add(
                MeterEntry(
                    self.fleet.address(meter),
                    security=spec.security,
                    interval_s=spec.interval_s,
                    gateways=heard_by[meter],
                    flat=f"flat {int(self.site.flat[meter]) + 1}",
                    house=f"house {int(self.site.house[meter]) + 1}",
                    planned_silence_s=planned_silence_ns(spec) / NS_PER_S,
                )
            )
        return registry

    def _heard_by(self) -> list[frozenset[str]]:
        """For each meter the gateways that can hear it at all."""
        links, receivers = self.air.links, self.air.receiver_arrays
        within = can_ever_hear(self.spec.site, links.level_cdbm, receivers.sensitivity_cdbm[links.receiver])
        names = [gateway.id for gateway in self.gateways]
        heard_by: list[set[str]] = [set() for _ in range(self.fleet.n)]
        row, link = links.expand(np.arange(self.fleet.n, dtype=np.int64))
        for meter, pair in zip(row.tolist(), link.tolist(), strict=True):
            if within[pair]:
                heard_by[meter].add(names[int(links.receiver[pair])])
        return [frozenset(gateways) for gateways in heard_by]

    def _open_portal(self) -> Portal:
        return Portal(
            self.spec.portal,
            self.directory / "portal",
            self.calendar,
            self._record,
            keyring=self.keyring,
            registry=self.registry,
        )

    # --- running ------------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        return int(self.env.now)

    def run(self, duration_ns: int, *, on_window: Callable[[World, int, int], None] | None = None) -> None:
        """Let `duration_ns` of world time pass, window by window. Raises NotSettled, StoreError, OSError."""
        end_ns = self.now_ns + duration_ns
        window_ns = ns(self.spec.window_s)
        while self.now_ns < end_ns:
            until_ns = min(end_ns, (self.now_ns // window_ns + 1) * window_ns)
            self.air.play(self.fleet.window(self.now_ns, until_ns))
            self.env.run(until=until_ns)
            self._end_window(last=until_ns == end_ns)
            if on_window is not None:
                on_window(self, until_ns, end_ns)

    def _end_window(self, *, last: bool = False) -> None:
        now_ns = self.now_ns
        counts = self.air.end_window()
        self.frames_sent += counts.frames_sent
        if last:
            for gateway in self.gateways:
                if gateway.up:
                    gateway.flush(now_ns)
        self.truth.end_window()
        self.deliver()
        self.portal.watch(now_ns)
        stored = self.portal.store.count_readings()
        self._record(
            WindowEnded(
                now_ns,
                counts.frames_sent,
                counts.frames_heard,
                counts.fates,
                stored - self._stored,
                dict(self._refused),
            )
        )
        self._stored = stored
        self._refused.clear()
        self.history.flush()

    def deliver(self) -> None:
        """Everything that can arrive now arrives. At the end of each window, and at the instant at which somebody who
        does not wait for it (an attacker with a session) has published."""
        now_ns = self.now_ns
        self.air.catch_up()
        for gateway in self.gateways:
            if gateway.up:
                gateway.close_due(now_ns)
        self.lockstep.run(now_ns, lambda messages: self.portal.take(messages, now_ns))

    def _record(self, event: Event) -> None:
        if isinstance(event, TelegramRefused):
            self._refused[event.reason] += 1
        self.history.record(event)

    # --- real input ---------------------------------------------------------------------------------------------

    def play(self, played: Sequence[Played], *, delay_s: float = 60.0, antenna: Antenna | None = None) -> Playing:
        """Put a recorded log on the air, its first telegram `delay_s` from now, at the recorded levels and in the
        recorded rhythm (see foreign). Before `run`."""
        return Playing(self, played, delay_s=delay_s, antenna=antenna or Antenna())

    def enrol(self, meters: Iterable[tuple[MeterEntry, bytes | None]]) -> None:
        """Meters that are not of the fleet join the registry, their keys the keyring. Raises AlreadyThere."""
        enrol(self, meters)

    # --- faults -------------------------------------------------------------------------------------------------

    def kill_broker(self, phase: str) -> None:
        """SIGKILL the broker at the next moment in this phase of a lockstep ("publish", "deliver", "acknowledge") at
        which messages are under way, and start it again on the same port."""

        def strike() -> None:
            self._record(FaultInjected(self.now_ns, "broker killed", f"SIGKILL while in phase {phase}"))
            self.endpoint.kill()
            self.endpoint.restart()

        self.lockstep.strike(phase, strike)

    def restart_portal(self) -> None:
        """Close the portal and open it again on what it has on disk."""
        self.portal.close()
        self.portal = self._open_portal()
        self._record(FaultInjected(self.now_ns, "portal restarted", PORTAL))

    def power_cut(self, gateway: int) -> None:
        self._record(FaultInjected(self.now_ns, "gateway power cut", self.gateways[gateway].id))
        self.air.receivers[gateway].up = False
        self.gateways[gateway].power_cut(self.now_ns)

    def power_on(self, gateway: int) -> None:
        self._record(FaultInjected(self.now_ns, "gateway power on", self.gateways[gateway].id))
        self.air.receivers[gateway].up = True
        self.gateways[gateway].power_on(self.now_ns)

    def tamper(self, meter: int, how: str) -> None:
        self.fleet.tamper(meter, self.now_ns, how)
        self._record(MeterTampered(self.now_ns, str(self.fleet.address(meter)), how))

    # --- the network path ---------------------------------------------------------------------------------------

    def gateway_identity(self, gateway: int) -> Identity:
        """What is stolen when a gateway is: its certificate, key and client id."""
        return self.endpoint.identity(self.gateways[gateway].id)

    def intercept(
        self, gateway: int, certificate: str, alter: Alter | None = None
    ) -> MitmPath:
        """Put a man in the middle on a gateway's path; returns when the gateway has met him, and where he relays, when
        there is a session through him or there will be none: else the machine's speed decides in which window it
        begins."""
        folder = self.directory / "attacker"
        folder.mkdir(exist_ok=True)
        middle = MitmPath(self.endpoint.authority, self._broker(), folder, certificate, alter)
        self._mitm_paths.append(middle)
        self.reroute(gateway, middle.address)
        session = self.gateways[gateway].session
        self.settle(lambda: session.connected or (middle.answered and not middle.under_way), 10.0)
        return middle

    def release(self, gateway: int) -> None:
        """The path leads to the broker again; returns when the gateway has its session back."""
        for middle in self._mitm_paths:
            middle.stop()
        self._mitm_paths.clear()
        self.reroute(gateway, None)
        self.settle(lambda: self.gateways[gateway].session.connected, 30.0)

    def settle(self, done: Callable[[], bool], deadline_s: float) -> bool:
        """Let real sockets move for up to `deadline_s` wall seconds, while world time stands still."""
        self.air.catch_up()

        def pumped() -> bool:
            for gateway in self.gateways:
                gateway.pump(self.now_ns)
            return done()

        return self.endpoint.settle(pumped, deadline_s)

    def reroute(self, gateway: int, address: Address | None) -> None:
        """The network leads a gateway elsewhere (None: to the broker again); its connection is reset."""
        chosen = self.gateways[gateway]
        if address is None:
            self._routes.pop(chosen.id, None)
        else:
            self._routes[chosen.id] = address
        chosen.session.reroute(address or self._broker())

    def _broker(self) -> Address:
        """Where the endpoint listens. Raises EndpointError without sockets."""
        if self.endpoint.address is None:
            raise EndpointError(f"endpoint '{self.endpoint.name}' has no sockets; take one that has, as 'mosquitto'")
        return self.endpoint.address

    def _cut_off(self, gateway: GatewayPort) -> bool:
        """It cannot get through: its path leads to a server that it refuses, or that keeps what it publishes."""
        relayed = any(middle.relays for middle in self._mitm_paths)
        return gateway.id in self._routes and not (relayed and gateway.session.connected)

    # --- the end ------------------------------------------------------------------------------------------------

    def finish(self, outcome: str = "complete") -> None:
        """Write the last record. The world can still be read."""
        for session in [getattr(self, "portal_session", None)]:
            if session is not None:
                for state, reason in session.log:
                    self.history.record(SessionChanged(self.now_ns, session.client_id, state, reason))
        self.history.record(RunEnded(self.now_ns, outcome))
        self.history.flush()

    def close(self) -> None:
        """Idempotent. Leaves no process, no socket, no open file, even when one of them cannot be closed in order (a
        full disk); the error is raised when all the others are closed. The first to be closed stands last."""
        if self._closed:
            return
        self._closed = True
        with contextlib.ExitStack() as stack:
            stack.callback(self.history.close)
            if hasattr(self, "truth"):
                stack.callback(self.truth.close)
            if hasattr(self, "portal"):
                stack.callback(self.portal.close)
            stack.callback(self.endpoint.stop)
            if hasattr(self, "portal_session"):
                stack.callback(self.portal_session.close)
            for gateway in self.gateways:
                stack.callback(gateway.close)
            for middle in self._mitm_paths:
                stack.callback(middle.stop)

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
