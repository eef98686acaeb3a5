"""A fan-in trial: many publishers at one rate, N subscribers that share a subscription, and who of broker, publishers
and subscribers had no time left.

The broker is set as the published comparison's was, as far as that is known: Mosquitto's own 20 messages in flight to a
subscriber, queues that drop nothing, nothing written to disk. What it accepted and delivered is witnessed twice: by the
clients, and by its own counters ($SYS, each second). A process is full when it never slept: its own processor time and
its waiting for a processor, over time; so other programs on the machine do not make it look idle.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Self

import numpy as np

from bench.load import fan_c_clients, fan_clients
from bench.load.fan_orders import F64, Published, PublishOrder, Taken, TakeOrder
from bench.load.load_trial import hear
from bench.load.processes import Used, Watch, children
from bench.load.schedule import Load, steady_times
from bench.run_errors import CannotRun
from bench.spawned import Spawned
from sim.core.clock import wall_s, wall_sleep
from sim.endpoint.kinds.mosquitto import Mosquitto, MosquittoSpec
from sim.endpoint.one_session import Login, OneSession
from sim.endpoint.port import EndpointError
from sim.endpoint.tls_connect import tls_context
from sim.endpoint.topic_acl import READER
from sim.pki.authority import Authority

Driver = Literal["ours", "c"]
BROKER_LINES: Final = ("max_inflight_messages 20", "persistence false", "sys_interval 1")
COUNTERS: Final = {
    "$SYS/broker/publish/messages/received": "accepted", "$SYS/broker/publish/messages/sent": "delivered",
    "$SYS/broker/shared_subscriptions/count": "subscribers",
}  # fmt: skip
WATCHER: Final = "watcher"
MOST_TAKERS: Final = 2_000
MOST_MESSAGES: Final = 2_000_000
READY_S: Final = 180.0
REPORT_S: Final = 120.0
LEAD_S: Final = 0.2
LOOK_S: Final = 0.05
STEP_S: Final = 0.5
"""Of the curves over time."""
FULL: Final = 0.9
ACCEPTS: Final = 0.97
"""Of what is offered."""
DELIVERS: Final = 0.95
"""Of what is accepted: a broker that delivers less falls behind as long as the load lasts."""
KEEPS_UP: Final = "keeps up"
ACCEPTS_DELIVERS_LATE: Final = "accepts, delivers late"
FALLS_BEHIND: Final = "accepts less, delivers less still"
ACCEPTS_LATE: Final = "accepts less, delivers what it accepts"


@dataclass(frozen=True, slots=True)
class FanSetting:
    """`clear`: without TLS, as the published comparison. `within_s`: how long after the last message is due a trial
    waits for what is missing. `broker_nice`: by so much the broker goes behind its clients where they want the same
    core, so that they have time left while it is full."""

    publishers: int
    seconds_s: float = 10.0
    within_s: float = 20.0
    clear: bool = False
    seed: int = 1
    broker_nice: int = 0


class FanLoad(NamedTuple):
    """What one trial asked for: subscribers, messages a second, who publishes, when it began on the wall's clock, when
    each message was due after that, for how long."""

    takers: int
    per_s: float
    driver: Driver
    begin_s: float
    due_s: F64
    seconds_s: float


@dataclass
class FanOutcome:
    """Rates are of the second half of the time in which messages were due, so that a queue that fills at first is not
    in them. `accepted_per_s` by PUBACKs (by the broker's own count where clients in C publish), `counted`: both by the
    broker's count. `delivered_s`, `acknowledged_s`: from due to a subscriber, to the PUBACK. `never`: messages that no
    subscriber had when the trial was over. `over_time`: (seconds, accepted, delivered), both summed."""

    takers: int
    per_s: float
    driver: Driver
    accepted_per_s: float
    delivered_per_s: float
    counted: dict[str, float]
    waiting: int
    delivered_s: dict[str, float]
    acknowledged_s: dict[str, float]
    late_s: float
    never: int
    doubled: int
    used: dict[str, Used]
    endings: Counter[str]
    over_time: list[tuple[float, int, int]]
    processor_us: float
    """Of the broker, a message delivered while messages were due."""

    def full(self, who: str) -> float:
        """1: it never slept."""
        return self.used[who].never_slept

    @property
    def verdict(self) -> str:
        """What the two rates say."""
        if self.accepted_per_s < ACCEPTS * self.per_s:
            return FALLS_BEHIND if self.delivered_per_s < DELIVERS * self.accepted_per_s else ACCEPTS_LATE
        return ACCEPTS_DELIVERS_LATE if self.delivered_per_s < DELIVERS * self.accepted_per_s else KEEPS_UP

    @property
    def clients_full(self) -> bool:
        """Publishers or subscribers never slept: a broker could have been given more, or have delivered more."""
        return max(self.full("publishers"), self.full("subscribers")) >= FULL

    @property
    def limit(self) -> str:
        """Which process never slept, the broker first; "" where each had time left."""
        names = ("broker", "publishers", "subscribers")
        return next((who for who in names if self.full(who) >= FULL), "")

    def as_json(self) -> dict[str, Any]:
        return {
            "takers": self.takers, "per_s": self.per_s, "driver": self.driver,
            "accepted_per_s": round(self.accepted_per_s, 1), "delivered_per_s": round(self.delivered_per_s, 1),
            "counted": {name: round(rate, 1) for name, rate in self.counted.items()}, "waiting": self.waiting,
            "delivered_s": self.delivered_s, "acknowledged_s": self.acknowledged_s,
            "generator_late_p99_s": round(self.late_s, 4), "never": self.never, "doubled": self.doubled,
            "verdict": self.verdict, "full": self.limit,
            "used": {name: {"core": round(one.core, 4), "waited": round(one.waited, 4),
                            "never_slept": round(min(1.0, one.never_slept), 4)}
                     for name, one in self.used.items()},
            "broker_us_a_message": round(self.processor_us, 2), "connections_ended": dict(self.endings),
            "over_time": [list(one) for one in self.over_time],
        }  # fmt: skip


@dataclass
class FanStand:
    """One broker after the other, certificates and processes for all. Raises EndpointError, CannotRun.

    with FanStand(setting, directory) as stand:
        outcome = stand.trial(500, 8_000.0)                # subscribers, messages a second
        outcome = stand.trial(500, 8_000.0, driver="c")    # the same by Mosquitto's clients in C
    """

    setting: FanSetting
    directory: Path
    trials: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        self._authority = Authority(self.directory / "pki")
        self._closing = contextlib.ExitStack()
        self._sides: dict[Driver, tuple[Spawned, Spawned]] = {}
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def _processes(self, driver: Driver) -> tuple[Spawned, Spawned]:
        """(publishers', subscribers')."""
        if driver not in self._sides:
            clients = fan_clients if driver == "ours" else fan_c_clients
            first, second = (_spawned(self._closing, one) for one in (clients.publish, clients.take))
            self._sides[driver] = first, second
        return self._sides[driver]

    def trial(self, takers: int, per_s: float, driver: Driver = "ours") -> FanOutcome:
        """A broker of its own."""
        if takers > MOST_TAKERS or per_s * self.setting.seconds_s > MOST_MESSAGES:
            raise CannotRun(
                f"{takers} subscribers and {per_s * self.setting.seconds_s:.0f} messages; at most {MOST_TAKERS} and "
                f"{MOST_MESSAGES} are of a trial: take fewer, or shorter --seconds"
            )
        self.trials += 1
        place = self.directory / f"trial-{self.trials}"
        names = [f"taker{at}" for at in range(takers)]
        foreign = {**dict.fromkeys(names, ("gw/+/up",)), WATCHER: ("$SYS/#",)}
        broker = Mosquitto(
            place, MosquittoSpec(tls=not self.setting.clear), foreign=foreign, authority=self._authority,
            lines=BROKER_LINES,
        )  # fmt: skip
        broker.start()
        try:
            assert broker.pid is not None
            if self.setting.broker_nice:
                own = os.getpriority(os.PRIO_PROCESS, 0)
                os.setpriority(os.PRIO_PROCESS, broker.pid, min(19, own + self.setting.broker_nice))
            return self._measured(broker, names, per_s, driver)
        finally:
            broker.stop()
            shutil.rmtree(place, ignore_errors=True)

    def _measured(self, broker: Mosquitto, names: list[str], per_s: float, driver: Driver) -> FanOutcome:
        setting = self.setting
        publisher, due_s = steady_times(Load(setting.publishers, per_s, setting.seconds_s, setting.seed))
        order = np.lexsort((publisher, due_s))
        publisher, due_s = publisher[order], due_s[order]
        assert broker.address is not None and broker.pid is not None
        gateways = [broker.identity(f"gw{one}") for one in range(setting.publishers)]
        sent = PublishOrder(gateways, broker.address, publisher, due_s)
        publishing, taking = self._processes(driver)
        publishing.pipe.send(sent if driver == "ours" else (sent, broker.identity(READER)))
        hear(publishing, READY_S)  # first: a client in C says something before the subscribers may hear it
        taking.pipe.send(TakeOrder([broker.identity(one) for one in names], broker.address, len(due_s)))
        hear(taking, READY_S)
        with Counters(broker) as counters:
            counters.await_subscribers(len(names))
            watch = Watch({
                "broker": [broker.pid], "publishers": [publishing.pid, *children(publishing.pid)],
                "subscribers": [taking.pid, *children(taking.pid)],
            })  # fmt: skip
            begin_s = wall_s() + LEAD_S
            for one in (publishing, taking):
                one.pipe.send(begin_s)
            used = _wait(begin_s, setting, watch, taking, counters)
            for one in (publishing, taking):
                one.pipe.send(None)
            published, taken = hear(publishing, REPORT_S), hear(taking, REPORT_S)
            asked = FanLoad(len(names), per_s, driver, begin_s, due_s, setting.seconds_s)
            return outcome(asked, published, taken, used, counters.seen)


class Counters:
    """The broker's own counts, as it publishes them each second. `seen`: topic's name -> (when, count)."""

    def __init__(self, broker: Mosquitto) -> None:
        identity, address = broker.identity(WATCHER), broker.address
        assert address is not None
        login = Login(WATCHER, user=WATCHER)
        self._session = OneSession(address, tls_context(identity, verify=True), address.host, login, READY_S)
        if not all(self._session.subscribe(*COUNTERS)):
            raise EndpointError("the broker does not grant its own counters ($SYS)")
        self.seen: dict[str, list[tuple[float, int]]] = {name: [] for name in COUNTERS.values()}

    def __enter__(self) -> Counters:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def look(self) -> None:
        self._session.turn(lambda: True, 0.0)
        for message in self._session.inbox:
            if (name := COUNTERS.get(message.topic)) is not None:
                self.seen[name].append((wall_s(), int(message.payload)))
        self._session.inbox.clear()

    def await_subscribers(self, count: int) -> None:
        """Raises EndpointError."""
        end_s = wall_s() + READY_S
        while not self.seen["subscribers"] or self.seen["subscribers"][-1][1] < count:
            if wall_s() > end_s:
                raise EndpointError(f"the broker does not tell of {count} subscribers within {READY_S:g} s")
            wall_sleep(LOOK_S)
            self.look()


def outcome(
    asked: FanLoad, published: Published, taken: Taken, used: dict[str, Used],
    counted: dict[str, list[tuple[float, int]]],
) -> FanOutcome:  # fmt: skip
    """Pure."""
    begin_s, seconds_s = asked.begin_s, asked.seconds_s
    due_s = begin_s + asked.due_s
    half_s, end_s = begin_s + seconds_s / 2, begin_s + seconds_s
    counts = {name: _rate(counted.get(name, []), half_s, end_s) for name in ("accepted", "delivered")}
    known = bool(np.isfinite(published.accepted_s).any())

    def rate(times_s: F64) -> float:
        return float(((times_s >= half_s) & (times_s < end_s)).sum() / (end_s - half_s))

    accepted_per_s = rate(published.accepted_s) if known else counts["accepted"]
    steps = [begin_s + STEP_S * at for at in range(1, int(seconds_s / STEP_S) + 1)]
    over_time = [
        (round(at - begin_s, 3), int((published.accepted_s <= at).sum()), int((taken.arrived_s <= at).sum()))
        for at in steps
    ]
    delivered = int((taken.arrived_s < end_s).sum())
    accepted = int((published.accepted_s < end_s).sum()) if known else int((published.handled_s < end_s).sum())
    return FanOutcome(
        asked.takers, asked.per_s, asked.driver, accepted_per_s, rate(taken.arrived_s), counts, accepted - delivered,
        _times(taken.arrived_s - due_s), _times(published.accepted_s - due_s),
        float(np.nanpercentile(published.handled_s - due_s, 99)) if np.isfinite(published.handled_s).any() else np.inf,
        int(np.isnan(taken.arrived_s).sum()), taken.doubled, used, published.endings + taken.endings, over_time,
        used["broker"].core * seconds_s * 1e6 / max(1, delivered),
    )  # fmt: skip


def _times(seconds_s: F64) -> dict[str, float]:
    found = seconds_s[np.isfinite(seconds_s)]
    if not len(found):
        return {}
    return {"mean": round(float(found.mean()), 4), "p50": round(float(np.percentile(found, 50)), 4),
            "p99": round(float(np.percentile(found, 99)), 4)}  # fmt: skip


def _rate(seen: list[tuple[float, int]], from_s: float, to_s: float) -> float:
    """Of a counter between its first and last look within; 0 where there are not two."""
    inside = [one for one in seen if from_s <= one[0] <= to_s + 1]
    if len(inside) < 2:
        return 0.0
    return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])


def _wait(
    begin_s: float, setting: FanSetting, watch: Watch, taking: Spawned, counters: Counters
) -> dict[str, Used]:  # fmt: skip
    """Until every message has come or `within_s` is over; what was used while messages were due."""
    due_s = begin_s + setting.seconds_s
    used: dict[str, Used] | None = None
    while wall_s() < due_s + setting.within_s:
        wall_sleep(LOOK_S)
        counters.look()
        if used is None and wall_s() >= due_s:
            used = watch.used()
        if used is not None and taking.pipe.poll(0):
            break
    return used if used is not None else watch.used()


def _spawned(closing: contextlib.ExitStack, target: Callable[..., None]) -> Spawned:
    process = Spawned(target)
    closing.callback(process.stop)
    return process
