"""The world: a fleet on an air, the network's paths, faults, and a system under test; run window by window.

Inside a window the clock moves only what is simulated. At the end of each window the world stands still in its own time
while the system delivers (real sockets move, see lockstep), so what is stored at each instant of world time does not
depend on how fast the machine was. What stands between the air and a bill is the system's (see systems).
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sim.core import garbage
from sim.core.clock import Calendar, Clock, ns
from sim.core.events import Event, MeterTampered, RunEnded, RunStarted, SessionChanged, TelegramRefused, WindowEnded
from sim.core.history import History
from sim.core.seeds import Seeds
from sim.endpoint.port import Session
from sim.faults.port import AnyFault, Injection
from sim.gateway.port import GatewayPort
from sim.meters.fleet import Fleet
from sim.meters.two_way import TwoWay
from sim.network.paths import Paths
from sim.portal.meter_registry import MeterEntry
from sim.portal.store import fingerprint
from sim.radio.air import ARRAYS, Air
from sim.radio.fleet_frames import FleetFrames
from sim.radio.propagation import Propagation
from sim.recording.log import Played
from sim.recording.replayed_meters import Antenna, Playing, enrol
from sim.site_plan import fleet_radios, site_of
from sim.systems.port import Ground, Stored
from sim.truth.ground_truth import Truth
from sim.two_way_air import Installed, install
from sim.world_spec import WorldSpec


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
        self.clock: Clock = spec.clock.make()
        self.seeds = Seeds(seed)
        self.calendar = Calendar(spec.start)
        self.frames_sent = 0
        self.injections: list[Injection] = []
        self.taken_ns: set[int] = set()
        """World times at which the system could take what had arrived."""
        self._followed: dict[Session, int] = {}  # -> how much of its log is in the history
        self.two_way: list[Installed] = []
        self.own_receivers: set[int] = set()
        self._refused: Counter[str] = Counter()
        self._stored = 0
        self.fleet = Fleet(spec.fleet, self.seeds, start=spec.start, outdoor_mean_c=spec.site.outdoor_mean_c)
        self.site = site_of(spec)
        self.history = History(directory / "events.jsonl", frames=frames)
        with contextlib.ExitStack() as stack:
            stack.callback(self.history.close)
            stack.callback(self.clock.close)
            self.air = self._make_air()
            self.paths = Paths(directory / "attacker", lambda: self.system.endpoint, self.settle)
            self.system = spec.system.build(self._ground())
            stack.callback(self.system.close)
            stack.callback(self.paths.close)
            endpoint = self.system.endpoint
            name = "none" if endpoint is None else endpoint.name
            self.history.record(RunStarted(0, spec.name, seed, spec.digest, name))
            self.system.start()
            self.truth = Truth(self)
            stack.callback(self.truth.close)
            self.air.taps.append(self.truth.tap)
            garbage.leave_out()
            stack.callback(garbage.look_again)
            self._closing = stack.pop_all()

    def __repr__(self) -> str:
        return f"<World {self.spec.name}, seed {self.seed}, {self.now_ns / 1e9:.0f} s>"

    def _make_air(self) -> Air:
        propagation, fleet = Propagation.of(self.spec.site, self.seeds), self.fleet
        gateways, engine = self.spec.gateways, self.engine
        population = fleet.population
        radios = fleet_radios(self.spec.fleet, population.group, population.length_bytes)
        frames = FleetFrames(fleet.telegram, fleet.telegrams, lambda: fleet.changes)
        air = Air(self.clock.env, propagation, history=self.history, gateways=gateways, engine=engine)
        air.add_fleet(self.site.meters, radios, frames)
        return air

    def _ground(self) -> Ground:
        return Ground(
            self.spec, self.directory, self.clock, self.calendar, self.fleet, self.site, self.air, self.paths,
            self.record, self.seeds, lambda frame: self.truth.foreign.add(fingerprint(frame)), self.own_receivers.add,
        )  # fmt: skip

    # --- what the system has ------------------------------------------------------------------------------------

    @property
    def gateways(self) -> Sequence[GatewayPort]:
        return self.system.gateways

    @property
    def stored(self) -> Stored:
        return self.system.stored

    # --- running ------------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        return self.clock.now_ns

    def run(self, duration_ns: int, *, on_window: Callable[[World, int, int], None] | None = None) -> None:
        """Let `duration_ns` of world time pass, window by window. Raises NotSettled, StoreError, OSError."""
        end_ns = self.now_ns + duration_ns
        window_ns = ns(self.spec.window_s)
        while self.now_ns < end_ns:
            until_ns = min(end_ns, (self.now_ns // window_ns + 1) * window_ns)
            self.air.play(self.fleet.window(self.now_ns, until_ns))
            self.clock.run_until(until_ns)
            self._end_window(last=until_ns == end_ns)
            if on_window is not None:
                on_window(self, until_ns, end_ns)

    def _end_window(self, *, last: bool = False) -> None:
        now_ns = self.now_ns
        counts = self.air.end_window()
        self.frames_sent += counts.frames_sent
        if last:
            self.system.flush()
        self.truth.end_window()
        self.deliver()
        self.system.watch()
        stored = self.stored.count_readings()
        self.record(
            WindowEnded(
                now_ns,
                counts.frames_sent,
                counts.frames_heard,
                counts.fates,
                max(0, stored - self._stored),  # a portal restored from a backup has fewer than before
                dict(self._refused),
            )
        )
        self._stored = stored
        self._refused.clear()
        self.history.flush()

    def deliver(self) -> None:
        """Everything that can arrive now arrives. At the end of each window, and at the instant at which somebody who
        does not wait for it (an attacker with a session) has published."""
        self.air.catch_up()
        self.taken_ns.add(self.now_ns)
        self.system.deliver()
        self._log_sessions()

    def settle(self, done: Callable[[], bool], deadline_s: float) -> bool:
        """Let real sockets move for up to `deadline_s` wall seconds, while world time stands still."""
        self.air.catch_up()
        self.taken_ns.add(self.now_ns)
        came = self.system.settle(done, deadline_s)
        self._log_sessions()
        return came

    def follow(self, session: Session) -> None:
        """Keep what becomes of an attacker's session in the history, until it is closed."""
        self._followed[session] = 0

    def _log_sessions(self) -> None:
        """Gateways tell of theirs; here of the system's own and of attackers'."""
        for session in self.system.sessions:
            self._followed.setdefault(session, 0)
        own = set(self.system.sessions)
        for session, seen in list(self._followed.items()):
            whose = "owner" if session in own else "attacker"
            for (state, reason), wall_ns in zip(session.log[seen:], session.log_ns[seen:], strict=True):
                self.history.record(SessionChanged(self.now_ns, session.client_id, state, reason, wall_ns, whose))
            self._followed[session] = len(session.log)
            if whose == "attacker" and session.log and session.log[-1][0] == "closed":
                del self._followed[session]

    def record(self, event: Event) -> None:
        """Into the history."""
        if isinstance(event, TelegramRefused):
            self._refused[event.reason] += 1
        self.history.record(event)

    # --- real input ---------------------------------------------------------------------------------------------

    def play(self, played: Sequence[Played], *, delay_s: float = 60.0, antenna: Antenna | None = None) -> Playing:
        """Put a recorded log on the air, its first telegram `delay_s` from now, at the recorded levels and in the
        recorded rhythm (see recording). Before `run`."""
        return Playing(self, played, delay_s=delay_s, antenna=antenna or Antenna())

    def enrol(self, meters: Iterable[tuple[MeterEntry, bytes | None]]) -> None:
        """Meters that are not of the fleet join the system, with their keys. Raises AlreadyThere."""
        enrol(self, meters)

    def install(self, meters: Iterable[TwoWay], *, gateway: int = 0, metres: float = 5.0) -> list[Installed]:
        """Meters that listen to commands join, near a gateway. Raises AlreadyThere."""
        joined = install(self, meters, gateway=gateway, metres=metres)
        self.two_way += joined
        return joined

    # --- what happens to it -------------------------------------------------------------------------------------

    def fault(self, fault: AnyFault) -> Injection:
        """Inject a fault: at once, or when its settings say. Raises CannotInject when this world lacks what it
        needs."""
        injection = Injection(self, fault)
        injection.begin()
        self.injections.append(injection)
        return injection

    def tamper(self, meter: int, how: str) -> None:
        """From now on the meter shows it (`Fleet.tamper`)."""
        self.fleet.tamper(meter, self.now_ns, how)
        self.record(MeterTampered(self.now_ns, str(self.fleet.address(meter)), how))

    # --- the end ------------------------------------------------------------------------------------------------

    def finish(self, outcome: str = "complete") -> None:
        """Write the last record. The world can still be read."""
        self._log_sessions()
        self.history.record(RunEnded(self.now_ns, outcome))
        self.history.flush()

    def close(self) -> None:
        """Idempotent. Leaves no process, no socket, no open file, even when one of them cannot be closed in order (a
        full disk); the error is raised when all the others are closed."""
        self._closing.close()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
