"""One trial: a load of one shape, for some seconds, from real sessions through a real broker to the portal's store.

    with Stand(setting, broker, directory) as stand:
        outcome = stand.trial(200.0)                  # bundles a second
        outcome = stand.trial(200.0, driver="c")      # the same, published by Mosquitto's clients in C

Processes are started once and serve every trial; broker and store are new in each. Whatever ends the stand ends them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np

from bench.load import generator, portal_process, processor_knee, takers_process
from bench.load.accounts import Accounts, accounts
from bench.load.brokers import TAKERS, Broker
from bench.load.far_generators import FarGenerator, on_cluster
from bench.load.fleet_bundles import FleetBundles, Sent, name
from bench.load.load_orders import Driver, Generated, GeneratorOrder, PortalOrder, Stored
from bench.load.outcome import Outcome
from bench.load.processes import Watch, children
from bench.load.resources import resources
from bench.load.schedule import MOST_BUNDLES, Load, Schedule
from bench.load.sentence import Sentence
from bench.load.shapes.port import Shape
from bench.run_errors import CannotRun
from bench.spawned import Spawned
from sim.core.clock import wall_s, wall_sleep
from sim.endpoint.port import EndpointError
from sim.endpoint.topic_acl import PORTAL, READER

READY_S: Final = 180.0
REPORT_S: Final = 300.0
LEAD_S: Final = 0.2  # between the last "ready" and the begin
LOOK_S: Final = 0.02
PATIENCE_S: Final = 1.0
MOST_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Setting:
    """What all trials of a search have in common. `workers`: processes of the generator; `takers`: subscribers of
    shapes that have no portal; `link_bytes_per_s`: what the way to the broker can carry, where that is known.
    `scheduler`: of a dask cluster whose workers have a process of the generator each; 0 `workers`: all."""

    shape: Shape
    sent: Sent
    sentence: Sentence
    seconds_s: float = 10.0
    workers: int = 1
    seed: int = 1
    takers: int = 0
    link_bytes_per_s: float | None = None
    scheduler: str = ""

    def load(self, per_s: float) -> Load:
        return Load(self.sent.gateways, per_s, self.seconds_s, self.seed)


class _Waited(NamedTuple):
    """Why the broker died (""), what was used until the last bundle was due, processor time until the end."""

    died: str
    used: dict[str, Any]
    spent_s: dict[str, float]


@dataclass
class Stand:
    """Raises CannotRun, EndpointError, StoreError. `trials` counts them."""

    setting: Setting
    broker: Broker
    directory: Path
    trials: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        self._closing = contextlib.ExitStack()
        self._by_c: Spawned | None = None
        self.bundles = FleetBundles(self.setting.sent)
        self.bundle_bytes = self.bundles.bundle_bytes
        with contextlib.ExitStack() as closing:
            self.generators: list[Spawned | FarGenerator] = [*self._made(closing)]
            shared = self.setting.shape.takers == "shared"
            self._portal = _spawned(closing, takers_process.serve if shared else portal_process.serve)
            self._closing = closing.pop_all()
        return self

    def _made(self, closing: contextlib.ExitStack) -> Sequence[Spawned | FarGenerator]:
        setting = self.setting
        if not setting.scheduler:
            return [_spawned(closing, generator.serve) for _ in range(setting.workers)]
        return closing.enter_context(on_cluster(setting.scheduler, setting.workers, setting.sent.gateways, self.broker))

    @property
    def places(self) -> tuple[str, ...]:
        """Where generators are, of those that are not processes beside this one."""
        return tuple(one.place for one in self.generators if isinstance(one, FarGenerator))

    def running(self, driver: Driver) -> Sequence[Spawned | FarGenerator]:
        """The generators of a trial. Clients in C are always on this machine."""
        if driver == "ours":
            return self.generators
        if not self.setting.scheduler:
            return self.generators[:1]
        if self._by_c is None:
            self._by_c = _spawned(self._closing, generator.serve)
        return [self._by_c]

    def __exit__(self, *_: object) -> None:
        self.broker.stop()
        self._closing.close()

    # --- one trial ---------------------------------------------------------------------------------------------

    def trial(self, per_s: float, *, driver: Driver = "ours") -> Outcome:
        """Offer so many bundles a second. A broker that dies is no error: it is in the outcome."""
        self._bounded(per_s, per_s * self.setting.seconds_s)
        schedule = self.setting.shape.schedule(self.setting.load(per_s))
        self._bounded(per_s, len(schedule))
        self.trials += 1
        place = self.directory / f"trial-{self.trials}"
        self.broker.start(place / "broker")
        try:
            return self._measured(per_s, schedule, place, driver)
        finally:
            self.broker.stop()
            shutil.rmtree(place, ignore_errors=True)

    def _bounded(self, per_s: float, bundles: float) -> None:
        if not bundles:
            raise CannotRun(
                f"{per_s:g} bundles a second for {self.setting.seconds_s:g} s are none; take longer --seconds"
            )
        if bundles > MOST_BUNDLES or bundles * self.bundle_bytes > MOST_BYTES:
            raise CannotRun(
                f"a trial of {bundles:.0f} bundles of {self.bundle_bytes} bytes does not fit: take shorter --seconds, "
                "a lower --most, or fewer --telegrams"
            )

    def _measured(self, per_s: float, schedule: Schedule, place: Path, driver: Driver) -> Outcome:
        running = self.running(driver)
        every = [*running, self._portal]
        for order, process in zip(self.orders(schedule, driver, len(running)), running, strict=True):
            tell([process], order)
        for process in running:  # before the portal subscribes: clients in C say something to be seen
            hear(process, READY_S, self.broker.died)
        self._portal.pipe.send(self._portal_order(schedule, place))
        hear(self._portal, READY_S, self.broker.died)
        watch = Watch(self._groups(running))
        begin_s = wall_s() + LEAD_S
        tell(every, begin_s)
        waited = self._wait(schedule, begin_s, watch, running)
        tell(every, None)
        told = [hear(process, REPORT_S) for process in running]
        stored = hear(self._portal, REPORT_S)
        waited = waited._replace(died=waited.died or self.broker.died())
        for at, one in enumerate(told, start=1):
            if one.used is not None:
                waited.used.setdefault(f"generator {at}", one.used)
        outcome = self._outcome(per_s, driver, schedule, begin_s, told, stored, waited)
        outcome.spent_s, outcome.stored = waited.spent_s, int(np.isfinite(stored.committed_s).sum())
        outcome.full_take_s = processor_knee.full_take_s(stored, outcome.stored)
        return outcome

    def _wait(
        self, schedule: Schedule, begin_s: float, watch: Watch, running: Sequence[Spawned | FarGenerator]
    ) -> _Waited:
        """Until all is stored, or the sentence and some patience are over, or a generator that was not asked says
        something: that it cannot go on, or by its end."""
        last_s = begin_s + max(float(schedule.due_s[-1]), self.setting.seconds_s)
        end_s = last_s + max(self.setting.sentence.within_s, PATIENCE_S)
        used: dict[str, Any] | None = None
        died = ""
        while wall_s() < end_s:
            wall_sleep(LOOK_S)
            if used is None:
                watch.look()
            if used is None and wall_s() >= last_s:
                used = watch.used()
            died = self.broker.died()
            ended = any(one.pipe.poll(0) for one in running)
            if died or ended or (used is not None and self._portal.pipe.poll(0)):
                break
        return _Waited(died, used if used is not None else watch.used(), watch.spent_s())

    def orders(self, schedule: Schedule, driver: Driver, workers: int) -> list[GeneratorOrder]:
        """What each of so many generators is told of a schedule."""
        setting, broker = self.setting, self.broker
        reader = broker.identity(READER) if driver == "c" else None
        custody = setting.shape.takers == "portal"
        orders = []
        for worker in range(workers):
            gateways = range(worker, setting.sent.gateways, workers)
            rows = np.flatnonzero(schedule.gateway % workers == worker)
            identities = {one: broker.identity(name(one)) for one in gateways}
            orders.append(GeneratorOrder(
                setting.sent, schedule, rows, identities, broker.address, driver, reader, custody, verify=broker.verify
            ))  # fmt: skip
        return orders

    def _portal_order(self, schedule: Schedule, place: Path) -> Any:
        setting, broker = self.setting, self.broker
        order = PortalOrder(
            setting.sent, schedule, broker.identity(PORTAL), broker.address, place / "portal", broker.verify
        )
        if setting.shape.takers == "portal":
            return order
        return order, [broker.identity(TAKERS.format(at=at)) for at in range(setting.takers)]

    def _groups(self, running: Sequence[Spawned | FarGenerator]) -> dict[str, list[int]]:
        last = "portal" if self.setting.shape.takers == "portal" else "takers"
        groups = {id_: [pid] for id_, pid in self.broker.processes().items()}
        groups[last] = [self._portal.pid]
        for at, one in enumerate(running, start=1):
            if one.pid is not None:
                groups[f"generator {at}"] = [one.pid, *children(one.pid)]
        return groups

    # --- what it was -------------------------------------------------------------------------------------------

    def _outcome(
        self, per_s: float, driver: Driver, schedule: Schedule, begin_s: float, told: list[Generated], stored: Stored,
        waited: _Waited,
    ) -> Outcome:  # fmt: skip
        setting, used, died = self.setting, waited.used, waited.died
        found = accounts(
            schedule, setting.sent.telegrams, begin_s, told, stored, self.bundles.meters, setting.sentence.within_s
        )
        discarded = self.broker.discarded()
        found.discarded = sum(discarded.values())
        span_s = max(float(schedule.due_s[-1]), setting.seconds_s)
        portal = used.get("portal")
        disk = max(0.0, (stored.took_s - stored.processor_s) / span_s - (portal.waited if portal is not None else 0.0))
        under_way_s = sum(found.stages_s.get(stage, 0.0) for stage in ("way", "portal"))
        offered = len(schedule) / span_s
        custody = setting.shape.takers == "portal"  # without, nobody waits for acknowledgements of a portal
        in_flight = offered / setting.sent.gateways * under_way_s if custody else 0.0
        ranked = resources(
            per_s, used, os.cpu_count() or 1, disk=disk, in_flight=in_flight,
            discarded=discarded, bytes_per_s=offered * self.bundle_bytes, link_bytes_per_s=setting.link_bytes_per_s,
        )  # fmt: skip
        return Outcome(
            per_s=per_s, driver=driver, offered_per_s=offered, accounts=found, resources=ranked, used=used,
            died=died, trouble=stored.trouble,
            endings=sum((one.endings for one in told), start=type(told[0].endings)()),
            up_s=max(one.up_s for one in told), publishes=sum(one.publishes for one in told),
            duplicates=stored.duplicates, queued_most=stored.queued_most, takes=stored.takes,
            store_bytes=stored.bytes_, readings=stored.readings,
            broken=tuple(_broken(setting.sentence, found, died, stored.trouble)),
            clock_s=max(one.uncertain_s for one in told),
            clocks_moved=tuple(one.clock_moved for one in told if one.clock_moved),
        )  # fmt: skip


def tell(processes: Sequence[Spawned | FarGenerator], what: Any) -> None:
    """One that is gone is found out by `hear`."""
    for process in processes:
        with contextlib.suppress(OSError):
            process.pipe.send(what)


def hear(process: Spawned | FarGenerator, seconds_s: float, died: Callable[[], str] = lambda: "") -> Any:
    """What it says next, its "all" left out. `died`: why the broker that it waits for is gone. Raises what it raised,
    EndpointError when the broker is gone, CannotRun when it is."""
    end_s = wall_s() + seconds_s
    while wall_s() < end_s:
        if why := died():
            raise EndpointError(f"the broker died before anything was due: {why}")
        if not process.pipe.poll(0.1):
            continue
        try:
            said = process.pipe.recv()
        except (EOFError, OSError):
            if isinstance(process, FarGenerator):
                raise CannotRun(process.ended()) from None
            process.await_end()
            raise CannotRun(
                f"a process of the load test ended with {process.exit_code} (-9: killed, often for lack of "
                "memory); take fewer --gateways or shorter --seconds"
            ) from None
        if isinstance(said, BaseException):
            raise said
        if said != "all":
            return said
    raise CannotRun(f"a process of the load test said nothing for {seconds_s:g} s; this machine is too busy")


def _broken(sentence: Sentence, found: Accounts, died: str, trouble: str) -> list[str]:
    """The clauses that do not hold; that somebody died or could not go on is one, too."""
    more = [f"the broker died: {died}"] if died else []
    more += [f"the portal: {trouble}"] if trouble else []
    return [*more, *sentence.broken(found)]


def _spawned(closing: contextlib.ExitStack, target: Any) -> Spawned:
    process = Spawned(target)
    closing.callback(process.stop)
    return process
