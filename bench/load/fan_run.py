"""What a broker accepts beside what it delivers, over the load and over the number of subscribers that share one
subscription: the curves in which a published comparison saw Mosquitto accept everything and deliver late."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from bench.load.fan_orders import PAYLOAD_BYTES
from bench.load.fan_trial import (
    ACCEPTS_DELIVERS_LATE,
    FALLS_BEHIND,
    KEEPS_UP,
    Driver,
    FanOutcome,
    FanSetting,
    FanStand,
)  # fmt: skip
from bench.run_errors import CannotRun
from sim.endpoint.port import EndpointError

PUBLISHED: Final = {
    "source": "emqx/mqttbs results, XMeter 3.2.4, c5.4xlarge (16 cores)", "broker": "Mosquitto 2.0.15, without TLS",
    "publishers": 50_000, "subscribers": 500, "payload_bytes": 16, "qos": 1, "offered_per_s": 50_000,
    "delivered_per_s": "40000 to 41000", "mean_s": 12.5,
}  # fmt: skip
Beside = Literal["trial", "search", "none"]


@dataclass(frozen=True, slots=True)
class FanAsked:
    """Every number of `takers` at every load of `over_per_s`, by our clients and, unless `beside` says none, by those
    in C; `seeds`: all of it with each."""

    setting: FanSetting
    takers: tuple[int, ...]
    over_per_s: tuple[float, ...]
    beside: Beside = "trial"
    seeds: tuple[int, ...] = (1,)


def run(asked: FanAsked, broker: str, say: Callable[[str], None]) -> dict[str, Any]:
    """As `load --json` prints it. Raises CannotRun, EndpointError before the first trial is over; what comes later is
    in the answer."""
    found: list[FanOutcome] = []
    stopped = ""
    drivers: tuple[Driver, ...] = ("ours",) if asked.beside == "none" else ("ours", "c")
    try:
        for seed in asked.seeds:
            setting = replace(asked.setting, seed=seed)
            with tempfile.TemporaryDirectory(prefix="wmbench-fan-in-") as folder, FanStand(setting, Path(folder)) as at:
                for takers in asked.takers:
                    for per_s in asked.over_per_s:
                        for driver in drivers:
                            found.append(at.trial(takers, per_s, driver))
                            say(line(found[-1]))
    except (CannotRun, EndpointError, KeyboardInterrupt) as error:
        if not found:
            raise
        stopped = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
    return answer(asked, broker, found, stopped)


def line(one: FanOutcome) -> str:
    """One trial in a line."""
    by = "" if one.driver == "ours" else " by clients in C"
    mean = one.delivered_s.get("mean", float("nan"))
    return (
        f"{one.takers} subscribers, {one.per_s:g} messages/s{by}: {one.accepted_per_s:.0f} accepted, "
        f"{one.delivered_per_s:.0f} delivered a second, {mean:.3f} s in the mean; {one.verdict}"
        + (f"; {one.limit} full" if one.limit else "")
    )


def answer(asked: FanAsked, broker: str, found: Sequence[FanOutcome], stopped: str = "") -> dict[str, Any]:
    """Pure."""
    others = max((one.used["other programs"].core for one in found), default=0.0)
    return {
        "kind": "fan-in", "shape": "fan-in", "broker": broker, "publishers": asked.setting.publishers,
        "payload_bytes": PAYLOAD_BYTES, "seconds_s": asked.setting.seconds_s, "tls": not asked.setting.clear,
        "broker_nice": asked.setting.broker_nice,
        "takers": list(asked.takers), "over_per_s": list(asked.over_per_s), "published": PUBLISHED,
        "shown": {driver: shown([one for one in found if one.driver == driver]) for driver in ("ours", "c")},
        "broker_us_a_message": {driver: _median([one for one in found if one.driver == driver])
                                for driver in ("ours", "c")},
        "disturbed_cores": round(others, 3), "stopped": stopped, "trials": [one.as_json() for one in found],
    }  # fmt: skip


def shown(found: Sequence[FanOutcome]) -> dict[str, Any]:
    """Whether the published failure was seen of these clients: the broker full, accepted more than it delivered, and
    those who publish and take had time left. `state`: seen, not clear (they had none), not seen, not reached (the
    broker was never full), not asked."""
    behind = [one for one in found if one.verdict in (ACCEPTS_DELIVERS_LATE, FALLS_BEHIND)]
    clear = [one for one in behind if one.limit == "broker" and not one.clients_full]
    if clear:
        most = max(clear, key=lambda one: one.accepted_per_s / max(one.delivered_per_s, 1e-9))
        return {"state": "seen", "at": most.as_json()}
    if behind:
        return {"state": "not clear", "at": max(behind, key=lambda one: one.delivered_per_s).as_json()}
    full = [one for one in found if one.limit == "broker"]
    if full:
        return {"state": "not seen", "at": max(full, key=lambda one: one.delivered_per_s).as_json()}
    if found:
        return {"state": "not reached", "at": max(found, key=lambda one: one.delivered_per_s).as_json()}
    return {"state": "not asked", "at": None}


def _median(found: Sequence[FanOutcome]) -> float | None:
    kept = [one.processor_us for one in found if one.verdict == KEEPS_UP]
    return round(statistics.median(kept), 2) if kept else None
